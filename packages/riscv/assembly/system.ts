import {
  EXIT_BREAKPOINT,
  EXIT_SBI,
  EXIT_WFI,
  OPTION_EBREAK_EXITS,
  OPTION_HOST_FIRMWARE,
  R_IMM,
  R_RAW,
  R_RD,
  R_RS1,
  R_RS2,
  R_STEP,
  S_CSR_ILLEGAL,
  S_EXIT,
  S_MSTATUS,
  S_OPTIONS,
  S_PC,
  S_PRIVILEGE,
  S_WAITING,
} from '../src/layout';
import { modifyBase, readCsr, writeCsr } from './csr';
import { OP_CSRRC, OP_CSRRCI, OP_CSRRS, OP_CSRRSI, OP_CSRRW, OP_CSRRWI } from './ops';
import {
  BREAKPOINT,
  ECALL_FROM_U,
  ILLEGAL_INSTRUCTION,
  LEAVE,
  LEAVE_RETIRED,
  MACHINE,
  NEXT,
  RESYNC,
  SUPERVISOR,
  TSR,
  TVM,
  TW,
  USER,
} from './status';
import { fence } from './tlb';
import { enabledInterrupts, machineReturn, raise, supervisorReturn } from './trap';

/** Zicsr and the privileged instructions. */

export function illegalInstruction(s: u32, record: u32): u32 {
  return raise(s, ILLEGAL_INSTRUCTION, load<u32>(record, R_RAW));
}

/** The instruction ends, and what depends on the mode or on interrupts is looked at again. */
function resync(s: u32, record: u32): u32 {
  store<u64>(s, load<u64>(s, S_PC) + (load<u8>(record, R_STEP) >> 3), S_PC);
  return RESYNC;
}

export function csrInstruction(s: u32, record: u32, op: i32): u32 {
  const number = load<u32>(record, R_IMM);
  const source = load<u8>(record, R_RS1) >> 3;
  const immediate = op >= OP_CSRRWI;
  const operand: u64 = immediate ? source : load<u64>(s + (source << 3));
  const replaces = op == OP_CSRRW || op == OP_CSRRWI;
  const writes = replaces || source != 0;
  if (writes && number >> 10 == 3) return illegalInstruction(s, record);
  store<u32>(s, 0, S_CSR_ILLEGAL);
  const old = readCsr(s, number, load<u32>(s, S_PRIVILEGE));
  if (load<u32>(s, S_CSR_ILLEGAL) != 0) return illegalInstruction(s, record);
  let result: u32 = NEXT;
  if (writes) {
    let value = operand;
    if (op == OP_CSRRS || op == OP_CSRRSI) value = modifyBase(s, number, old) | operand;
    else if (op == OP_CSRRC || op == OP_CSRRCI) value = modifyBase(s, number, old) & ~operand;
    result = writeCsr(s, number, value);
  }
  store<u64>(s + load<u16>(record, R_RD), old);
  return result == NEXT ? NEXT : resync(s, record);
}

/** ECALL; with firmware in the host, S-mode's calls leave run() with the PC behind the instruction. */
export function environmentCall(s: u32): u32 {
  const privilege = load<u32>(s, S_PRIVILEGE);
  if (privilege == SUPERVISOR && (load<u32>(s, S_OPTIONS) & OPTION_HOST_FIRMWARE) != 0) {
    store<u64>(s, load<u64>(s, S_PC) + 4, S_PC);
    store<u32>(s, EXIT_SBI, S_EXIT);
    return LEAVE;
  }
  return raise(s, ECALL_FROM_U + privilege, 0);
}

/** EBREAK; as an exit, the PC stays at the instruction. */
export function environmentBreak(s: u32): u32 {
  if ((load<u32>(s, S_OPTIONS) & OPTION_EBREAK_EXITS) != 0) {
    store<u32>(s, EXIT_BREAKPOINT, S_EXIT);
    return LEAVE;
  }
  return raise(s, BREAKPOINT, load<u64>(s, S_PC));
}

export function returnFromMachine(s: u32, record: u32): u32 {
  if (load<u32>(s, S_PRIVILEGE) != MACHINE) return illegalInstruction(s, record);
  machineReturn(s);
  return RESYNC;
}

export function returnFromSupervisor(s: u32, record: u32): u32 {
  const privilege = load<u32>(s, S_PRIVILEGE);
  if (privilege == USER || (privilege == SUPERVISOR && (load<u64>(s, S_MSTATUS) & TSR) != 0)) {
    return illegalInstruction(s, record);
  }
  supervisorReturn(s);
  return RESYNC;
}

/** WFI retires; the hart then waits, outside run(), unless an interrupt is pending (3.3.3). */
export function waitForInterrupt(s: u32, record: u32): u32 {
  const privilege = load<u32>(s, S_PRIVILEGE);
  if (privilege == USER || (privilege == SUPERVISOR && (load<u64>(s, S_MSTATUS) & TW) != 0)) {
    return illegalInstruction(s, record);
  }
  if (enabledInterrupts(s) != 0) return NEXT;
  store<u64>(s, load<u64>(s, S_PC) + 4, S_PC);
  store<u32>(s, 1, S_WAITING);
  store<u32>(s, EXIT_WFI, S_EXIT);
  return LEAVE_RETIRED;
}

export function fenceVirtualMemory(s: u32, record: u32): u32 {
  const privilege = load<u32>(s, S_PRIVILEGE);
  if (privilege == USER || (privilege == SUPERVISOR && (load<u64>(s, S_MSTATUS) & TVM) != 0)) {
    return illegalInstruction(s, record);
  }
  const rs1 = load<u8>(record, R_RS1);
  const rs2 = load<u8>(record, R_RS2);
  fence(s, load<u64>(s + rs1), rs1 == 0, load<u64>(s + rs2), rs2 == 0);
  return resync(s, record);
}
