const SECOND = 1e9;
/** RFC 6298 2.4 rounds up to 1 s; 200 ms is common practice and kinder to a guest. */
const MIN_RTO = 0.2 * SECOND;
const MAX_RTO = 60 * SECOND;
const FIRST_RTO = SECOND;
const GRANULARITY = 1e6;

/** The retransmission timeout from measured round trips (RFC 6298), in nanoseconds. */
export class RoundTrip {
  #smoothed = -1;
  #variation = 0;
  #rto = FIRST_RTO;
  #backoff = 0;

  /** The present timeout, doubled for each retransmission (5.5). */
  get timeout(): number {
    return Math.min(MAX_RTO, this.#rto * 2 ** this.#backoff);
  }

  /** A round trip of a segment that was sent once (Karn's rule, 3). */
  measure(time: number): void {
    if (this.#smoothed < 0) {
      this.#smoothed = time;
      this.#variation = time / 2;
    } else {
      this.#variation += (Math.abs(this.#smoothed - time) - this.#variation) / 4;
      this.#smoothed += (time - this.#smoothed) / 8;
    }
    this.#rto = Math.max(MIN_RTO, this.#smoothed + Math.max(GRANULARITY, 4 * this.#variation));
  }

  backOff(): void {
    this.#backoff++;
  }

  /** New data was acknowledged. */
  progress(): void {
    this.#backoff = 0;
  }
}
