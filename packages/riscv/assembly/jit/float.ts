import { R_IMM } from '../../src/layout';
import { givesInteger, rounds } from '../float-operation';
import * as O from '../ops';
import { RMM, RNE } from '../softfloat/flags';
import { arithmetic32, arithmetic64, extremum32, extremum64 } from './float-arithmetic';
import { destinationF, exactOperation, setBoxed } from './float-check';
import { comparison } from './float-compare';
import { fromInteger32, fromInteger64, narrow, toInteger, widen } from './float-convert';
import { fused32, fused64 } from './float-fused';
import { move, signInjection32, signInjection64 } from './float-sign';
import { beginF, beginX, endFBits, endX } from './registers';

/** The F and D instructions beside loads and stores. */

const DYNAMIC: u32 = 7;

/** True for operations that give the same in every rounding mode, or obey the mode when they are inlined. */
// @ts-ignore: decorator
@inline
function obeys(op: i32, rm: u32): bool {
  if (rm == RNE || !rounds(op)) return true;
  if (op == O.OP_FCVT_D_W || op == O.OP_FCVT_D_WU || op == O.OP_FCVT_D_S) return true;
  return givesInteger(op) && rm != RMM;
}

/** True for operations whose result is a binary32 number in a floating-point register. */
// @ts-ignore: decorator
@inline
function givesSingle(op: i32): bool {
  return (op <= O.OP_FCVT_S_LU && !givesInteger(op)) || op == O.OP_FCVT_S_D;
}

/**
 * Emits an instruction of OP_FMADD_S to OP_FCVT_D_S that is no load or store. Floating point is on, and frm
 * is to nearest.
 *
 * @returns false, with nothing emitted, for a reserved rounding mode
 */
export function emitFloat(j: u32, record: u32, op: i32): bool {
  let rm: u32 = RNE;
  if (rounds(op)) {
    rm = load<u32>(record, R_IMM) & 7;
    if (rm == DYNAMIC) rm = RNE;
    if (rm > RMM) return false;
  }
  if (obeys(op, rm)) inlined(j, record, op, rm);
  else called(j, record, op, rm);
  if (!givesInteger(op)) setBoxed(j, destinationF(record), givesSingle(op));
  return true;
}

/** The exact operation with no short way. */
function called(j: u32, record: u32, op: i32, rm: u32): void {
  const integer = givesInteger(op);
  if (integer) beginX(j, record);
  else beginF(j);
  exactOperation(j, record, op, rm);
  if (integer) endX(j, record);
  else endFBits(j, destinationF(record));
}

function inlined(j: u32, record: u32, op: i32, rm: u32): void {
  switch (i32(op)) {
    case O.OP_FMADD_S:
    case O.OP_FMSUB_S:
    case O.OP_FNMSUB_S:
    case O.OP_FNMADD_S:
      return fused32(j, record, op);
    case O.OP_FADD_S:
    case O.OP_FSUB_S:
    case O.OP_FMUL_S:
    case O.OP_FDIV_S:
    case O.OP_FSQRT_S:
      return arithmetic32(j, record, op);
    case O.OP_FSGNJ_S:
    case O.OP_FSGNJN_S:
    case O.OP_FSGNJX_S:
      return signInjection32(j, record, op);
    case O.OP_FMIN_S:
    case O.OP_FMAX_S:
      return extremum32(j, record, op);
    case O.OP_FEQ_S:
    case O.OP_FLT_S:
    case O.OP_FLE_S:
    case O.OP_FEQ_D:
    case O.OP_FLT_D:
    case O.OP_FLE_D:
      return comparison(j, record, op);
    case O.OP_FMV_X_W:
    case O.OP_FMV_W_X:
    case O.OP_FMV_X_D:
    case O.OP_FMV_D_X:
      return move(j, record, op);
    case O.OP_FCVT_W_S:
    case O.OP_FCVT_WU_S:
    case O.OP_FCVT_L_S:
    case O.OP_FCVT_LU_S:
    case O.OP_FCVT_W_D:
    case O.OP_FCVT_WU_D:
    case O.OP_FCVT_L_D:
    case O.OP_FCVT_LU_D:
      return toInteger(j, record, op, rm);
    case O.OP_FCVT_S_W:
    case O.OP_FCVT_S_WU:
    case O.OP_FCVT_S_L:
    case O.OP_FCVT_S_LU:
      return fromInteger32(j, record, op);
    case O.OP_FMADD_D:
    case O.OP_FMSUB_D:
    case O.OP_FNMSUB_D:
    case O.OP_FNMADD_D:
      return fused64(j, record, op);
    case O.OP_FADD_D:
    case O.OP_FSUB_D:
    case O.OP_FMUL_D:
    case O.OP_FDIV_D:
    case O.OP_FSQRT_D:
      return arithmetic64(j, record, op);
    case O.OP_FSGNJ_D:
    case O.OP_FSGNJN_D:
    case O.OP_FSGNJX_D:
      return signInjection64(j, record, op);
    case O.OP_FMIN_D:
    case O.OP_FMAX_D:
      return extremum64(j, record, op);
    case O.OP_FCVT_D_W:
    case O.OP_FCVT_D_WU:
    case O.OP_FCVT_D_L:
    case O.OP_FCVT_D_LU:
      return fromInteger64(j, record, op);
    case O.OP_FCVT_S_D:
      return narrow(j, record, op);
    case O.OP_FCVT_D_S:
      return widen(j, record, op);
    default:
      // FCLASS
      return called(j, record, op, rm);
  }
}
