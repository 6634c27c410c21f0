import { bytesOf, latin1 } from '../hex.js';
import { framed, PacketReader } from '../packet.js';

/** GDB's side of a connection, for tests: sends packets and keeps what comes back. */
export class GdbClient {
  /** Everything that came, raw. */
  raw = '';
  readonly #send: (bytes: Uint8Array) => void;
  readonly #reader = new PacketReader(1 << 20);
  readonly #packets: string[] = [];
  readonly #waiting: ((packet: string) => void)[] = [];

  /** `send` takes the bytes for the stub. */
  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  /** Bytes from the stub. */
  receive(bytes: Uint8Array): void {
    this.raw += latin1(bytes);
    for (const received of this.#reader.feed(bytes)) {
      if (received.kind !== 'packet') continue;
      const text = latin1(received.data);
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#packets.push(text);
      else waiter(text);
    }
  }

  /** Bytes as they are, right or wrong. */
  sendRaw(bytes: Uint8Array | string): void {
    this.#send(typeof bytes === 'string' ? bytesOf(bytes) : bytes);
  }

  /** A packet, without waiting. */
  send(data: string | Uint8Array): void {
    this.#send(framed(data));
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.#send(Uint8Array.of(3));
  }

  /** The next packet from the stub. */
  next(): Promise<string> {
    const packet = this.#packets.shift();
    return packet === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(packet);
  }

  /** Sends a packet; the one that comes back. */
  ask(data: string | Uint8Array): Promise<string> {
    this.send(data);
    return this.next();
  }

  /** Packets that came and were not asked for. */
  get unread(): readonly string[] {
    return this.#packets;
  }
}
