import type { Clock, SnapshotValue } from '@vmloom/device';
import { get16, put16, type Ipv4Address } from './bytes.js';
import { IP_AT, PacketBuffer } from './buffer.js';
import { finish, pseudoHeader, sumWords } from './checksum.js';
import type { Icmp } from './icmp.js';
import { PROTOCOL_UDP, type Ipv4, type Ipv4Header } from './ipv4.js';
import type { NatConfig } from './options.js';
import type { Arrivals, OutsideNetwork } from './outside-network.js';
import type { Routes } from './routes.js';

const UDP_HEADER = 8;
/** Bytes of the longest datagram over IPv4. */
const MAX_PAYLOAD = 65_535 - 20 - UDP_HEADER;

/** One endpoint of a guest and the host socket that speaks for it (RFC 4787 4.1: endpoint-independent). */
interface Flow {
  readonly id: number;
  readonly guest: Ipv4Address;
  readonly port: number;
  /** Of the host's socket; 0 while unknown. */
  localPort: number;
  used: number;
}

/** An outside peer of a forwarded port. */
interface Peer {
  readonly forward: number;
  readonly address: string;
  readonly port: number;
  /** As the guest sees it. */
  readonly source: Ipv4Address;
  used: number;
}

/** UDP (RFC 768) between guests and sockets of the host. */
export class UdpNat {
  readonly #flows = new Map<number, Flow>();
  readonly #byEndpoint = new Map<number, Flow>();
  readonly #peers = new Map<string, Peer>();
  readonly #scratch = new PacketBuffer();

  constructor(
    readonly config: NatConfig,
    readonly clock: Clock,
    readonly ip: Ipv4,
    readonly icmp: Icmp,
    readonly routes: Routes,
    readonly outside: () => Omit<OutsideNetwork, 'start' | 'close' | 'settled'>,
    readonly newFlow: () => number,
  ) {}

  /** Flows and forwarded peers. */
  get count(): number {
    return this.#flows.size + this.#peers.size;
  }

  /** A sound datagram from a guest to the outside. */
  receive(header: Ipv4Header, datagram: Uint8Array): void {
    const { source, destination } = header;
    const port = get16(datagram, 0);
    const remotePort = get16(datagram, 2);
    const peer =
      this.#peers.size > 0 ? this.#peers.get(peerKey(source, port, destination, remotePort)) : undefined;
    if (peer !== undefined) {
      peer.used = this.clock.now;
      this.outside().forwardSend(peer.forward, peer.address, peer.port, payloadOf(datagram));
      return;
    }
    const route = this.routes.outward(destination, remotePort);
    if ('failure' in route) {
      this.icmp.unreachable(route.failure, PROTOCOL_UDP, source, destination, datagram);
      return;
    }
    const flow = this.#flowOf(source, port);
    flow.used = this.clock.now;
    this.outside().udpSend(flow.id, route.address, remotePort, payloadOf(datagram));
  }

  bound({ flow: id, port }: Arrivals['udp-bound']): void {
    const flow = this.#flows.get(id);
    if (flow !== undefined) flow.localPort = port;
  }

  data({ flow: id, address, port, bytes }: Arrivals['udp-data']): void {
    const flow = this.#flows.get(id);
    if (flow === undefined) return;
    flow.used = this.clock.now;
    this.send(this.routes.inward(address), port, flow.guest, flow.port, bytes);
  }

  failed({ flow: id, address, port, failure }: Arrivals['udp-failed']): void {
    const flow = this.#flows.get(id);
    if (flow === undefined) return;
    const beginning = new Uint8Array(UDP_HEADER);
    put16(beginning, 0, flow.port);
    put16(beginning, 2, port);
    put16(beginning, 4, UDP_HEADER);
    this.icmp.unreachable(failure, PROTOCOL_UDP, flow.guest, this.routes.inward(address), beginning);
  }

