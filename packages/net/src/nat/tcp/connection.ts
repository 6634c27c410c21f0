import { Congestion } from './congestion.js';
import { PeerWindow } from './peer-window.js';
import { ReceiveQueue } from './receive-queue.js';
import { RoundTrip } from './round-trip.js';
import { ACK, FIN, PSH, RST, SYN, type Segment } from './segment.js';
import { SendBuffer } from './send-buffer.js';
import { advance, distance, type Sequence } from './sequence.js';
import { OUR_SHIFT, RECEIVE_LIMIT, SEND_LIMIT, type ConnectionHost, type State } from './state.js';

/** RFC 9293 3.7.1: what a peer takes that does not say. */
const DEFAULT_MSS = 536;
/** A smaller offer would only make work. */
const LEAST_MSS = 64;
/** Retransmissions without progress before a connection is given up (RFC 9293 3.8.3, R2). */
const MAX_RETRIES = 12;
const MAX_SYN_RETRIES = 5;
/** Segments sent in one go, before other connections have their turn. */
const BURST = 64;

/**
 * One TCP connection (RFC 9293) with a guest, in which the NAT plays the remote host: what the guest sends
 * goes to a socket outside, what that socket receives goes to the guest. Memory is bounded both ways: the
 * window shrinks while the socket does not take data, and the socket gets no grant while the guest does not.
 */
export class Connection {
  state: State;
  /** Oldest unacknowledged, next to send, highest sent. */
  unacknowledged: Sequence;
  next: Sequence;
  highest: Sequence;
  receiveNext: Sequence = 0;
  /** Right edge of the window as last told; it never moves back (RFC 9293 3.8.6). */
  told: Sequence = 0;
  /** Bytes given to the outside that it has not sent yet. */
  backlog = 0;
  /** Acknowledge at the next output. */
  acknowledge = false;
  /** When the retransmission or probe timer runs out; Infinity when off. */
  deadline = Infinity;
  /** When something last happened. */
  used: number;
  /** In the list of those with something to send. */
  ready = false;
  /** Its timer event and that one's time. */
  timerEvent = 0;
  timerAt = Infinity;
  readonly timerArgs: { readonly flow: number };
  /** Our window is scaled: the guest sent the option too. */
  scaled = false;
  readonly buffer = new SendBuffer();
  readonly #early = new ReceiveQueue();
  readonly #roundTrip = new RoundTrip();
  #congestion: Congestion;
  #mss: number;
  /** Sequence number of the first byte in the buffer. */
  #base: Sequence;
  #peerShift = 0;
  readonly #window = new PeerWindow();
  /** The outside sends no more: FIN follows the buffer. */
  #ended = false;
  /** Sequence of a FIN that came early, or -1. */
  #earlyEnd = -1;
  /** Send the first unacknowledged segment again. */
  #resend = false;
  #recover: Sequence;
  #timed: Sequence = 0;
  #timedAt = -1;
  #ungranted = 0;
  #probing = false;
  /** Segments that came out of order since the last acknowledgment. */
  #duplicates = 0;
  /** Timeouts since the guest last answered with progress, or at all while its window is closed. */
  #unanswered = 0;

  constructor(
    readonly host: ConnectionHost,
    readonly id: number,
    readonly guest: number,
    readonly guestPort: number,
    readonly remote: number,
    readonly remotePort: number,
    readonly initial: Sequence,
    opened: 'guest' | 'outside',
  ) {
    this.state = opened === 'guest' ? 'connecting' : 'syn-sent';
    this.unacknowledged = this.next = this.highest = this.#recover = initial;
    this.#base = advance(initial, 1);
    this.#mss = Math.min(DEFAULT_MSS, host.mss);
    this.#congestion = new Congestion(this.#mss);
    this.used = host.now;
    this.timerArgs = { flow: id };
  }

  /** The window to tell the guest, in bytes, from `receiveNext` on. */
  get receiveWindow(): number {
    const free = Math.max(0, RECEIVE_LIMIT - this.backlog);
    return Math.max(free, distance(this.told, this.receiveNext));
  }

