import * as N from '../src/csr-numbers';
import {
  S_FFLAGS,
  S_FRM,
  S_HART_ID,
  S_INDEX,
  S_INSIDE,
  S_MCAUSE,
  S_MCOUNTEREN,
  S_MCOUNTINHIBIT,
  S_MCYCLE,
  S_MEDELEG,
  S_MENVCFG,
  S_MEPC,
  S_MIDELEG,
  S_MIE,
  S_MINSTRET,
  S_MIP_SOFTWARE,
  S_MSCRATCH,
  S_MSTATUS,
  S_MTVAL,
  S_MTVEC,
  S_PMPADDR,
  S_PMPCFG,
  S_SATP,
  S_SCAUSE,
  S_SCOUNTEREN,
  S_SENVCFG,
  S_SEPC,
  S_SSCRATCH,
  S_STIMECMP,
  S_STVAL,
  S_STVEC,
} from '../src/layout';
import {
  readAiaCsr,
  readSupervisorEnable,
  readSupervisorPending,
  writableMachinePending,
  writeAiaCsr,
  writeDelegation,
  writeSupervisorEnable,
  writeSupervisorPending,
} from './aia';
import { readCounter, timeTicks, writeCounter } from './counters';
import { illegalCsr } from './csr-fault';
import { timerChanged } from './imports';
import { readPmpConfig, writePmpAddress, writePmpConfig } from './pmp-registers';
import {
  ADUE,
  FS,
  MACHINE,
  MIE,
  MPIE,
  MPP,
  MPP_SHIFT,
  MPRV,
  MXR,
  NEXT,
  RESYNC,
  SD,
  SEIP,
  SIE,
  SPIE,
  SPP,
  SSIP,
  STCE,
  STIP,
  SUM,
  SUPERVISOR,
  SXL,
  TSR,
  TVM,
  TW,
  USER,
  UXL,
} from './status';
import { flushAll, updateContext } from './tlb';
import { pendingInterrupts } from './trap';

// RV64 with A, B, C, D, F, I, M, S, U; no extension can be switched off.
const MISA: u64 = (2 << 62) | 0x14112f;
const MSTATUS_WRITABLE: u64 = SIE | MIE | SPIE | MPIE | SPP | FS | MPRV | SUM | MXR | TVM | TW | TSR;
const SSTATUS_WRITABLE: u64 = SIE | SPIE | SPP | FS | SUM | MXR;
const SSTATUS_READABLE: u64 = SSTATUS_WRITABLE | UXL | SD;
const MEDELEG_WRITABLE: u64 = 0xb3ff;
const MIDELEG_WRITABLE: u64 = SSIP | STIP | SEIP;
const MIE_WRITABLE: u64 = 0xaaa;
// cycle, time and instret: the only counters there are.
const COUNTERS: u64 = 7;
const INHIBITABLE: u64 = 5;
const MENVCFG_WRITABLE: u64 = 1 | ADUE | STCE;
const SENVCFG_WRITABLE: u64 = 1;
const CYCLE_BIT: u32 = 1;
const INSTRET_BIT: u32 = 4;

// @ts-ignore: decorator
@inline
function readStatus(s: u32): u64 {
  const status = load<u64>(s, S_MSTATUS) | UXL | SXL;
  return (status & FS) == FS ? status | SD : status;
}

function counterAllowed(s: u32, number: u32, privilege: u32): bool {
  if (privilege == MACHINE) return true;
  const bit: u64 = (<u64>1) << (number & 31);
  if ((load<u64>(s, S_MCOUNTEREN) & bit) == 0) return false;
  return privilege == SUPERVISOR || (load<u64>(s, S_SCOUNTEREN) & bit) != 0;
}

function timerAllowed(s: u32, privilege: u32): bool {
  return privilege == MACHINE || ((load<u64>(s, S_MCOUNTEREN) & 2) != 0 && (load<u64>(s, S_MENVCFG) & STCE) != 0);
}

