import type { Clock, EventOwner } from '@vmloom/device';
import { parseIpv4 } from '../nat/bytes.js';
import { decodeFrame, tcpSegment, type Decoded } from './packets.js';
import type { TestGuest } from './guest.js';

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const MSS = 1460;
const SHIFT = 7;

/**
 * A guest's side of one TCP connection for tests, over a wire that loses nothing: no timers, no
 * retransmission. What it sends and acknowledges leaves by events, so a run repeats on a replay.
 */
export class TcpClient implements EventOwner {
  readonly name: string;
  readonly received: Uint8Array[] = [];
  receivedBytes = 0;
  /** Reads nothing while true: its window stays closed. */
  closedWindow = false;
  connected = false;
  reset = false;
  /** The NAT's FIN has come. */
  ended = false;
  #next: number;
  #acknowledged: number;
  #receiveNext = 0;
  #window = 0;
  #shift = 0;
  #queue: Uint8Array = new Uint8Array(0);
  #closing = false;
  #finSent = false;
  #scheduled = false;

  constructor(
    readonly guest: TestGuest,
    readonly clock: Clock,
    readonly address: string,
    readonly port: number,
    readonly localPort: number,
  ) {
    this.name = `tcp-client-${localPort}`;
    this.#next = this.#acknowledged = localPort * 100_000;
    clock.register(this);
  }

  /** Takes a frame that the guest received; true when it was for this connection. */
  take(bytes: Uint8Array): boolean {
    const { ip, tcp } = decodeFrame(bytes);
    if (ip === undefined || tcp === undefined) return false;
    if (parseIpv4(ip.from) !== parseIpv4(this.address)) return false;
    if (tcp.fromPort !== this.port || tcp.toPort !== this.localPort) return false;
    this.#receive(tcp);
    return true;
  }

  connect(): void {
    this.#send(SYN, new Uint8Array(0), Uint8Array.of(2, 4, MSS >> 8, MSS & 0xff, 1, 3, 3, SHIFT));
    this.#next++;
  }

  write(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#queue.length + bytes.length);
    joined.set(this.#queue);
    joined.set(bytes, this.#queue.length);
    this.#queue = joined;
    this.#later();
  }

  close(): void {
    this.#closing = true;
    this.#later();
  }

  /** Says how much it takes now. */
  announce(): void {
    this.#later();
  }

  onEvent(): void {
    this.#scheduled = false;
    if (!this.connected) return;
    let sent = false;
    while (this.#queue.length > 0) {
      const room = this.#window - (this.#next - this.#acknowledged);
      const part = this.#queue.subarray(0, Math.min(MSS, room));
      if (part.length === 0) break;
      if (!this.#send(ACK, part)) return;
      this.#next += part.length;
      this.#queue = this.#queue.subarray(part.length);
      sent = true;
    }
    if (this.#closing && !this.#finSent && this.#queue.length === 0) {
      this.#send(FIN | ACK);
      this.#finSent = sent = true;
      this.#next++;
    }
    if (!sent) this.#send(ACK);
  }

  #receive(tcp: NonNullable<Decoded['tcp']>): void {
    if (tcp.flags & RST) {
      this.reset = true;
      return;
    }
    if (tcp.flags & SYN) {
      this.#receiveNext = (tcp.sequence + 1) >>> 0;
      this.#shift = tcp.options.length > 4 ? tcp.options[7] : 0;
      this.connected = true;
    } else if (tcp.sequence === this.#receiveNext) {
      if (tcp.data.length > 0) {
        if (this.closedWindow) return this.#later();
        this.received.push(tcp.data);
        this.receivedBytes += tcp.data.length;
      }
      const end = tcp.flags & FIN ? 1 : 0;
      if (end === 1) this.ended = true;
      this.#receiveNext = (this.#receiveNext + tcp.data.length + end) >>> 0;
      if (tcp.data.length + end > 0) this.#later();
    }
    if (tcp.acknowledgment > this.#acknowledged) this.#acknowledged = tcp.acknowledgment;
    this.#window = tcp.flags & SYN ? tcp.window : tcp.window << this.#shift;
    if (this.#queue.length > 0 || tcp.flags & SYN) this.#later();
  }

  #later(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.clock.schedule(this, 'send', this.clock.now);
  }

  #send(
    flags: number,
    data: Uint8Array = new Uint8Array(0),
    options: Uint8Array = new Uint8Array(0),
  ): boolean {
    const segment = tcpSegment(this.guest.ip, this.address, {
      fromPort: this.localPort,
      toPort: this.port,
      sequence: this.#next,
      acknowledgment: flags & ACK ? this.#receiveNext : 0,
      flags,
      window: this.closedWindow ? 0 : flags & SYN ? 65_535 : (1 << 20) >> SHIFT,
      data,
      options,
    });
    return this.guest.push({ to: this.address, protocol: 6, payload: segment });
  }
}