  /** The window field of a segment with these flags; notes what was told. */
  windowField(flags: number): number {
    const shift = this.scaled && (flags & SYN) === 0 ? OUR_SHIFT : 0;
    const field = Math.min(this.receiveWindow >>> shift, 0xffff);
    this.told = advance(this.receiveNext, Math.max(field << shift, distance(this.told, this.receiveNext)));
    return field;
  }

  get closed(): boolean {
    return this.state === 'closed';
  }

  /** The guest's SYN that began it. */
  begin(segment: Segment): void {
    this.#greet(segment);
  }

  /** The outside is connected: answer the guest's SYN. */
  connected(): void {
    if (this.state === 'connecting') this.state = 'syn-received';
  }

  /** Data from the outside. */
  write(bytes: Uint8Array): void {
    if (this.#ended || this.closed) return;
    this.used = this.host.now;
    this.buffer.append(bytes);
  }

  /** The outside sends no more. */
  end(): void {
    this.#ended = true;
  }

  /** So many bytes have left to the outside: the window may open. */
  drained(bytes: number): void {
    this.backlog = Math.max(0, this.backlog - bytes);
    const before = distance(this.told, this.receiveNext);
    const gain = RECEIVE_LIMIT - this.backlog - before;
    // RFC 9293 3.8.6.2.2: no update before it is worth a segment of the guest's.
    if (
      gain >= Math.min(RECEIVE_LIMIT / 2, 2 * this.host.mss) &&
      (before < RECEIVE_LIMIT / 2 || gain >= RECEIVE_LIMIT / 2)
    ) {
      this.acknowledge = true;
    }
  }

  /** A segment from the guest (RFC 9293 3.10.7). False: it is answered by a reset from its own numbers. */
  receive(segment: Segment): boolean {
    if (this.state === 'connecting') {
      if (segment.has(RST) && segment.sequence === this.receiveNext) this.#abort();
      return true;
    }
    if (this.state === 'syn-sent') return this.#receiveInSynSent(segment);
    this.used = this.host.now;
    if (!this.#acceptable(segment)) {
      if (!segment.has(RST)) this.acknowledge = true;
      return true;
    }
    if (segment.has(RST)) {
      // RFC 5961 3.2: only the exact number resets, others within the window are challenged.
      if (segment.sequence === this.receiveNext) this.#abort();
      else this.acknowledge = true;
      return true;
    }
    if (segment.has(SYN)) {
      this.acknowledge = true;
      return true;
    }
    if (!segment.has(ACK)) return true;
    if (this.state === 'syn-received') {
      if (!this.#acknowledgesNew(segment)) return false;
      this.#establish();
    }
    if (!this.#receiveAcknowledgment(segment)) return true;
    if (segment.dataLength > 0) this.#receiveData(segment);
    if (segment.has(FIN)) this.#noteEnd(advance(segment.sequence, segment.dataLength));
    this.#receiveEnd();
    return true;
  }

  /** Sends what may be sent. `again`: there is more; `blocked`: the port takes none now. */
  output(): 'done' | 'again' | 'blocked' {
    const { host } = this;
    if (this.closed || this.state === 'connecting') return 'done';
    if (this.#opening) {
      if (this.next === this.initial || this.acknowledge) {
        const flags = this.state === 'syn-sent' ? SYN : SYN | ACK;
        if (!host.transmit(this, flags, this.initial, 0, 0)) return 'blocked';
        this.#sent(advance(this.initial, 1));
      }
      return 'done';
    }
    if (this.#resend) {
      const length = Math.min(this.#mss, this.buffer.length);
      const last = this.#ended && length === this.buffer.length;
      const flags = ACK | (last && distance(this.highest, this.#endSequence) > 0 ? FIN : 0);
      if (!host.transmit(this, flags, this.unacknowledged, 0, length)) return 'blocked';
      this.#resend = false;
      this.#timedAt = -1;
    }
    for (let count = 0; count < BURST; count++) {
      const result = this.#outputNext();
      if (result !== 'again') {
        return result === 'done' ? this.#outputAcknowledgments() : result;
      }
    }
    return 'again';
  }

  /** The timer ran out. */
  timeout(): void {
    this.deadline = Infinity;
    if (this.closed) return;
    const opening = this.#opening;
    if (this.#unanswered++ >= (opening ? MAX_SYN_RETRIES : MAX_RETRIES)) {
      this.#abort();
      return;
    }
    this.#roundTrip.backOff();
    this.#timedAt = -1;
    if (!opening && this.#window.size === 0) this.#probing = true;
    else if (!opening) this.#congestion.timedOut(distance(this.next, this.unacknowledged));
    this.#recover = this.highest;
    this.#resend = false;
    this.next = this.unacknowledged;
  }

  /** Ends it at once. */
  close(): void {
    this.state = 'closed';
    this.deadline = Infinity;
    this.buffer.clear();
    this.#early.clear();
  }

  /** Our SYN is not acknowledged. */
  get #opening(): boolean {
    return this.state === 'syn-sent' || this.state === 'syn-received';
  }

  /** Sequence number of our FIN. */
  get #endSequence(): Sequence {
    return advance(this.#base, this.buffer.length);
  }

  #abort(): void {
    this.host.abort(this);
    this.close();
  }

  #greet(segment: Segment): void {
    this.receiveNext = advance(segment.sequence, 1);
    this.told = this.receiveNext;
    this.#mss = Math.max(LEAST_MSS, Math.min(segment.mss === 0 ? DEFAULT_MSS : segment.mss, this.host.mss));
    this.#congestion = new Congestion(this.#mss);
    // RFC 7323 2.2: scaling is on only when both SYNs carry the option.
    this.scaled = segment.windowShift >= 0;
    this.#peerShift = this.scaled ? segment.windowShift : 0;
    this.#setWindow(segment.window, segment);
  }

  #setWindow(window: number, segment: Segment): void {
    if (this.#window.size === 0 && window > 0 && !this.#opening) {
      // What probes sent may have been refused: begin again where the guest is.
      this.#probing = false;
      this.#roundTrip.progress();
      this.deadline = Infinity;
      this.next = this.unacknowledged;
    }
    this.#window.set(window, segment);
  }

  #receiveInSynSent(segment: Segment): boolean {
    const acknowledges = segment.has(ACK) && this.#acknowledgesNew(segment);
    if (segment.has(ACK) && !acknowledges) return segment.has(RST);
    if (segment.has(RST)) {
      if (acknowledges) this.#abort();
      return true;
    }
    if (!segment.has(SYN)) return true;
    this.#greet(segment);
    this.acknowledge = true;
    if (acknowledges) {
      this.unacknowledged = segment.acknowledgment;
      this.#establish();
    } else {
      // Both opened at once (RFC 9293 3.5): answer with SYN and ACK.
      this.state = 'syn-received';
      this.next = this.initial;
    }
    return true;
  }

  #establish(): void {
    this.state = 'established';
    this.#roundTrip.progress();
    this.#unanswered = 0;
    this.deadline = Infinity;
    this.host.grant(this, SEND_LIMIT);
  }

  #acknowledgesNew(segment: Segment): boolean {
    return (
      distance(segment.acknowledgment, this.unacknowledged) > 0 &&
      distance(segment.acknowledgment, this.highest) <= 0
    );
  }