/** Reads for a mode; S_CSR_ILLEGAL is set to 1 where there is no such CSR or the mode may not have it. */
export function readCsr(s: u32, csr: u32, privilege: u32): u64 {
  const number = i32(csr);
  if (((csr >> 8) & 3) > privilege) return illegalCsr(s);
  if (number >= N.CSR_CYCLE && number <= N.CSR_HPMCOUNTER31) {
    if (!counterAllowed(s, csr, privilege)) return illegalCsr(s);
    if (number == N.CSR_TIME) return timeTicks(s);
    if (number == N.CSR_CYCLE) return readCounter(s, S_MCYCLE, CYCLE_BIT);
    return number == N.CSR_INSTRET ? readCounter(s, S_MINSTRET, INSTRET_BIT) : 0;
  }
  if (number >= N.CSR_MHPMCOUNTER3 && number <= N.CSR_MHPMCOUNTER31) return 0;
  if (number >= N.CSR_MHPMEVENT3 && number <= N.CSR_MHPMEVENT31) return 0;
  if (number >= N.CSR_PMPADDR0 && number <= N.CSR_PMPADDR15) {
    return load<u64>(s + ((number - N.CSR_PMPADDR0) << 3), S_PMPADDR);
  }
  switch (number) {
    case N.CSR_FFLAGS:
    case N.CSR_FRM:
    case N.CSR_FCSR:
      if ((load<u64>(s, S_MSTATUS) & FS) == 0) return illegalCsr(s);
      if (number == N.CSR_FFLAGS) return load<u32>(s, S_FFLAGS);
      if (number == N.CSR_FRM) return load<u32>(s, S_FRM);
      return load<u32>(s, S_FFLAGS) | (load<u32>(s, S_FRM) << 5);
    case N.CSR_SSTATUS:
      return readStatus(s) & SSTATUS_READABLE;
    case N.CSR_SIE:
      return readSupervisorEnable(s);
    case N.CSR_STVEC:
      return load<u64>(s, S_STVEC);
    case N.CSR_SCOUNTEREN:
      return load<u64>(s, S_SCOUNTEREN);
    case N.CSR_SENVCFG:
      return load<u64>(s, S_SENVCFG);
    case N.CSR_SSCRATCH:
      return load<u64>(s, S_SSCRATCH);
    case N.CSR_SEPC:
      return load<u64>(s, S_SEPC);
    case N.CSR_SCAUSE:
      return load<u64>(s, S_SCAUSE);
    case N.CSR_STVAL:
      return load<u64>(s, S_STVAL);
    case N.CSR_SIP:
      return readSupervisorPending(s);
    case N.CSR_STIMECMP:
      return timerAllowed(s, privilege) ? load<u64>(s, S_STIMECMP) : illegalCsr(s);
    case N.CSR_SATP:
      if (privilege == SUPERVISOR && (load<u64>(s, S_MSTATUS) & TVM) != 0) return illegalCsr(s);
      return load<u64>(s, S_SATP);
    case N.CSR_MVENDORID:
    case N.CSR_MARCHID:
    case N.CSR_MIMPID:
    case N.CSR_MCONFIGPTR:
      return 0;
    case N.CSR_MHARTID:
      return load<u32>(s, S_HART_ID);
    case N.CSR_MSTATUS:
      return readStatus(s);
    case N.CSR_MISA:
      return MISA;
    case N.CSR_MEDELEG:
      return load<u64>(s, S_MEDELEG);
    case N.CSR_MIDELEG:
      return load<u64>(s, S_MIDELEG);
    case N.CSR_MIE:
      return load<u64>(s, S_MIE);
    case N.CSR_MTVEC:
      return load<u64>(s, S_MTVEC);
    case N.CSR_MCOUNTEREN:
      return load<u64>(s, S_MCOUNTEREN);
    case N.CSR_MENVCFG:
      return load<u64>(s, S_MENVCFG);
    case N.CSR_MCOUNTINHIBIT:
      return load<u64>(s, S_MCOUNTINHIBIT);
    case N.CSR_MSCRATCH:
      return load<u64>(s, S_MSCRATCH);
    case N.CSR_MEPC:
      return load<u64>(s, S_MEPC);
    case N.CSR_MCAUSE:
      return load<u64>(s, S_MCAUSE);
    case N.CSR_MTVAL:
      return load<u64>(s, S_MTVAL);
    case N.CSR_MIP:
      return pendingInterrupts(s);
    case N.CSR_PMPCFG0:
      return readPmpConfig(s, 0);
    case N.CSR_PMPCFG2:
      return readPmpConfig(s, 8);
    case N.CSR_TSELECT:
    case N.CSR_TDATA1:
    case N.CSR_TDATA2:
    case N.CSR_TDATA3:
      return 0;
    case N.CSR_TINFO:
      return 1;
    case N.CSR_MCYCLE:
      return readCounter(s, S_MCYCLE, CYCLE_BIT);
    case N.CSR_MINSTRET:
      return readCounter(s, S_MINSTRET, INSTRET_BIT);
    case N.CSR_MISELECT:
    case N.CSR_MIREG:
    case N.CSR_MTOPEI:
    case N.CSR_MTOPI:
    case N.CSR_MVIEN:
    case N.CSR_MVIP:
    case N.CSR_SISELECT:
    case N.CSR_SIREG:
    case N.CSR_STOPEI:
    case N.CSR_STOPI:
      return readAiaCsr(s, number, privilege);
    default:
      return illegalCsr(s);
  }
}

