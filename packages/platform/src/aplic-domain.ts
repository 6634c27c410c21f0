import { DeviceError } from '@vmloom/device';
import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import { IdcArray, type IdcState } from './aplic-idc.js';
import * as R from './aplic-registers.js';
import { Bits } from './bits.js';
import type { ExternalSignal } from './external-signal.js';

/** What a domain has from its APLIC. */
export interface DomainOptions {
  /** Sources 1 to `sources`. */
  readonly sources: number;
  readonly delivery: 'direct' | 'msi';
  /** Harts by their index: in direct delivery, the lines of this domain's level. */
  readonly harts: readonly ExternalSignal[];
  /** The largest guest index of a target. */
  readonly guests: number;
  /** Whether the parent delegates a source to this domain; of the root, true for all. */
  readonly delegated: (source: number) => boolean;
  /** The level of a source's wire. */
  readonly wire: (source: number) => boolean;
  /** Something may have become due to be sent. */
  readonly schedule: () => void;
  /** A claim at an IDC. */
  readonly claimed: (source: number) => void;
}

/** A message that a domain sends. */
export interface DomainMessage {
  readonly hart: number;
  readonly guest: number;
  readonly identity: number;
  /** The source; 0 for an extempore message (genmsi). */
  readonly source: number;
}

/** A domain in a snapshot. */
export interface DomainState {
  readonly enabled: boolean;
  readonly sourcecfg: readonly number[];
  readonly target: readonly number[];
  readonly pending: readonly number[];
  readonly enable: readonly number[];
  readonly genmsi: number;
  readonly idc: IdcState;
}

/** One interrupt domain of an APLIC (AIA 1.0, 4.4 to 4.9): the registers of its control region and what they do. */
export class AplicDomain implements MmioHandler {
  /** The domain that takes what this one delegates; a leaf has none. */
  child: AplicDomain | undefined;
  readonly #sourcecfg: Uint16Array;
  readonly #target: Uint32Array;
  readonly #pending: Bits;
  readonly #enable: Bits;
  readonly #idc: IdcArray;
  readonly #guestMask: number;
  #enabled = false;
  #genmsi = 0;

