import {
  B_CELL,
  B_COUNT,
  F64_TEMPORARIES,
  J_BLOCK_COUNT,
  J_F32_TEMPORARIES,
  J_F64_TEMPORARIES,
  J_FLOAT,
  J_F_LOCAL,
  J_F_USED,
  J_F_WRITTEN,
  J_INDIRECT,
  J_LOCALS,
  J_MEMORY_ACCESS,
  J_OPERANDS,
  J_X_LOCAL,
  J_X_USED,
  J_X_WRITTEN,
  LOCAL_REGISTERS,
  READS_F1,
  READS_F2,
  READS_F3,
  READS_X1,
  READS_X2,
  WRITES_F,
  WRITES_X,
} from '../../src/jit/layout';
import { R_OP, R_RAW, R_RD, R_RS1, R_RS2, R_STEP } from '../../src/layout';
import { OP_JALR } from '../ops';
import { isAtomic, isFloat, isLoad, isStore } from './classes';
import { blockAddress, cellRecord } from './discover';
import { destination } from './registers';

/** Which registers a region uses, and the locals that they get. */

/** The destination of an instruction that writes an f register. */
export function floatDestination(record: u32, op: i32): u32 {
  return isLoad(op) ? u32(load<u16>(record, R_RD)) >> 3 : (load<u32>(record, R_RAW) >> 7) & 31;
}

export function operandsOf(j: u32, op: i32): u32 {
  return load<u8>(load<u32>(j, J_OPERANDS) + op);
}

// @ts-ignore: decorator
@inline
function add(j: u32, field: u32, register: u32): void {
  store<u32>(j + field, load<u32>(j + field) | (1 << register));
}

function noteInstruction(j: u32, record: u32): void {
  const op: i32 = load<u16>(record, R_OP);
  const kinds = operandsOf(j, op);
  if ((kinds & READS_X1) != 0) add(j, J_X_USED, u32(load<u8>(record, R_RS1)) >> 3);
  if ((kinds & READS_X2) != 0) add(j, J_X_USED, u32(load<u8>(record, R_RS2)) >> 3);
  if ((kinds & WRITES_X) != 0) add(j, J_X_WRITTEN, destination(record));
  if ((kinds & READS_F1) != 0) add(j, J_F_USED, u32(load<u8>(record, R_RS1)) >> 3);
  if ((kinds & READS_F2) != 0) add(j, J_F_USED, u32(load<u8>(record, R_RS2)) >> 3);
  if ((kinds & READS_F3) != 0) add(j, J_F_USED, load<u32>(record, R_RAW) >> 27);
  if ((kinds & WRITES_F) != 0) add(j, J_F_WRITTEN, floatDestination(record, op));
  if (isFloat(op)) store<u32>(j, 1, J_FLOAT);
  if (isLoad(op) || isStore(op) || isAtomic(op)) store<u32>(j, 1, J_MEMORY_ACCESS);
  if (op == OP_JALR) store<u32>(j, 1, J_INDIRECT);
}

/** Looks at every instruction of the region. */
export function noteUsage(j: u32): void {
  store<u32>(j, 0, J_X_USED);
  store<u32>(j, 0, J_X_WRITTEN);
  store<u32>(j, 0, J_F_USED);
  store<u32>(j, 0, J_F_WRITTEN);
  store<u32>(j, 0, J_FLOAT);
  store<u32>(j, 0, J_MEMORY_ACCESS);
  store<u32>(j, 0, J_INDIRECT);
  for (let index: u32 = 1; index < load<u32>(j, J_BLOCK_COUNT); index++) {
    const block = blockAddress(j, index);
    let cell = load<u32>(block, B_CELL);
    for (let left = load<u32>(block, B_COUNT); left != 0; left--) {
      const record = cellRecord(j, cell);
      noteInstruction(j, record);
      cell += u32(load<u8>(record, R_STEP)) >> 4;
    }
  }
  const written = load<u32>(j, J_X_WRITTEN) & ~1;
  store<u32>(j, written, J_X_WRITTEN);
  store<u32>(j, (load<u32>(j, J_X_USED) & ~1) | written, J_X_USED);
  store<u32>(j, load<u32>(j, J_F_USED) | load<u32>(j, J_F_WRITTEN), J_F_USED);
}

function assign(j: u32, field: u32, used: u32, local: u32): u32 {
  for (let register: u32 = 0; register < 32; register++) {
    if ((used & (1 << register)) != 0) store<u8>(j + field + register, local++);
  }
  return local;
}

/** Numbers the locals: the registers first, if they have locals, then the temporaries of floating point. */
export function assignLocals(j: u32): void {
  const inLocals = load<u32>(j, J_LOCALS) != 0;
  let local: u32 = LOCAL_REGISTERS;
  if (inLocals) local = assign(j, J_X_LOCAL, load<u32>(j, J_X_USED), local);
  store<u32>(j, local, J_F64_TEMPORARIES);
  local += F64_TEMPORARIES;
  if (inLocals) local = assign(j, J_F_LOCAL, load<u32>(j, J_F_USED), local);
  store<u32>(j, local, J_F32_TEMPORARIES);
}
