import type { Clock } from '@vmloom/device';
import { formatIpv4, put16, put32, type Ipv4Address } from './bytes.js';
import { IP_AT, type PacketBuffer } from './buffer.js';
import { checksumOf } from './checksum.js';
import { IPV4_HEADER, PROTOCOL_ICMP, type Ipv4, type Ipv4Header } from './ipv4.js';
import type { Failure, OutsideNetwork } from './outside-network.js';
import type { NatConfig } from './options.js';

const ECHO_REPLY = 0;
const UNREACHABLE = 3;
const ECHO = 8;
const TIME_EXCEEDED = 11;

// Codes of type 3 (RFC 792, RFC 1812 5.2.7.1).
const CODES: Readonly<Record<Failure, number>> = {
  'net-unreachable': 0,
  'host-unreachable': 1,
  timeout: 1,
  refused: 3,
  reset: 3,
  prohibited: 13,
};

/** Echoes that wait for the outside. */
const PENDING = 64;
/** Virtual time after which an unanswered echo is forgotten. */
const PATIENCE = 60e9;

interface Pending {
  readonly request: number;
  readonly since: number;
  readonly guest: Ipv4Address;
  readonly destination: Ipv4Address;
  /** The ICMP message as it came. */
  readonly message: Uint8Array;
}

/** ICMP (RFC 792): echo for the NAT's addresses, echo outside by the host's means, errors to guests. */
export class Icmp {
  readonly #pending = new Map<number, Pending>();
  #nextRequest = 1;

  constructor(
    readonly config: NatConfig,
    readonly clock: Clock,
    readonly ip: Ipv4,
    readonly outside: () => Pick<OutsideNetwork, 'ping'>,
  ) {}

  /** A message from a guest, whole and its IP header sound. */
  receive(header: Ipv4Header, message: Uint8Array): void {
    if (message.length < 8 || checksumOf(message) !== 0) return;
    if (message[0] !== ECHO || message[1] !== 0) return;
    const { source, destination, ttl } = header;
    if (destination === this.config.gateway || destination === this.config.dns) {
      this.#reply(source, destination, message);
      return;
    }
    const first = destination >>> 24;
    const inside = (destination & this.config.mask) >>> 0 === this.config.network;
    if (first === 0 || first === 127 || first >= 224) return;
    const original = originalOf(PROTOCOL_ICMP, source, destination, message);
    if (ttl <= 1) this.#error(TIME_EXCEEDED, 0, source, original);
    else if (inside || this.config.restrict) {
      this.#error(UNREACHABLE, CODES[inside ? 'host-unreachable' : 'prohibited'], source, original);
    } else {
      this.#expire();
      if (this.#pending.size >= PENDING) return;
      const request = this.#nextRequest++;
      this.#pending.set(request, {
        request,
        since: this.clock.now,
        guest: source,
        destination,
        message: message.slice(),
      });
      this.outside().ping(request, formatIpv4(destination), message.length - 8);
    }
  }

  /** The outside answered an echo. */
  pingResult(request: number, failure: Failure | ''): void {
    const pending = this.#pending.get(request);
    if (pending === undefined) return;
    this.#pending.delete(request);
    const { guest, destination, message } = pending;
    if (failure === '') this.#reply(guest, destination, message);
    else if (failure !== 'timeout') {
      this.#error(UNREACHABLE, CODES[failure], guest, originalOf(PROTOCOL_ICMP, guest, destination, message));
    }
  }

  /**
   * Tells a guest that its packet did not get there: `beginning` is at least the first 8 bytes of the
   * packet's payload.
   */
  unreachable(
    failure: Failure,
    protocol: number,
    guest: Ipv4Address,
    destination: Ipv4Address,
    beginning: Uint8Array,
  ): void {
    // RFC 1122 3.2.2: never about a packet to a group.
    if (destination >>> 24 >= 224) return;
    this.#error(UNREACHABLE, CODES[failure], guest, originalOf(protocol, guest, destination, beginning));
  }

  /** Tells a guest that its packet's time to live ran out; the packet lies in `buffer`. */
  timeExceeded(header: Ipv4Header, buffer: PacketBuffer): void {
    if (header.fragmentOffset !== 0 || header.destination >>> 24 >= 224) return;
    const end = IP_AT + Math.min(header.totalLength, header.headerLength + 8);
    this.#error(TIME_EXCEEDED, 0, header.source, buffer.bytes.slice(IP_AT, end));
  }

  /** Forgets what waits: the answers belong to another run. */
  reset(): void {
    this.#pending.clear();
  }

  get nextRequest(): number {
    return this.#nextRequest;
  }
  set nextRequest(value: number) {
    this.#nextRequest = value;
  }

  #expire(): void {
    for (const [request, pending] of this.#pending) {
      if (this.clock.now - pending.since < PATIENCE) return;
      this.#pending.delete(request);
    }
  }

  #reply(to: Ipv4Address, from: Ipv4Address, message: Uint8Array): void {
    const reply = message.slice();
    reply[0] = ECHO_REPLY;
    seal(reply);
    this.ip.send(PROTOCOL_ICMP, from, to, reply);
  }

  #error(type: number, code: number, guest: Ipv4Address, original: Uint8Array): void {
    const message = new Uint8Array(8 + original.length);
    message[0] = type;
    message[1] = code;
    message.set(original, 8);
    seal(message);
    this.ip.send(PROTOCOL_ICMP, this.config.gateway, guest, message);
  }
}

/** The IP header and first 8 bytes of a packet as its sender sent it, options apart. */
function originalOf(protocol: number, source: number, destination: number, payload: Uint8Array): Uint8Array {
  const original = new Uint8Array(IPV4_HEADER + 8);
  original[0] = 0x45;
  put16(original, 2, IPV4_HEADER + payload.length);
  original[8] = 64;
  original[9] = protocol;
  put32(original, 12, source);
  put32(original, 16, destination);
  put16(original, 10, checksumOf(original.subarray(0, IPV4_HEADER)));
  original.set(payload.subarray(0, 8), IPV4_HEADER);
  return original;
}

function seal(message: Uint8Array): void {
  put16(message, 2, 0);
  put16(message, 2, checksumOf(message));
}
