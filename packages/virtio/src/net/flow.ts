import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_VLAN, type Frame } from '@vmloom/net';

const TCP = 6;
const UDP = 17;
/** Bytes of a frame in which its headers are looked for. */
const REACH = 512;
const HOME_ADDRESS_OPTION = 0xc9;

/** What the headers of one frame say of its flow; reused from frame to frame. Positions are into {@link bytes}. */
export class Flow {
  /** 4, 6, or 0 for what is no IP. */
  version: 0 | 4 | 6 = 0;
  /** 6 (TCP) or 17 (UDP) with ports, or 0. */
  protocol = 0;
  /** An IPv6 packet with extension headers. */
  extended = false;
  bytes: Uint8Array = EMPTY;
  source = 0;
  destination = 0;
  /** Of the source port; the other one follows. */
  ports = 0;
  /** RFC 6275: where the mobile node's addresses stand instead. */
  homeAddress = 0;
  routedTo = 0;
  readonly #copy = new Uint8Array(REACH);
  #end = 0;

  read(frame: Frame): void {
    this.version = 0;
    this.protocol = 0;
    this.extended = false;
    let at = 0;
    if (frame.count > 0 && (frame.lengths[0] >= REACH || frame.count === 1)) {
      this.bytes = frame.memory;
      at = frame.offsets[0];
      this.#end = at + Math.min(frame.lengths[0], REACH);
    } else {
      this.bytes = this.#copy;
      this.#end = frame.copyTo(this.#copy, 0, 0, Math.min(frame.length, REACH));
    }
    if (at + 14 > this.#end) return;
    let type = this.u16(at + 12);
    at += 14;
    if (type === ETHERTYPE_VLAN && at + 4 <= this.#end) {
      type = this.u16(at + 2);
      at += 4;
    }
    if (type === ETHERTYPE_IPV4) this.#read4(at);
    else if (type === ETHERTYPE_IPV6) this.#read6(at);
  }

  u16(at: number): number {
    return (this.bytes[at] << 8) | this.bytes[at + 1];
  }

  #read4(at: number): void {
    const { bytes } = this;
    if (at + 20 > this.#end) return;
    const header = (bytes[at] & 15) * 4;
    if (bytes[at] >> 4 !== 4 || header < 20) return;
    this.version = 4;
    this.source = at + 12;
    this.destination = at + 16;
    // Fragments have no ports, all but the first; then none of them may go by ports.
    if ((this.u16(at + 6) & 0x3fff) === 0) this.#transport(bytes[at + 9], at + header);
  }

  #read6(at: number): void {
    const { bytes } = this;
    if (at + 40 > this.#end || bytes[at] >> 4 !== 6) return;
    this.version = 6;
    this.source = this.homeAddress = at + 8;
    this.destination = this.routedTo = at + 24;
    let next = bytes[at + 6];
    at += 40;
    // RFC 8200 4.1: hop-by-hop options, routing, fragment, destination options.
    while (next === 0 || next === 43 || next === 44 || next === 60) {
      this.extended = true;
      if (at + 8 > this.#end) return;
      const size = next === 44 ? 8 : (bytes[at + 1] + 1) * 8;
      if (next === 44 && (this.u16(at + 2) & 0xfff9) !== 0) return;
      if (at + size > this.#end) return;
      if (next === 43 && bytes[at + 2] === 2 && size === 24) this.routedTo = at + 8;
      else if (next === 60) this.#readDestinationOptions(at + 2, at + size);
      next = bytes[at];
      at += size;
    }
    this.#transport(next, at);
  }

  #readDestinationOptions(at: number, end: number): void {
    const { bytes } = this;
    while (at < end) {
      if (bytes[at] === 0) {
        at++;
        continue;
      }
      if (at + 2 > end) return;
      if (bytes[at] === HOME_ADDRESS_OPTION && bytes[at + 1] === 16 && at + 18 <= end)
        this.homeAddress = at + 2;
      at += 2 + bytes[at + 1];
    }
  }

  #transport(protocol: number, at: number): void {
    if ((protocol !== TCP && protocol !== UDP) || at + (protocol === TCP ? 20 : 8) > this.#end) return;
    this.protocol = protocol;
    this.ports = at;
  }
}

const EMPTY = new Uint8Array(0);
