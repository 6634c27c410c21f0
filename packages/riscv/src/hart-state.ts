import type { HostMemory } from '@vmloom/memory';
import * as L from './layout.js';

const HIGH = 0x1_0000_0000;

/** Named access to one hart's state block in linear memory. */
export class HartState {
  readonly #view: DataView;

  constructor(
    memory: HostMemory,
    readonly base: number,
  ) {
    this.#view = memory.view;
  }

  u8(field: number): number {
    return this.#view.getUint8(this.base + field);
  }
  setU8(field: number, value: number): void {
    this.#view.setUint8(this.base + field, value);
  }
  u32(field: number): number {
    return this.#view.getUint32(this.base + field, true);
  }
  setU32(field: number, value: number): void {
    this.#view.setUint32(this.base + field, value, true);
  }
  u64(field: number): bigint {
    return this.#view.getBigUint64(this.base + field, true);
  }
  setU64(field: number, value: bigint): void {
    this.#view.setBigUint64(this.base + field, value, true);
  }
  /** A u64 that stays below 2^53. */
  count(field: number): number {
    return this.u32(field) + this.u32(field + 4) * HIGH;
  }
  setCount(field: number, value: number): void {
    this.setU32(field, value % HIGH);
    this.setU32(field + 4, Math.floor(value / HIGH));
  }
}

/** The 64-bit fields that a snapshot names. */
export const SAVED_CSRS = {
  mstatus: L.S_MSTATUS,
  mtvec: L.S_MTVEC,
  medeleg: L.S_MEDELEG,
  mideleg: L.S_MIDELEG,
  mie: L.S_MIE,
  mipSoftware: L.S_MIP_SOFTWARE,
  mipLines: L.S_MIP_LINES,
  mipTimer: L.S_MIP_TIMER,
  mepc: L.S_MEPC,
  mcause: L.S_MCAUSE,
  mtval: L.S_MTVAL,
  mscratch: L.S_MSCRATCH,
  mcounteren: L.S_MCOUNTEREN,
  mcountinhibit: L.S_MCOUNTINHIBIT,
  menvcfg: L.S_MENVCFG,
  stvec: L.S_STVEC,
  sepc: L.S_SEPC,
  scause: L.S_SCAUSE,
  stval: L.S_STVAL,
  sscratch: L.S_SSCRATCH,
  scounteren: L.S_SCOUNTEREN,
  senvcfg: L.S_SENVCFG,
  satp: L.S_SATP,
  stimecmp: L.S_STIMECMP,
  mcycle: L.S_MCYCLE,
  minstret: L.S_MINSTRET,
  pmpcfg0: L.S_PMPCFG,
  pmpcfg2: L.S_PMPCFG + 8,
  mvien: L.S_MVIEN,
  mvip: L.S_MVIP,
  virtualSie: L.S_VIRTUAL_SIE,
  miselect: L.S_MISELECT,
  siselect: L.S_SISELECT,
  miprio0: L.S_MIPRIO,
  miprio2: L.S_MIPRIO + 8,
  siprio0: L.S_SIPRIO,
  siprio2: L.S_SIPRIO + 8,
  externalPriority: L.S_EXTERNAL_PRIORITY,
} as const;

/** Fields of 8 bytes that a reset clears: from the first CSR to the last pmpaddr, and those of the AIA. */
export const CSR_FIELDS = [
  { first: L.S_MSTATUS, end: L.S_PMPADDR + 16 * 8 },
  { first: L.S_MVIEN, end: L.S_EXTERNAL_PRIORITY },
] as const;
