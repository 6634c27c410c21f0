import type { Segment } from './segment.js';
import { distance, type Sequence } from './sequence.js';

/** What the guest takes, in bytes, as it last said (SND.WND, SND.WL1, SND.WL2 of RFC 9293 3.3.1). */
export class PeerWindow {
  size = 0;
  /** The largest that it ever offered. */
  largest = 0;
  #sequence: Sequence = 0;
  #acknowledgment: Sequence = 0;

  /** Older segments do not change the window (RFC 9293 3.10.7.4). */
  newer(segment: Segment): boolean {
    const ahead = distance(segment.sequence, this.#sequence);
    return ahead > 0 || (ahead === 0 && distance(segment.acknowledgment, this.#acknowledgment) >= 0);
  }

  set(size: number, segment: Segment): void {
    this.size = size;
    if (size > this.largest) this.largest = size;
    this.#sequence = segment.sequence;
    this.#acknowledgment = segment.acknowledgment;
  }
}