function writeStatus(s: u32, value: u64, writable: u64): void {
  const old = load<u64>(s, S_MSTATUS);
  const status = (old & ~writable) | (value & writable);
  store<u64>(s, status, S_MSTATUS);
  if (((old ^ status) & MXR) != 0) flushAll(s);
  updateContext(s);
}

function writeMachineStatus(s: u32, value: u64): void {
  const mode = u32((value & MPP) >> MPP_SHIFT);
  const legal = mode == USER || mode == SUPERVISOR || mode == MACHINE;
  writeStatus(s, value, legal ? MSTATUS_WRITABLE | MPP : MSTATUS_WRITABLE);
}

function setDirty(s: u32): void {
  store<u64>(s, load<u64>(s, S_MSTATUS) | FS, S_MSTATUS);
}

function writeInhibit(s: u32, value: u64): void {
  const cycle = readCounter(s, S_MCYCLE, CYCLE_BIT);
  const instret = readCounter(s, S_MINSTRET, INSTRET_BIT);
  const old = load<u64>(s, S_MCOUNTINHIBIT);
  const changed = (old ^ value) & INHIBITABLE;
  store<u64>(s, value & INHIBITABLE, S_MCOUNTINHIBIT);
  // A counter that was running counts this instruction too.
  const inside = load<u32>(s, S_INSIDE);
  if (changed & CYCLE_BIT) writeCounter(s, S_MCYCLE, CYCLE_BIT, old & CYCLE_BIT ? cycle : cycle + inside);
  if (changed & INSTRET_BIT) writeCounter(s, S_MINSTRET, INSTRET_BIT, old & INSTRET_BIT ? instret : instret + inside);
}

function writeEnvironment(s: u32, value: u64): void {
  const old = load<u64>(s, S_MENVCFG);
  store<u64>(s, value & MENVCFG_WRITABLE, S_MENVCFG);
  if (((old ^ value) & STCE) == 0) return;
  if (value & STCE) store<u64>(s, load<u64>(s, S_MIP_SOFTWARE) & ~STIP, S_MIP_SOFTWARE);
  timerChanged(load<u32>(s, S_INDEX));
}

function writePending(s: u32, value: u64): void {
  const writable = writableMachinePending(s);
  const old = load<u64>(s, S_MIP_SOFTWARE);
  store<u64>(s, (old & ~writable) | (value & writable), S_MIP_SOFTWARE);
}

function writeTranslation(s: u32, value: u64): void {
  const mode = u32(value >> 60);
  if (mode != 0 && mode != 8 && mode != 9) return;
  store<u64>(s, value, S_SATP);
  updateContext(s);
}

/**
 * Writes a CSR that `readCsr` found legal for the mode: NEXT, or RESYNC where interrupts or translation may
 * have changed.
 */
