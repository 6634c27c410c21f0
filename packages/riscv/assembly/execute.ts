import { R_IMM, R_OP, R_RAW, R_RD, R_RS1, R_RS2, R_STEP, S_F, S_MSTATUS, S_VALUE } from '../src/layout';
import { slowLoad, slowStore } from './access';
import { atomicMemoryOperation, loadReserved, storeConditional } from './atomic';
import * as O from './ops';
import { FS, NEXT } from './status';
import {
  csrInstruction,
  environmentBreak,
  environmentCall,
  fenceVirtualMemory,
  illegalInstruction,
  returnFromMachine,
  returnFromSupervisor,
  waitForInterrupt,
} from './system';

// @ts-ignore: decorator
@inline
function address(s: u32, record: u32): u64 {
  return load<u64>(s + load<u8>(record, R_RS1)) + i64(load<i32>(record, R_IMM));
}

// @ts-ignore: decorator
@inline
function isFloat(op: i32): bool {
  return op == O.OP_FLW || op == O.OP_FLD || op == O.OP_FSW || op == O.OP_FSD;
}

export function slowWidth(op: i32): u32 {
  switch (op) {
    case O.OP_LB:
    case O.OP_LBU:
    case O.OP_SB:
      return 1;
    case O.OP_LH:
    case O.OP_LHU:
    case O.OP_SH:
      return 2;
    case O.OP_LD:
    case O.OP_FLD:
    case O.OP_SD:
    case O.OP_FSD:
      return 8;
    default:
      return 4;
  }
}

function loadInstruction(s: u32, record: u32, op: i32): u32 {
  if (isFloat(op) && (load<u64>(s, S_MSTATUS) & FS) == 0) return illegalInstruction(s, record);
  const width = slowWidth(op);
  // MMIO ends the instruction itself; the value is valid then too.
  const result = slowLoad(s, address(s, record), width, load<u8>(record, R_STEP));
  if (result > 1) return result;
  const value = load<u64>(s, S_VALUE);
  if (isFloat(op)) {
    store<u64>(s, load<u64>(s, S_MSTATUS) | FS, S_MSTATUS);
    const boxed = op == O.OP_FLW ? value | 0xffffffff00000000 : value;
    store<u64>(s + load<u16>(record, R_RD), boxed, S_F);
    return result;
  }
  let extended = value;
  if (op == O.OP_LB) extended = i64(i8(value));
  else if (op == O.OP_LH) extended = i64(i16(value));
  else if (op == O.OP_LW) extended = i64(i32(value));
  store<u64>(s + load<u16>(record, R_RD), extended);
  return result;
}

function storeInstruction(s: u32, record: u32, op: i32): u32 {
  if (isFloat(op) && (load<u64>(s, S_MSTATUS) & FS) == 0) return illegalInstruction(s, record);
  const rs2 = load<u8>(record, R_RS2);
  const value = isFloat(op) ? load<u64>(s + rs2, S_F) : load<u64>(s + rs2);
  return slowStore(s, address(s, record), slowWidth(op), value, load<u8>(record, R_STEP));
}

/**
 * Carries out an instruction outside the dispatch loop; S_PC and S_LEFT are up to date. Everything that is
 * rare, long, may trap or may change the mode stands here.
 */
export function execute(s: u32, record: u32): u32 {
  const op: i32 = load<u16>(record, R_OP);
  if ((op >= O.OP_LB && op <= O.OP_LWU) || op == O.OP_FLW || op == O.OP_FLD) return loadInstruction(s, record, op);
  if ((op >= O.OP_SB && op <= O.OP_SD) || op == O.OP_FSW || op == O.OP_FSD) return storeInstruction(s, record, op);
  if (op >= O.OP_CSRRW && op <= O.OP_CSRRCI) return csrInstruction(s, record, op);
  if (op >= O.OP_AMOSWAP_W && op <= O.OP_AMOMAXU_D) {
    return atomicMemoryOperation(s, record, op, ((load<u32>(record, R_RAW) >> 12) & 1) != 0 ? 8 : 4);
  }
  switch (op) {
    case O.OP_LR_W:
      return loadReserved(s, record, 4);
    case O.OP_LR_D:
      return loadReserved(s, record, 8);
    case O.OP_SC_W:
      return storeConditional(s, record, 4);
    case O.OP_SC_D:
      return storeConditional(s, record, 8);
    case O.OP_FENCE:
    case O.OP_FENCE_I:
      // Memory is sequential, and every store drops the records that it changes.
      return NEXT;
    case O.OP_ECALL:
      return environmentCall(s);
    case O.OP_EBREAK:
      return environmentBreak(s);
    case O.OP_SRET:
      return returnFromSupervisor(s, record);
    case O.OP_MRET:
      return returnFromMachine(s, record);
    case O.OP_WFI:
      return waitForInterrupt(s, record);
    case O.OP_SFENCE_VMA:
      return fenceVirtualMemory(s, record);
    default:
      return illegalInstruction(s, record);
  }
}
