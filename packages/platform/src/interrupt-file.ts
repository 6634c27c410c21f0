import { DeviceError } from '@vmloom/device';
import type { ExternalSignal } from './external-signal.js';

// AIA 1.0, 3.7: registers by the number that miselect, siselect or vsiselect holds.
const EIDELIVERY = 0x70;
const EITHRESHOLD = 0x72;
const EIP0 = 0x80;
const EIE0 = 0xc0;
const LAST = 0xff;

/** An interrupt file in a snapshot. */
export interface InterruptFileState {
  readonly delivery: number;
  readonly threshold: number;
  readonly pending: readonly number[];
  readonly enable: readonly number[];
}

/**
 * One interrupt file of an IMSIC (AIA 1.0, chapter 3): a pending and an enable bit for each identity, of which the
 * lowest is the strongest. Its signal to the hart is up to date after every call.
 */
export class InterruptFile {
  readonly #pending: Uint32Array;
  readonly #enable: Uint32Array;
  readonly #thresholdMask: number;
  #delivery = 0;
  #threshold = 0;
  #top = 0;
  #signalled = 0;

  /** @throws RangeError unless there are 63 to 2047 identities, one less than a multiple of 64 (3.1) */
  constructor(
    readonly identities: number,
    private readonly signal: ExternalSignal,
  ) {
    if (!Number.isInteger(identities) || identities < 63 || identities > 2047 || identities % 64 !== 63) {
      throw new RangeError(
        `an interrupt file has 63 to 2047 identities, one less than a multiple of 64, not ${identities}`,
      );
    }
    const words = (identities + 1) / 32;
    this.#pending = new Uint32Array(words);
    this.#enable = new Uint32Array(words);
    this.#thresholdMask = 2 ** Math.ceil(Math.log2(identities + 1)) - 1;
  }

  /** A message: the identity becomes pending. False: there is no such identity, nothing happened (3.5). */
  receive(identity: number): boolean {
    if (identity === 0 || identity > this.identities) return false;
    this.#pending[identity >>> 5] |= 1 << (identity & 31);
    this.#update();
    return true;
  }

  /** The strongest identity that is pending, enabled and below the threshold; 0 when there is none (3.9). */
  get top(): number {
    return this.#top;
  }

  /** Clears the pending bit of {@link top} and answers its identity; 0, and nothing happens, when there is none. */
  claim(): number {
    const identity = this.#top;
    if (identity === 0) return 0;
    this.#pending[identity >>> 5] &= ~(1 << (identity & 31));
    this.#update();
    return identity;
  }

  /** A register, 64 bits wide, low half first, into `out`; reserved ones are 0. In the arrays `register` is even. */
  read(register: number, out: Uint32Array): void {
    out[0] = out[1] = 0;
    if (register === EIDELIVERY) out[0] = this.#delivery;
    else if (register === EITHRESHOLD) out[0] = this.#threshold;
    else if (register >= EIP0 && register <= LAST) {
      const array = register >= EIE0 ? this.#enable : this.#pending;
      const word = (register - EIP0) & 0x3f;
      out[0] = array[word] ?? 0;
      out[1] = array[word + 1] ?? 0;
    }
  }

  /** The same, written; `low` and `high` are unsigned. Reserved registers ignore it. */
  write(register: number, low: number, high: number): void {
    // Delivery straight from an APLIC (0x40000000) is optional (3.8.1) and not offered.
    if (register === EIDELIVERY) this.#delivery = low & 1;
    else if (register === EITHRESHOLD) this.#threshold = low & this.#thresholdMask;
    else if (register >= EIP0 && register <= LAST) {
      const array = register >= EIE0 ? this.#enable : this.#pending;
      const word = (register - EIP0) & 0x3f;
      if (word >= array.length) return;
      // Identity 0 does not exist (3.8.3).
      array[word] = word === 0 ? low & ~1 : low;
      array[word + 1] = high;
    } else return;
    this.#update();
  }

  /** Unspecified by the specification (3.4): all zeros here, so nothing is delivered. */
  reset(): void {
    this.#pending.fill(0);
    this.#enable.fill(0);
    this.#delivery = 0;
    this.#threshold = 0;
    this.#update();
  }

  save(): InterruptFileState {
    return {
      delivery: this.#delivery,
      threshold: this.#threshold,
      pending: [...this.#pending],
      enable: [...this.#enable],
    };
  }

  /** @throws DeviceError bad-snapshot */
  restore(state: InterruptFileState): void {
    if (state.pending.length !== this.#pending.length || state.enable.length !== this.#enable.length) {
      throw new DeviceError('bad-snapshot', "the snapshot's interrupt file has another number of identities");
    }
    this.#delivery = state.delivery;
    this.#threshold = state.threshold;
    this.#pending.set(state.pending);
    this.#enable.set(state.enable);
    this.#update();
  }

  #update(): void {
    this.#top = this.#strongest();
    const signalled = this.#delivery === 1 ? this.#top : 0;
    if (signalled === this.#signalled) return;
    this.#signalled = signalled;
    this.signal.set(signalled !== 0, signalled);
  }

  #strongest(): number {
    for (let word = 0; word < this.#pending.length; word++) {
      const candidates = this.#pending[word] & this.#enable[word];
      if (candidates === 0) continue;
      const identity = word * 32 + 31 - Math.clz32(candidates & -candidates);
      return this.#threshold !== 0 && identity >= this.#threshold ? 0 : identity;
    }
    return 0;
  }
}