  /** RFC 9293 3.10.7.4, first: some part of the segment lies in the window. */
  #acceptable(segment: Segment): boolean {
    const start = distance(segment.sequence, this.receiveNext);
    const window = Math.max(0, distance(this.told, this.receiveNext));
    const { span } = segment;
    if (window === 0 && start === 0) {
      // Nothing of it fits, but its acknowledgment and reset count.
      segment.dataLength = 0;
      segment.flags &= ~FIN;
      if (span > 0) this.acknowledge = true;
      return true;
    }
    return segment.overlaps(this.receiveNext, window);
  }

  /** False: nothing more of the segment counts. */
  #receiveAcknowledgment(segment: Segment): boolean {
    const { acknowledgment } = segment;
    if (distance(acknowledgment, this.highest) > 0) {
      this.acknowledge = true;
      return false;
    }
    const window = segment.window << this.#peerShift;
    // RFC 9293 3.8.6.1: while probes are answered the connection stays open.
    if (window === 0) this.#unanswered = 0;
    const acked = distance(acknowledgment, this.unacknowledged);
    if (acked > 0) this.#advance(acknowledgment, acked);
    else if (
      acked === 0 &&
      segment.span === 0 &&
      window === this.#window.size &&
      window > 0 &&
      distance(this.highest, this.unacknowledged) > 0
    ) {
      if (this.#congestion.duplicate(distance(this.next, this.unacknowledged))) {
        this.#recover = this.highest;
        this.#resend = true;
      }
    }
    if (acked >= 0 && this.#window.newer(segment)) this.#setWindow(window, segment);
    return !this.closed;
  }

  #advance(acknowledgment: Sequence, acked: number): void {
    const { host } = this;
    if (this.#timedAt >= 0 && distance(acknowledgment, this.#timed) >= 0) {
      this.#roundTrip.measure(host.now - this.#timedAt);
      this.#timedAt = -1;
    }
    this.#roundTrip.progress();
    this.#unanswered = 0;
    const dataAcked = Math.min(Math.max(0, distance(acknowledgment, this.#base)), this.buffer.length);
    const endAcked = this.#ended && distance(acknowledgment, this.#endSequence) > 0;
    this.buffer.drop(dataAcked);
    this.#base = advance(this.#base, dataAcked);
    this.unacknowledged = acknowledgment;
    if (distance(this.next, acknowledgment) < 0) this.next = acknowledgment;
    this.#grantMore(dataAcked);
    if (this.#congestion.recovering) {
      if (distance(acknowledgment, this.#recover) >= 0) this.#congestion.recovered();
      else {
        this.#congestion.partial(acked);
        this.#resend = true;
      }
    } else this.#congestion.acknowledged(acked, this.#window.largest);
    const inFlight = distance(this.highest, acknowledgment) > 0;
    this.deadline = inFlight ? host.now + this.#roundTrip.timeout : Infinity;
    if (!endAcked) return;
    if (this.state === 'fin-wait-1') this.state = 'fin-wait-2';
    else if (this.state === 'closing') this.state = 'time-wait';
    else if (this.state === 'last-ack') this.close();
  }

  #grantMore(bytes: number): void {
    this.#ungranted += bytes;
    if (this.#ended || this.#ungranted === 0) return;
    if (this.#ungranted < SEND_LIMIT / 8 && this.buffer.length > 0) return;
    this.host.grant(this, this.#ungranted);
    this.#ungranted = 0;
  }

  #receiveData(segment: Segment): void {
    if (this.state !== 'established' && this.state !== 'fin-wait-1' && this.state !== 'fin-wait-2') return;
    const late = Math.max(0, distance(this.receiveNext, segment.sequence));
    const start = distance(segment.sequence, this.receiveNext) + late;
    const room = distance(this.told, this.receiveNext) - start;
    const length = Math.min(segment.dataLength - late, room);
    if (length < segment.dataLength - late) segment.flags &= ~FIN;
    this.acknowledge = true;
    if (length <= 0) return;
    const at = segment.dataAt + late;
    if (start > 0) {
      this.#duplicates++;
      this.#early.add(advance(segment.sequence, late), segment.bytes, at, length);
      return;
    }
    this.#deliver(segment.bytes.slice(at, at + length));
    for (let bytes = this.#early.take(this.receiveNext); bytes !== undefined;) {
      this.#deliver(bytes);
      bytes = this.#early.take(this.receiveNext);
    }
  }

  #deliver(bytes: Uint8Array): void {
    this.receiveNext = advance(this.receiveNext, bytes.length);
    this.backlog += bytes.length;
    this.host.deliver(this, bytes);
  }

  #noteEnd(sequence: Sequence): void {
    this.acknowledge = true;
    if (this.#earlyEnd < 0) this.#earlyEnd = sequence;
  }

  #receiveEnd(): void {
    if (this.#earlyEnd !== this.receiveNext || this.#earlyEnd < 0) return;
    if (this.state === 'established') this.state = 'close-wait';
    else if (this.state === 'fin-wait-1') this.state = 'closing';
    else if (this.state === 'fin-wait-2') this.state = 'time-wait';
    else return;
    this.receiveNext = advance(this.receiveNext, 1);
    this.#earlyEnd = -1;
    this.acknowledge = true;
    this.host.deliverEnd(this);
  }

  #outputNext(): 'done' | 'again' | 'blocked' {
    if (this.state === 'time-wait' || this.state === 'fin-wait-2') return 'done';
    const offset = distance(this.next, this.#base);
    const available = this.buffer.length - offset;
    // The FIN has been sent and is not due again.
    if (available < 0) return 'done';
    const inFlight = distance(this.next, this.unacknowledged);
    const usable = Math.min(this.#window.size, this.#congestion.window) - inFlight;
    const length = Math.max(0, Math.min(available, this.#mss, usable));
    if (this.#probing && available > 0 && usable <= 0 && inFlight <= 1) {
      // RFC 9293 3.8.6.1: one byte beyond the window asks whether it has opened.
      if (!this.host.transmit(this, ACK, this.unacknowledged, 0, 1)) return 'blocked';
      this.#probing = false;
      this.#sent(advance(this.unacknowledged, 1));
      return 'done';
    }
    const end = this.#ended && length === available && (available > 0 || usable > 0 || inFlight === 0);
    if (length === 0 && !end) {
      if (available > 0 && inFlight === 0 && this.deadline === Infinity) {
        this.deadline = this.host.now + this.#roundTrip.timeout;
      }
      return 'done';
    }
    // RFC 9293 3.8.6.2.1: no small segments while more data waits, unless they fill half the window.
    if (length < this.#mss && length < available && inFlight > 0 && length < this.#window.largest / 2)
      return 'done';
    const flags = ACK | (end ? FIN : 0) | (length > 0 && length === available ? PSH : 0);
    if (!this.host.transmit(this, flags, this.next, offset, length)) return 'blocked';
    if (end) this.#ending();
    this.#sent(advance(this.next, length + (end ? 1 : 0)));
    return length === available ? 'done' : 'again';
  }

  /** One for all that came, and one for each segment out of order, for the guest counts those (RFC 5681 4.2). */
  #outputAcknowledgments(): 'done' | 'blocked' {
    // Not `next`: that goes back on a timeout, and the guest ignores what lies behind its window. A closed
    // window accepts its left edge only.
    const sequence = this.#window.size === 0 ? this.unacknowledged : this.highest;
    for (let count = Math.max(this.acknowledge ? 1 : 0, this.#duplicates); count > 0; count--) {
      if (!this.host.transmit(this, ACK, sequence, 0, 0)) return 'blocked';
      if (this.#duplicates > 0) this.#duplicates--;
    }
    return 'done';
  }

  #ending(): void {
    if (this.state === 'established') this.state = 'fin-wait-1';
    else if (this.state === 'close-wait') this.state = 'last-ack';
  }

  /** A segment up to `end` was sent: the timer runs, a round trip may be measured. */
  #sent(end: Sequence): void {
    const { now } = this.host;
    if (distance(end, this.highest) > 0) {
      if (this.#timedAt < 0 && this.next === this.highest) {
        this.#timed = end;
        this.#timedAt = now;
      }
      this.highest = end;
    }
    this.next = end;
    if (this.deadline === Infinity) this.deadline = now + this.#roundTrip.timeout;
  }
}