  constructor(private readonly options: DomainOptions) {
    const { sources } = options;
    this.#sourcecfg = new Uint16Array(sources + 1);
    this.#target = new Uint32Array(sources + 1);
    this.#pending = new Bits(sources);
    this.#enable = new Bits(sources);
    this.#guestMask = options.guests === 0 ? 0 : 2 ** Math.ceil(Math.log2(options.guests + 1)) - 1;
    this.#idc = new IdcArray(options.delivery === 'direct' ? options.harts : [], {
      top: (hart, threshold) => this.#strongest(hart, threshold),
      claim: (source) => this.#claim(source),
    });
  }

  read(offset: number, _width: HandlerWidth): number {
    if (offset >= R.IDC) return this.#idc.read(offset - R.IDC);
    if (offset === R.GENMSI) return this.#genmsi;
    if (offset > R.TARGET && offset <= R.TARGET_LAST) return this.#target[(offset - R.TARGET) >>> 2] ?? 0;
    if (offset === R.DOMAINCFG) return this.#domaincfg();
    if (offset <= R.SOURCECFG_LAST) return this.#sourcecfg[(offset - R.SOURCECFG) >>> 2] ?? 0;
    const word = (offset & 0x7f) >>> 2;
    switch (offset & ~0x7f) {
      case R.SETIP:
        return this.#pending.word(word);
      case R.IN_CLRIP:
        return this.#inputs(word);
      case R.SETIE:
        return this.#enable.word(word);
      default:
        return 0;
    }
  }

  write(offset: number, _width: HandlerWidth, value: number): void {
    if (offset >= R.IDC) this.#idc.write(offset - R.IDC, value);
    else if (offset === R.GENMSI) this.#writeGenmsi(value);
    else if (offset > R.TARGET && offset <= R.TARGET_LAST) {
      this.#writeTarget((offset - R.TARGET) >>> 2, value);
    } else if (offset === R.DOMAINCFG) this.#enabled = (value & R.DOMAINCFG_IE) !== 0;
    else if (offset <= R.SOURCECFG_LAST) this.#writeSourcecfg((offset - R.SOURCECFG) >>> 2, value);
    else this.#writeBits(offset, value);
    this.update();
  }

  /** The wire of a source, which is active in this domain or one below it, changed. */
  wireChanged(source: number): void {
    if ((this.#sourcecfg[source] & R.SOURCECFG_D) !== 0) {
      this.child?.wireChanged(source);
      return;
    }
    const rectified = this.#rectified(source);
    if (rectified) this.#pending.set(source);
    else if (this.#isLevel(source)) this.#pending.clear(source);
    this.update();
  }

  /** True while the parent's delegation of a source leads here. */
  delegates(source: number): boolean {
    return (this.#sourcecfg[source] & R.SOURCECFG_D) !== 0;
  }

  /** What is due to be sent, in the order of its sources; each source's pending bit is cleared (4.9). */
  *messages(): Generator<DomainMessage> {
    const { options } = this;
    if (options.delivery !== 'msi') return;
    if (this.#enabled) {
      for (const source of this.#pending.both(this.#enable)) {
        this.#pending.clear(source);
        const target = this.#target[source];
        yield {
          hart: target >>> R.TARGET_HART_SHIFT,
          guest: (target >>> R.TARGET_GUEST_SHIFT) & this.#guestMask,
          identity: target & R.TARGET_EIID,
          source,
        };
      }
    }
    if ((this.#genmsi & R.GENMSI_BUSY) === 0) return;
    this.#genmsi &= ~R.GENMSI_BUSY;
    yield {
      hart: this.#genmsi >>> R.TARGET_HART_SHIFT,
      guest: 0,
      identity: this.#genmsi & R.TARGET_EIID,
      source: 0,
    };
  }

  /** Brings the harts' lines, or the need to send, in line with the state. */
  update(): void {
    if (this.options.delivery === 'direct') this.#idc.update(this.#enabled);
    else if ((this.#genmsi & R.GENMSI_BUSY) !== 0 || (this.#enabled && this.#pending.meets(this.#enable))) {
      this.options.schedule();
    }
  }

  reset(): void {
    this.#enabled = false;
    this.#genmsi = 0;
    this.#sourcecfg.fill(0);
    this.#target.fill(0);
    this.#pending.fill(0);
    this.#enable.fill(0);
    this.#idc.reset();
    this.update();
  }

  save(): DomainState {
    return {
      enabled: this.#enabled,
      sourcecfg: [...this.#sourcecfg],
      target: [...this.#target],
      pending: this.#pending.save(),
      enable: this.#enable.save(),
      genmsi: this.#genmsi,
      idc: this.#idc.save(),
    };
  }

  /** Does not look whether something is due: its event is the clock's. @throws DeviceError bad-snapshot */
  restore(state: DomainState): void {
    if (state.sourcecfg.length !== this.#sourcecfg.length) {
      throw new DeviceError('bad-snapshot', "the snapshot's APLIC has another number of sources");
    }
    this.#enabled = state.enabled;
    this.#genmsi = state.genmsi;
    this.#sourcecfg.set(state.sourcecfg);
    this.#target.set(state.target);
    this.#pending.restore(state.pending);
    this.#enable.restore(state.enable);
    this.#idc.restore(state.idc);
    if (this.options.delivery === 'direct') this.#idc.update(this.#enabled);
  }

  /** The parent took a source back, or has just delegated it: here it begins as inactive (4.5.2). */
  forget(source: number): void {
    if (this.delegates(source)) this.child?.forget(source);
    this.#deactivate(source);
    this.#sourcecfg[source] = 0;
    this.update();
  }

  #domaincfg(): number {
    const mode = this.options.delivery === 'msi' ? R.DOMAINCFG_DM : 0;
    return (R.DOMAINCFG_FIXED | (this.#enabled ? R.DOMAINCFG_IE : 0) | mode) >>> 0;
  }

  #mode(source: number): number {
    const config = this.#sourcecfg[source] ?? 0;
    return (config & R.SOURCECFG_D) !== 0 ? R.SM_INACTIVE : config & R.SOURCECFG_SM;
  }

  #isLevel(source: number): boolean {
    return this.#mode(source) >= R.SM_LEVEL1;
  }

  /** 4.5.2: the wire as the mode looks at it. */
  #rectified(source: number): boolean {
    const mode = this.#mode(source);
    if (mode < R.SM_EDGE1) return false;
    return this.options.wire(source) !== ((mode & 1) !== 0);
  }

  #inputs(word: number): number {
    let inputs = 0;
    for (let bit = 0; bit < 32; bit++) if (this.#rectified(word * 32 + bit)) inputs |= 1 << bit;
    return inputs >>> 0;
  }

  #writeSourcecfg(source: number, value: number): void {
    if (source > this.options.sources || !this.options.delegated(source)) return;
    if ((value & R.SOURCECFG_D) !== 0 && this.child !== undefined) {
      if (this.delegates(source)) return;
      this.#deactivate(source);
      // There is one child, so that its index is 0 whatever is written.
      this.#sourcecfg[source] = R.SOURCECFG_D;
      this.child.forget(source);
      return;
    }
    if (this.delegates(source)) {
      this.#sourcecfg[source] = 0;
      this.child?.forget(source);
    }
    const mode = (value & R.SOURCECFG_D) !== 0 ? R.SM_INACTIVE : legalMode(value & R.SOURCECFG_SM);
    const wasActive = this.#mode(source) !== R.SM_INACTIVE;
    if (mode === R.SM_INACTIVE) this.#deactivate(source);
    this.#sourcecfg[source] = mode;
    if (mode === R.SM_INACTIVE) return;
    if (!wasActive) this.#writeTarget(source, 0);
    if (mode < R.SM_LEVEL1) return;
    // 4.7: of a level-sensitive source nothing is pending while its wire is at rest.
    if (this.#rectified(source)) this.#pending.set(source);
    else this.#pending.clear(source);
  }

  #deactivate(source: number): void {
    this.#pending.clear(source);
    this.#enable.clear(source);
    this.#target[source] = 0;
  }

  #writeTarget(source: number, value: number): void {
    if (this.#mode(source) === R.SM_INACTIVE) return;
    const hart = value & R.TARGET_HART;
    if (this.options.delivery === 'msi') {
      const guest = value & (this.#guestMask << R.TARGET_GUEST_SHIFT);
      this.#target[source] = hart | guest | (value & R.TARGET_EIID);
    } else this.#target[source] = hart | (value & R.IPRIO || 1);
  }

  #writeGenmsi(value: number): void {
    if (this.options.delivery !== 'msi' || (this.#genmsi & R.GENMSI_BUSY) !== 0) return;
    this.#genmsi = ((value & (R.TARGET_HART | R.TARGET_EIID)) | R.GENMSI_BUSY) >>> 0;
  }

  #writeBits(offset: number, value: number): void {
    switch (offset) {
      case R.SETIPNUM:
      case R.SETIPNUM_LE:
        return this.#setPending(value);
      case R.CLRIPNUM:
        return this.#clearPending(value);
      case R.SETIENUM:
        return this.#setEnable(value);
      case R.CLRIENUM:
        return this.#enable.clear(value);
    }
    const first = (offset & 0x7f) * 8;
    const each = {
      [R.SETIP]: (source: number) => this.#setPending(source),
      [R.IN_CLRIP]: (source: number) => this.#clearPending(source),
      [R.SETIE]: (source: number) => this.#setEnable(source),
      [R.CLRIE]: (source: number) => this.#enable.clear(source),
    }[offset & ~0x7f];
    if (each === undefined) return;
    for (let bits = value; bits !== 0; bits &= bits - 1) each(first + 31 - Math.clz32(bits & -bits));
  }

  /** 4.7: a register's attempt to set a pending bit. */
  #setPending(source: number): void {
    const mode = this.#mode(source);
    if (mode === R.SM_INACTIVE) return;
    if (mode >= R.SM_LEVEL1 && (this.options.delivery === 'direct' || !this.#rectified(source))) return;
    this.#pending.set(source);
  }

  /** 4.7: a register's or a claim's attempt to clear a pending bit. */
  #clearPending(source: number): void {
    const mode = this.#mode(source);
    if (mode === R.SM_INACTIVE || (mode >= R.SM_LEVEL1 && this.options.delivery === 'direct')) return;
    this.#pending.clear(source);
  }

  #setEnable(source: number): void {
    if (this.#mode(source) !== R.SM_INACTIVE) this.#enable.set(source);
  }

  #claim(source: number): void {
    this.#clearPending(source);
    this.options.claimed(source);
    this.update();
  }

  /** 4.8.1.4: topi of a hart; of equal priorities the lowest source. */
  #strongest(hart: number, threshold: number): number {
    let best = 0;
    let bestPriority = threshold === 0 ? R.IPRIO + 1 : threshold;
    for (const source of this.#pending.both(this.#enable)) {
      const target = this.#target[source];
      const priority = target & R.IPRIO;
      if (target >>> R.TARGET_HART_SHIFT !== hart || priority >= bestPriority) continue;
      best = source;
      bestPriority = priority;
    }
    return best === 0 ? 0 : (best << R.TOPI_IDENTITY_SHIFT) | bestPriority;
  }
}

/** Modes 2 and 3 are reserved (4.5.2). */
function legalMode(mode: number): number {
  return mode === 2 || mode === 3 ? R.SM_INACTIVE : mode;
}
