import type { EventId } from '@vmloom/device';
import * as V from './codes.js';

/** Bytes that the guest may send before the host has taken them; and the host, before the guest has. */
export const BUFFER_SPACE = 256 * 1024;

export type ConnectionState =
  /** A program of the host asks, the guest has not answered. */
  | 'requested'
  /** The guest asks, the host has not answered. */
  | 'connecting'
  | 'open'
  /** The host is gone; the guest is yet to say so too. */
  | 'closing';

/** One stream, with what the device owes the guest: a bounded set of packets that wait for receive buffers. */
export class Connection {
  /** Packets owed, by operation. */
  readonly owed = new Set<number>();
  /** The guest's shutdown flags, and ours. */
  guestShutdown = 0;
  shutdown = 0;
  /** No more comes from the host. */
  ended = false;
  linger: EventId = 0;
  /** Data for the guest, in the pieces in which it came. */
  readonly #waiting: Uint8Array[] = [];
  /** Bytes of the first piece that have been sent. */
  #sentOfFirst = 0;
  #waitingBytes = 0;
  // Free-running counters of 32 bits (5.10.6.3).
  #sent = 0;
  #received = 0;
  #forwarded = 0;
  #toldForwarded = 0;
  #guestSpace = 0;
  #guestForwarded = 0;
  /** The guest was asked for credit and has not answered. */
  #asked = false;

  constructor(
    readonly id: number,
    readonly guestPort: number,
    readonly hostPort: number,
    public state: ConnectionState,
  ) {}

  /** Bytes that wait for the guest. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** What the guest has room for. */
  get credit(): number {
    return Math.max(0, this.#guestSpace - ((this.#sent - this.#guestForwarded) >>> 0));
  }

  /** `fwd_cnt`, which is told with every packet. */
  tellForwarded(): number {
    this.#toldForwarded = this.#forwarded;
    this.owed.delete(V.OP_CREDIT_UPDATE);
    return this.#forwarded;
  }

  /** Every packet of the guest says what room it has. */
  hear(space: number, forwarded: number): void {
    this.#guestSpace = space;
    this.#guestForwarded = forwarded;
    // Asked again only when it has run out again: a guest that has no room says so without end otherwise.
    if (this.credit > 0) {
      this.#asked = false;
      this.owed.delete(V.OP_CREDIT_REQUEST);
    }
  }

  /** The guest sent so many bytes; false: more than it was given room for. */
  receive(bytes: number): boolean {
    if (((this.#received - this.#forwarded) >>> 0) + bytes > BUFFER_SPACE) return false;
    this.#received = (this.#received + bytes) >>> 0;
    return true;
  }

  /** The host took so many bytes. The guest is told when it believes that half of the room is gone. */
  forward(bytes: number): void {
    this.#forwarded = (this.#forwarded + bytes) >>> 0;
    if ((this.#received - this.#toldForwarded) >>> 0 >= BUFFER_SPACE / 2) this.owed.add(V.OP_CREDIT_UPDATE);
  }

  /** Data from the host. */
  enqueue(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** The guest receives no more. */
  discard(): void {
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#sentOfFirst = 0;
  }

  /** What is to be sent next; 0: nothing. */
  next(): number {
    for (const op of [V.OP_RST, V.OP_REQUEST, V.OP_RESPONSE, V.OP_CREDIT_UPDATE])
      if (this.owed.has(op)) return op;
    if (this.state !== 'open' && this.state !== 'closing') return 0;
    if (this.#waitingBytes > 0) {
      if (this.credit > 0) return V.OP_RW;
      if (!this.#asked) this.owed.add(V.OP_CREDIT_REQUEST);
      return this.owed.has(V.OP_CREDIT_REQUEST) ? V.OP_CREDIT_REQUEST : 0;
    }
    const wanted = this.state === 'closing' ? V.SHUTDOWN_BOTH : this.ended ? V.SHUTDOWN_SEND : 0;
    return (wanted & ~this.shutdown) !== 0 ? V.OP_SHUTDOWN : 0;
  }

  /** A control packet was sent. */
  done(op: number): void {
    this.owed.delete(op);
    if (op === V.OP_CREDIT_REQUEST) this.#asked = true;
    if (op === V.OP_SHUTDOWN) this.shutdown = this.state === 'closing' ? V.SHUTDOWN_BOTH : V.SHUTDOWN_SEND;
  }

  /** Hands up to `length` waiting bytes over in pieces; how many. */
  take(length: number, give: (piece: Uint8Array) => void): number {
    let left = Math.min(length, this.#waitingBytes, this.credit);
    const taken = left;
    while (left > 0) {
      const [first] = this.#waiting;
      const size = Math.min(left, first.length - this.#sentOfFirst);
      give(first.subarray(this.#sentOfFirst, this.#sentOfFirst + size));
      left -= size;
      this.#sentOfFirst += size;
      if (this.#sentOfFirst < first.length) continue;
      this.#waiting.shift();
      this.#sentOfFirst = 0;
    }
    this.#waitingBytes -= taken;
    this.#sent = (this.#sent + taken) >>> 0;
    return taken;
  }
}
