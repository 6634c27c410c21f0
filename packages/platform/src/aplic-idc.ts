import { DeviceError } from '@vmloom/device';
import * as R from './aplic-registers.js';
import type { ExternalSignal } from './external-signal.js';

/** What delivery to harts needs of its domain. */
export interface IdcDomain {
  /** topi of a hart: source in bits 25:16, priority in bits 7:0; 0 for none below the threshold. */
  top(hart: number, threshold: number): number;
  claim(source: number): void;
}

/** The structures in a snapshot, by hart. */
export interface IdcState {
  readonly delivery: readonly number[];
  readonly force: readonly number[];
  readonly threshold: readonly number[];
}

/** The interrupt delivery control structures of a domain in direct delivery (AIA 1.0, 4.8), one for each hart. */
export class IdcArray {
  readonly #delivery: Uint8Array;
  readonly #force: Uint8Array;
  readonly #threshold: Uint8Array;

  constructor(
    private readonly harts: readonly ExternalSignal[],
    private readonly domain: IdcDomain,
  ) {
    this.#delivery = new Uint8Array(harts.length);
    this.#force = new Uint8Array(harts.length);
    this.#threshold = new Uint8Array(harts.length);
  }

  /** `offset` from the first structure. Where there is no hart, everything is a read-only zero. */
  read(offset: number): number {
    const hart = Math.floor(offset / R.IDC_SIZE);
    if (hart >= this.harts.length) return 0;
    switch (offset % R.IDC_SIZE) {
      case R.IDELIVERY:
        return this.#delivery[hart];
      case R.IFORCE:
        return this.#force[hart];
      case R.ITHRESHOLD:
        return this.#threshold[hart];
      case R.TOPI:
        return this.#top(hart);
      case R.CLAIMI:
        return this.#claim(hart);
      default:
        return 0;
    }
  }

  /** The domain calls {@link update} behind it. */
  write(offset: number, value: number): void {
    const hart = Math.floor(offset / R.IDC_SIZE);
    if (hart >= this.harts.length) return;
    const register = offset % R.IDC_SIZE;
    if (register === R.IDELIVERY) this.#delivery[hart] = value & 1;
    else if (register === R.IFORCE) this.#force[hart] = value & 1;
    else if (register === R.ITHRESHOLD) this.#threshold[hart] = value & R.IPRIO;
  }

  /** Drives the harts' lines (4.8.2). `enabled` is domaincfg.IE. */
  update(enabled: boolean): void {
    this.harts.forEach((line, hart) => {
      const top = this.#top(hart);
      const level = enabled && this.#delivery[hart] === 1 && (top !== 0 || this.#force[hart] === 1);
      line.set(level, level ? top & R.IPRIO : 0);
    });
  }

  reset(): void {
    for (const registers of [this.#delivery, this.#force, this.#threshold]) registers.fill(0);
  }

  save(): IdcState {
    return { delivery: [...this.#delivery], force: [...this.#force], threshold: [...this.#threshold] };
  }

  /** @throws DeviceError bad-snapshot */
  restore(state: IdcState): void {
    if (state.delivery.length !== this.harts.length) {
      throw new DeviceError('bad-snapshot', "the snapshot's APLIC has another number of harts");
    }
    this.#delivery.set(state.delivery);
    this.#force.set(state.force);
    this.#threshold.set(state.threshold);
  }

  #top(hart: number): number {
    return this.domain.top(hart, this.#threshold[hart]);
  }

  #claim(hart: number): number {
    const top = this.#top(hart);
    // 4.8.1.5: a claim of nothing ends a forced interrupt.
    if (top === 0) this.#force[hart] = 0;
    this.domain.claim(top >>> R.TOPI_IDENTITY_SHIFT);
    return top;
  }
}
