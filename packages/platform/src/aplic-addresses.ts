import {
  MMSIADDRCFG,
  MMSIADDRCFGH,
  MMSIADDRCFGH_FIELDS,
  MSIADDRCFGH_L,
  SMSIADDRCFG,
  SMSIADDRCFGH,
  SMSIADDRCFGH_FIELDS,
} from './aplic-registers.js';

/** The registers in a snapshot. */
export interface MessageAddressesState {
  readonly machine: number;
  readonly machineHigh: number;
  readonly supervisor: number;
  readonly supervisorHigh: number;
}

/** Where an APLIC's messages go: mmsiaddrcfg and smsiaddrcfg of the root domain (AIA 1.0, 4.5.3, 4.5.4, 4.9.1). */
export class MessageAddresses {
  #machine = 0;
  #machineHigh = 0;
  #supervisor = 0;
  #supervisorHigh = 0;

  read(offset: number): number {
    if (offset === MMSIADDRCFG) return this.#machine;
    if (offset === MMSIADDRCFGH) return this.#machineHigh;
    if (offset === SMSIADDRCFG) return this.#supervisor;
    return offset === SMSIADDRCFGH ? this.#supervisorHigh : 0;
  }

  /** Ignored once mmsiaddrcfgh.L is set, until the next reset. */
  write(offset: number, value: number): void {
    if ((this.#machineHigh & MSIADDRCFGH_L) !== 0) return;
    if (offset === MMSIADDRCFG) this.#machine = value;
    else if (offset === MMSIADDRCFGH) this.#machineHigh = (value & MMSIADDRCFGH_FIELDS) >>> 0;
    else if (offset === SMSIADDRCFG) this.#supervisor = value;
    else if (offset === SMSIADDRCFGH) this.#supervisorHigh = value & SMSIADDRCFGH_FIELDS;
  }

  /** The 56-bit address of a hart's interrupt file (4.9.1); `guest` 0 is the level's own. */
  address(level: 'machine' | 'supervisor', hart: number, guest: number): bigint {
    const machine = level === 'machine';
    const shape = this.#machineHigh;
    const high = machine ? this.#machineHigh : this.#supervisorHigh;
    const low = machine ? this.#machine : this.#supervisor;
    const groupShift = BigInt((shape >>> 24) & 0x1f) + 12n;
    const hartShift = BigInt((high >>> 20) & 7);
    const groupWidth = (shape >>> 16) & 7;
    const hartWidth = (shape >>> 12) & 0xf;
    const group = BigInt((hart >>> hartWidth) & ((1 << groupWidth) - 1));
    const inGroup = BigInt(hart & ((1 << hartWidth) - 1));
    const base = (BigInt(high & 0xfff) << 32n) | BigInt(low);
    const page = base | (group << groupShift) | (inGroup << hartShift) | BigInt(guest);
    return (page << 12n) & 0xff_ffff_ffff_ffffn;
  }

  reset(): void {
    this.restore({ machine: 0, machineHigh: 0, supervisor: 0, supervisorHigh: 0 });
  }

  save(): MessageAddressesState {
    return {
      machine: this.#machine,
      machineHigh: this.#machineHigh,
      supervisor: this.#supervisor,
      supervisorHigh: this.#supervisorHigh,
    };
  }

  restore(state: MessageAddressesState): void {
    this.#machine = state.machine;
    this.#machineHigh = state.machineHigh;
    this.#supervisor = state.supervisor;
    this.#supervisorHigh = state.supervisorHigh;
  }
}
