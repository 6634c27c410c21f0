import type { SnapshotValue } from '@vmloom/device';
import { ETHERTYPE_ARP } from '../ethernet.js';
import { get16, get32, put16, put32, type Ipv4Address } from './bytes.js';
import { FRAME_AT, IP_AT } from './buffer.js';
import type { NatConfig } from './options.js';
import type { Output } from './output.js';

const ARP_LENGTH = 28;
const REQUEST = 1;
const REPLY = 2;
/** Guests that are remembered. */
const CAPACITY = 4096;
/** Packets kept for a guest whose address is being asked for (RFC 1122 2.3.2.2). */
const KEPT = 8;
const SECOND = 1e9;

interface Entry {
  mac: Uint8Array | undefined;
  askedAt: number;
  waiting: { readonly bytes: Uint8Array; readonly type: number }[];
}

/** ARP (RFC 826) for the addresses of the NAT, and the guests' addresses as it learns them. */
export class Arp {
  readonly #entries = new Map<Ipv4Address, Entry>();

  constructor(
    readonly config: NatConfig,
    readonly output: Output,
  ) {}

  /** True for the NAT's own addresses. */
  own(address: Ipv4Address): boolean {
    return address === this.config.gateway || address === this.config.dns;
  }

  /** A guest's address, if it is known. */
  lookup(address: Ipv4Address): Uint8Array | undefined {
    return this.#entries.get(address)?.mac;
  }

  /** Notes a guest's address; only ones of the network that are not the NAT's own. */
  learn(address: Ipv4Address, bytes: Uint8Array, at: number): void {
    const { network, mask, broadcast } = this.config;
    if ((address & mask) >>> 0 !== network || address === network || address === broadcast) return;
    if (this.own(address) || (bytes[at] & 1) !== 0) return;
    let entry = this.#entries.get(address);
    if (entry === undefined) {
      if (this.#entries.size >= CAPACITY) return;
      entry = { mac: undefined, askedAt: -Infinity, waiting: [] };
      this.#entries.set(address, entry);
    }
    if (entry.mac === undefined) entry.mac = bytes.slice(at, at + 6);
    else for (let index = 0; index < 6; index++) entry.mac[index] = bytes[at + index]!;
    if (entry.waiting.length === 0) return;
    for (const { bytes: packet, type } of entry.waiting.splice(0)) {
      this.output.buffer.bytes.set(packet, IP_AT);
      this.output.queue(entry.mac, type, packet.length);
    }
  }

  /** An ARP packet of `length` bytes at `at`. */
  receive(bytes: Uint8Array, at: number, length: number): void {
    if (length < ARP_LENGTH) return;
    if (get16(bytes, at) !== 1 || get16(bytes, at + 2) !== 0x0800 || get16(bytes, at + 4) !== 0x0604) return;
    const operation = get16(bytes, at + 6);
    const sender = get32(bytes, at + 14);
    const target = get32(bytes, at + 24);
    // A probe (RFC 5227) has no sender address and must not be learned.
    if (sender !== 0) this.learn(sender, bytes, at + 8);
    if (operation !== REQUEST || !this.own(target)) return;
    const asker = bytes.slice(at + 8, at + 14);
    this.#write(REPLY, target, asker, sender);
    this.output.queue(asker, ETHERTYPE_ARP, ARP_LENGTH);
  }

  /** Asks for a guest, once a second at most; the packet in the output buffer, if any, waits for the answer. */
  ask(address: Ipv4Address, now: number, type = 0, length = 0): void {
    let entry = this.#entries.get(address);
    if (entry === undefined) {
      if (this.#entries.size >= CAPACITY) return;
      entry = { mac: undefined, askedAt: -Infinity, waiting: [] };
      this.#entries.set(address, entry);
    }
    if (length > 0) {
      if (entry.waiting.length === KEPT) entry.waiting.shift();
      entry.waiting.push({ bytes: this.output.buffer.bytes.slice(IP_AT, IP_AT + length), type });
    }
    if (now - entry.askedAt < SECOND) return;
    entry.askedAt = now;
    this.#write(REQUEST, this.config.gateway, ANY, address);
    this.output.queue(BROADCAST, ETHERTYPE_ARP, ARP_LENGTH);
  }

  save(): SnapshotValue {
    return [...this.#entries].flatMap(([address, { mac }]) =>
      mac === undefined ? [] : [{ address, mac: mac.slice() }],
    );
  }

  restore(saved: SnapshotValue): void {
    this.#entries.clear();
    for (const { address, mac } of saved as unknown as { address: number; mac: Uint8Array }[]) {
      this.#entries.set(address, { mac: mac.slice(), askedAt: -Infinity, waiting: [] });
    }
  }

  #write(operation: number, sender: Ipv4Address, targetMac: Uint8Array, target: Ipv4Address): void {
    const { bytes } = this.output.buffer;
    put16(bytes, IP_AT, 1);
    put16(bytes, IP_AT + 2, 0x0800);
    put16(bytes, IP_AT + 4, 0x0604);
    put16(bytes, IP_AT + 6, operation);
    bytes.set(this.config.mac, IP_AT + 8);
    put32(bytes, IP_AT + 14, sender);
    bytes.set(targetMac, IP_AT + 18);
    put32(bytes, IP_AT + 24, target);
  }
}

const ANY = new Uint8Array(6);
export const BROADCAST = new Uint8Array(6).fill(0xff);
/** Where the source address of a received frame lies. */
export const SOURCE_MAC_AT = FRAME_AT + 6;