export function writeCsr(s: u32, csr: u32, value: u64): u32 {
  const number = i32(csr);
  if (number >= N.CSR_PMPADDR0 && number <= N.CSR_PMPADDR15) {
    writePmpAddress(s, number - N.CSR_PMPADDR0, value);
    return RESYNC;
  }
  switch (number) {
    case N.CSR_FFLAGS:
      store<u32>(s, u32(value) & 31, S_FFLAGS);
      setDirty(s);
      return NEXT;
    case N.CSR_FRM:
      store<u32>(s, u32(value) & 7, S_FRM);
      setDirty(s);
      return NEXT;
    case N.CSR_FCSR:
      store<u32>(s, u32(value) & 31, S_FFLAGS);
      store<u32>(s, (u32(value) >> 5) & 7, S_FRM);
      setDirty(s);
      return NEXT;
    case N.CSR_SSTATUS:
      writeStatus(s, value, SSTATUS_WRITABLE);
      return RESYNC;
    case N.CSR_SIE:
      writeSupervisorEnable(s, value);
      return RESYNC;
    case N.CSR_STVEC:
      store<u64>(s, value & ~2, S_STVEC);
      return NEXT;
    case N.CSR_SCOUNTEREN:
      store<u64>(s, value & COUNTERS, S_SCOUNTEREN);
      return NEXT;
    case N.CSR_SENVCFG:
      store<u64>(s, value & SENVCFG_WRITABLE, S_SENVCFG);
      return NEXT;
    case N.CSR_SSCRATCH:
      store<u64>(s, value, S_SSCRATCH);
      return NEXT;
    case N.CSR_SEPC:
      store<u64>(s, value & ~1, S_SEPC);
      return NEXT;
    case N.CSR_SCAUSE:
      store<u64>(s, value, S_SCAUSE);
      return NEXT;
    case N.CSR_STVAL:
      store<u64>(s, value, S_STVAL);
      return NEXT;
    case N.CSR_SIP:
      writeSupervisorPending(s, value);
      return RESYNC;
    case N.CSR_STIMECMP:
      store<u64>(s, value, S_STIMECMP);
      timerChanged(load<u32>(s, S_INDEX));
      return RESYNC;
    case N.CSR_SATP:
      writeTranslation(s, value);
      return RESYNC;
    case N.CSR_MSTATUS:
      writeMachineStatus(s, value);
      return RESYNC;
    case N.CSR_MEDELEG:
      store<u64>(s, value & MEDELEG_WRITABLE, S_MEDELEG);
      return NEXT;
    case N.CSR_MIDELEG:
      writeDelegation(s, value & MIDELEG_WRITABLE);
      return RESYNC;
    case N.CSR_MIE:
      store<u64>(s, value & MIE_WRITABLE, S_MIE);
      return RESYNC;
    case N.CSR_MTVEC:
      store<u64>(s, value & ~2, S_MTVEC);
      return NEXT;
    case N.CSR_MCOUNTEREN:
      store<u64>(s, value & COUNTERS, S_MCOUNTEREN);
      return NEXT;
    case N.CSR_MENVCFG:
      writeEnvironment(s, value);
      return RESYNC;
    case N.CSR_MCOUNTINHIBIT:
      writeInhibit(s, value);
      return NEXT;
    case N.CSR_MSCRATCH:
      store<u64>(s, value, S_MSCRATCH);
      return NEXT;
    case N.CSR_MEPC:
      store<u64>(s, value & ~1, S_MEPC);
      return NEXT;
    case N.CSR_MCAUSE:
      store<u64>(s, value, S_MCAUSE);
      return NEXT;
    case N.CSR_MTVAL:
      store<u64>(s, value, S_MTVAL);
      return NEXT;
    case N.CSR_MIP:
      writePending(s, value);
      return RESYNC;
    case N.CSR_PMPCFG0:
      writePmpConfig(s, 0, value);
      return RESYNC;
    case N.CSR_PMPCFG2:
      writePmpConfig(s, 8, value);
      return RESYNC;
    case N.CSR_MCYCLE:
      writeCounter(s, S_MCYCLE, CYCLE_BIT, value);
      return NEXT;
    case N.CSR_MINSTRET:
      writeCounter(s, S_MINSTRET, INSTRET_BIT, value);
      return NEXT;
    case N.CSR_MISELECT:
    case N.CSR_MIREG:
    case N.CSR_MTOPEI:
    case N.CSR_MVIEN:
    case N.CSR_MVIP:
    case N.CSR_SISELECT:
    case N.CSR_SIREG:
    case N.CSR_STOPEI:
      return writeAiaCsr(s, number, value);
    default:
      // misa, trigger registers and the counters that are zero: writes are ignored.
      return NEXT;
  }
}

/**
 * What a set or clear of bits starts from: mip's SEIP as software wrote it, without the external line
 * (3.1.9).
 */
export function modifyBase(s: u32, number: i32, value: u64): u64 {
  return number == N.CSR_MIP ? (value & ~SEIP) | (load<u64>(s, S_MIP_SOFTWARE) & SEIP) : value;
}