  /** A datagram came to a forwarded port. */
  forwardData({ forward, address, port, bytes }: Arrivals['forward-data']): void {
    const rule = this.config.forwards[forward];
    if (rule === undefined) return;
    const source = this.routes.inward(address);
    const key = peerKey(rule.guestAddress, rule.guestPort, source, port);
    let peer = this.#peers.get(key);
    if (peer === undefined) {
      if (this.#peers.size >= this.config.maxFlows) evictOldest(this.#peers);
      peer = { forward, address, port, source, used: 0 };
      this.#peers.set(key, peer);
    }
    peer.used = this.clock.now;
    this.send(source, port, rule.guestAddress, rule.guestPort, bytes);
  }

  /** Sends a datagram to a guest; `to` is its MAC where it cannot be looked up yet. */
  send(
    source: Ipv4Address,
    sourcePort: number,
    guest: Ipv4Address,
    port: number,
    payload: Uint8Array,
    to?: Uint8Array,
  ): void {
    if (payload.length > MAX_PAYLOAD) return;
    const length = UDP_HEADER + payload.length;
    const { bytes, words } = this.#scratch;
    put16(bytes, IP_AT, sourcePort);
    put16(bytes, IP_AT + 2, port);
    put16(bytes, IP_AT + 4, length);
    put16(bytes, IP_AT + 6, 0);
    bytes.set(payload, IP_AT + UDP_HEADER);
    const sum = finish(
      sumWords(words, bytes, IP_AT, length, pseudoHeader(source, guest, PROTOCOL_UDP, length)),
    );
    // RFC 768: a sum of 0 is sent as all ones, 0 means none.
    put16(bytes, IP_AT + 6, sum === 0 ? 0xffff : sum);
    this.ip.send(PROTOCOL_UDP, source, guest, bytes.subarray(IP_AT, IP_AT + length), to);
  }

  /** Ends what has not been used for long. */
  expire(): void {
    const limit = this.clock.now - this.config.udpIdle;
    for (const flow of this.#flows.values()) if (flow.used <= limit) this.#close(flow);
    for (const [key, peer] of this.#peers) if (peer.used <= limit) this.#peers.delete(key);
  }

  save(): SnapshotValue {
    return {
      flows: [...this.#flows.values()].map((flow) => ({ ...flow })),
      peers: [...this.#peers].map(([key, peer]) => ({ key, ...peer })),
    };
  }

  /** Opens every flow's socket again, at its old port where that is free. */
  restore(saved: SnapshotValue): void {
    const { flows, peers } = saved as unknown as { flows: Flow[]; peers: (Peer & { key: string })[] };
    for (const flow of this.#flows.values()) this.outside().udpClose(flow.id);
    this.#flows.clear();
    this.#byEndpoint.clear();
    this.#peers.clear();
    for (const flow of flows) {
      this.#add({ ...flow });
      this.outside().udpOpen(flow.id, flow.localPort);
    }
    for (const { key, ...peer } of peers) this.#peers.set(key, peer);
  }

  #flowOf(guest: Ipv4Address, port: number): Flow {
    const known = this.#byEndpoint.get(guest * 0x1_0000 + port);
    if (known !== undefined) return known;
    if (this.#flows.size >= this.config.maxFlows) {
      let oldest: Flow | undefined;
      for (const flow of this.#flows.values())
        if (oldest === undefined || flow.used < oldest.used) oldest = flow;
      this.#close(oldest!);
    }
    const flow = { id: this.newFlow(), guest, port, localPort: 0, used: this.clock.now };
    this.#add(flow);
    this.outside().udpOpen(flow.id);
    return flow;
  }

  #add(flow: Flow): void {
    this.#flows.set(flow.id, flow);
    this.#byEndpoint.set(flow.guest * 0x1_0000 + flow.port, flow);
  }

  #close(flow: Flow): void {
    this.#flows.delete(flow.id);
    this.#byEndpoint.delete(flow.guest * 0x1_0000 + flow.port);
    this.outside().udpClose(flow.id);
  }
}

/**
 * The datagram in the payload of an IP packet, or undefined when it is not sound: lengths that lie, a wrong
 * checksum. It lies at an even place of `buffer`.
 */
export function readDatagram(
  header: Ipv4Header,
  buffer: PacketBuffer,
  at: number,
  length: number,
): Uint8Array | undefined {
  if (length < UDP_HEADER) return undefined;
  const { bytes, words } = buffer;
  const own = get16(bytes, at + 4);
  if (own < UDP_HEADER || own > length) return undefined;
  const checked = get16(bytes, at + 6) !== 0;
  const pseudo = pseudoHeader(header.source, header.destination, PROTOCOL_UDP, own);
  if (checked && finish(sumWords(words, bytes, at, own, pseudo)) !== 0) return undefined;
  return bytes.subarray(at, at + own);
}

const payloadOf = (datagram: Uint8Array): Uint8Array => datagram.slice(UDP_HEADER);

const peerKey = (guest: number, port: number, remote: number, remotePort: number): string =>
  `${guest}:${port},${remote}:${remotePort}`;

function evictOldest(peers: Map<string, Peer>): void {
  let oldest: [string, Peer] | undefined;
  for (const entry of peers) if (oldest === undefined || entry[1].used < oldest[1].used) oldest = entry;
  if (oldest !== undefined) peers.delete(oldest[0]);
}
