import {
  EXIT_FATAL,
  S_EXIT,
  S_MCAUSE,
  S_MEDELEG,
  S_MEPC,
  S_MIDELEG,
  S_MIE,
  S_MIP_LINES,
  S_MIP_SOFTWARE,
  S_MIP_TIMER,
  S_MSTATUS,
  S_MTVAL,
  S_MTVEC,
  S_PC,
  S_PRIVILEGE,
  S_SCAUSE,
  S_SEPC,
  S_STVAL,
  S_STVEC,
  S_VIRTUAL_PENDING,
} from '../src/layout';
import { strongest } from './interrupt-priority';
import {
  LEAVE,
  MACHINE,
  MIE,
  MPIE,
  MPP,
  MPP_SHIFT,
  MPRV,
  SIE,
  SPIE,
  SPP,
  SPP_SHIFT,
  SUPERVISOR,
  TRAPPED,
} from './status';
import { updateContext } from './tlb';

const INTERRUPT: u64 = 1 << 63;
const MAJOR: u64 = 0xffff_ffff;

export function pendingInterrupts(s: u32): u64 {
  return load<u64>(s, S_MIP_SOFTWARE) | load<u64>(s, S_MIP_LINES) | load<u64>(s, S_MIP_TIMER);
}

/**
 * Interrupts that are pending and enabled, whatever the global enables say: those of mip, and from bit 32 on the
 * virtual ones of S-mode. Not 0 ends WFI (3.3.3; AIA 5.5).
 */
// @ts-ignore: decorator
@inline
export function enabledInterrupts(s: u32): u64 {
  return (pendingInterrupts(s) & load<u64>(s, S_MIE)) | load<u64>(s, S_VIRTUAL_PENDING);
}

/** Enters the handler of `cause` (privileged architecture 3.1.6.1, 3.1.7). */
function enter(s: u32, cause: u64, value: u64, delegated: bool): void {
  const pc = load<u64>(s, S_PC);
  const privilege = load<u32>(s, S_PRIVILEGE);
  const interrupt = (cause & INTERRUPT) != 0;
  let status = load<u64>(s, S_MSTATUS);
  let vector: u64;
  if (delegated) {
    store<u64>(s, pc, S_SEPC);
    store<u64>(s, cause, S_SCAUSE);
    store<u64>(s, value, S_STVAL);
    status = (status & ~(SPIE | SPP | SIE)) | ((status & SIE) << 4) | (u64(privilege & 1) << SPP_SHIFT);
    vector = load<u64>(s, S_STVEC);
    store<u32>(s, SUPERVISOR, S_PRIVILEGE);
  } else {
    store<u64>(s, pc, S_MEPC);
    store<u64>(s, cause, S_MCAUSE);
    store<u64>(s, value, S_MTVAL);
    status = (status & ~(MPIE | MPP | MIE)) | ((status & MIE) << 4) | (u64(privilege) << MPP_SHIFT);
    vector = load<u64>(s, S_MTVEC);
    store<u32>(s, MACHINE, S_PRIVILEGE);
  }
  store<u64>(s, status, S_MSTATUS);
  const base = vector & ~3;
  store<u64>(s, (vector & 1) != 0 && interrupt ? base + ((cause & 63) << 2) : base, S_PC);
  updateContext(s);
}

/**
 * Takes an exception; S_PC is the faulting instruction. A handler whose first instruction raises an
 * exception that leads to itself, in the same mode, could never retire anything: the hart stops.
 */
export function raise(s: u32, cause: u32, value: u64): u32 {
  const privilege = load<u32>(s, S_PRIVILEGE);
  const pc = load<u64>(s, S_PC);
  const delegated = privilege != MACHINE && ((load<u64>(s, S_MEDELEG) >> u64(cause)) & 1) != 0;
  enter(s, u64(cause), value, delegated);
  if (load<u64>(s, S_PC) == pc && load<u32>(s, S_PRIVILEGE) == privilege) {
    store<u32>(s, EXIT_FATAL, S_EXIT);
    return LEAVE;
  }
  return TRAPPED;
}

/** Takes the interrupt that is due before the next instruction, if any (3.1.9). */
export function takeInterrupt(s: u32): void {
  const pending = enabledInterrupts(s);
  if (pending == 0) return;
  const privilege = load<u32>(s, S_PRIVILEGE);
  const status = load<u64>(s, S_MSTATUS);
  const delegation = load<u64>(s, S_MIDELEG);
  const machine = pending & ~delegation & MAJOR;
  if (machine != 0 && (privilege < MACHINE || (status & MIE) != 0)) {
    enter(s, INTERRUPT | u64(strongest(s, machine, MACHINE)), 0, false);
    return;
  }
  const supervisor = (pending & delegation) | (pending >> 32);
  if (supervisor != 0 && (privilege < SUPERVISOR || (privilege == SUPERVISOR && (status & SIE) != 0))) {
    enter(s, INTERRUPT | u64(strongest(s, supervisor, SUPERVISOR)), 0, true);
  }
}

/** MRET (3.3.2). */
export function machineReturn(s: u32): void {
  let status = load<u64>(s, S_MSTATUS);
  const previous = u32((status & MPP) >> MPP_SHIFT);
  status = (status & ~(MIE | MPP)) | ((status & MPIE) >> 4) | MPIE;
  if (previous != MACHINE) status &= ~MPRV;
  store<u64>(s, status, S_MSTATUS);
  store<u32>(s, previous, S_PRIVILEGE);
  store<u64>(s, load<u64>(s, S_MEPC), S_PC);
  updateContext(s);
}

/** SRET (3.3.2). */
export function supervisorReturn(s: u32): void {
  let status = load<u64>(s, S_MSTATUS);
  const previous = u32((status & SPP) >> SPP_SHIFT);
  status = (status & ~(SIE | SPP | MPRV)) | ((status & SPIE) >> 4) | SPIE;
  store<u64>(s, status, S_MSTATUS);
  store<u32>(s, previous, S_PRIVILEGE);
  store<u64>(s, load<u64>(s, S_SEPC), S_PC);
  updateContext(s);
}
