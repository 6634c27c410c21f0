import * as O from '../ops';
import { boxSingle, destinationF, isBoxed, source1, source2 } from './float-check';
import {
  F64_ABS,
  F64_COPYSIGN,
  F64_NEG,
  I32_AND,
  I32_OR,
  I32_WRAP_I64,
  I32_XOR,
  I64_AND,
  I64_EXTEND32_S,
  I64_GE_U,
  I64_OR,
  I64_XOR,
  SELECT,
} from './opcodes';
import { beginF, beginX, endF, endFBits, endX, getF, getFBits, getX1 } from './registers';
import { byte, constI32, constI64 } from './writer';

/** Sign injection and moves: bits are moved, no flag is raised. */

const SIGN32: i32 = -2147483648;
const SIGN64: i64 = i64.MIN_VALUE;
const BOX: i64 = -4294967296;
const CANONICAL_NAN32: i32 = 0x7fc00000;

export function signInjection64(j: u32, record: u32, op: i32): void {
  const first = source1(record);
  const second = source2(record);
  const same = first == second;
  beginF(j);
  if (op == O.OP_FSGNJX_D && !same) {
    getFBits(j, first);
    getFBits(j, second);
    constI64(j, SIGN64);
    byte(j, I64_AND);
    byte(j, I64_XOR);
    endFBits(j, destinationF(record));
    return;
  }
  getF(j, first);
  if (op == O.OP_FSGNJX_D) byte(j, F64_ABS);
  else if (!same) {
    getF(j, second);
    if (op == O.OP_FSGNJN_D) byte(j, F64_NEG);
    byte(j, F64_COPYSIGN);
  } else if (op == O.OP_FSGNJN_D) byte(j, F64_NEG);
  endF(j, destinationF(record));
}

/** Pushes the binary32 encoding in a register as i32, the canonical NaN when it is not boxed. */
function getEncoding(j: u32, register: u32): void {
  getFBits(j, register);
  byte(j, I32_WRAP_I64);
  if (isBoxed(j, register)) return;
  constI32(j, CANONICAL_NAN32);
  getFBits(j, register);
  constI64(j, BOX);
  byte(j, I64_GE_U);
  byte(j, SELECT);
}

export function signInjection32(j: u32, record: u32, op: i32): void {
  const first = source1(record);
  const second = source2(record);
  beginF(j);
  getEncoding(j, first);
  if (first == second) {
    if (op != O.OP_FSGNJ_S) {
      constI32(j, op == O.OP_FSGNJN_S ? SIGN32 : ~SIGN32);
      byte(j, op == O.OP_FSGNJN_S ? I32_XOR : I32_AND);
    }
  } else {
    if (op != O.OP_FSGNJX_S) {
      constI32(j, ~SIGN32);
      byte(j, I32_AND);
    }
    getEncoding(j, second);
    if (op == O.OP_FSGNJN_S) {
      constI32(j, -1);
      byte(j, I32_XOR);
    }
    constI32(j, SIGN32);
    byte(j, I32_AND);
    byte(j, op == O.OP_FSGNJX_S ? I32_XOR : I32_OR);
  }
  boxSingle(j);
  endFBits(j, destinationF(record));
}

/** FMV.X.W, FMV.X.D, FMV.W.X and FMV.D.X. */
export function move(j: u32, record: u32, op: i32): void {
  if (op == O.OP_FMV_X_W || op == O.OP_FMV_X_D) {
    beginX(j, record);
    getFBits(j, source1(record));
    if (op == O.OP_FMV_X_W) byte(j, I64_EXTEND32_S);
    endX(j, record);
    return;
  }
  beginF(j);
  getX1(j, record);
  if (op == O.OP_FMV_W_X) {
    constI64(j, BOX);
    byte(j, I64_OR);
  }
  endFBits(j, destinationF(record));
}
