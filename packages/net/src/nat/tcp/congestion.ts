/** Segments of the initial window (RFC 6928). */
const INITIAL_SEGMENTS = 10;
const DUPLICATES = 3;

/** Slow start, congestion avoidance, fast retransmit and recovery (RFC 5681, RFC 6582), in bytes. */
export class Congestion {
  window: number;
  #threshold = Infinity;
  #duplicates = 0;
  recovering = false;

  constructor(readonly segment: number) {
    this.window = segment * INITIAL_SEGMENTS;
  }

  /** New data was acknowledged outside recovery. `limit` is what the peer's window lets grow. */
  acknowledged(bytes: number, limit: number): void {
    this.#duplicates = 0;
    if (this.window >= limit * 2) return;
    if (this.window < this.#threshold) this.window += Math.min(bytes, 2 * this.segment);
    else this.window += Math.max(1, Math.floor((this.segment * this.segment) / this.window));
  }

  /** A duplicate acknowledgment came; true: the first missing segment is to be sent again (RFC 5681 3.2). */
  duplicate(inFlight: number): boolean {
    this.#duplicates++;
    if (this.recovering) {
      this.window += this.segment;
      return false;
    }
    if (this.#duplicates !== DUPLICATES) return false;
    this.#threshold = Math.max(Math.floor(inFlight / 2), 2 * this.segment);
    this.window = this.#threshold + DUPLICATES * this.segment;
    this.recovering = true;
    return true;
  }

  /** A partial acknowledgment in recovery (RFC 6582 3.2 step 3). */
  partial(bytes: number): void {
    this.window = Math.max(this.segment, this.window - bytes + (bytes >= this.segment ? this.segment : 0));
  }

  /** Everything lost has been acknowledged. */
  recovered(): void {
    this.recovering = false;
    this.#duplicates = 0;
    this.window = Math.max(this.#threshold, 2 * this.segment);
  }

  /** The retransmission timer ran out (RFC 5681 3.1). */
  timedOut(inFlight: number): void {
    this.#threshold = Math.max(Math.floor(inFlight / 2), 2 * this.segment);
    this.window = this.segment;
    this.recovering = false;
    this.#duplicates = 0;
  }
}
