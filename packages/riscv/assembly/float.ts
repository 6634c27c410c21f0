import { R_IMM, R_OP, R_RAW, R_RD, R_RS1, R_RS2, S_F, S_FFLAGS, S_FRM, S_MSTATUS } from '../src/layout';
import {
  OP_FADD_D,
  OP_FADD_S,
  OP_FCLASS_D,
  OP_FCLASS_S,
  OP_FCVT_D_L,
  OP_FCVT_D_LU,
  OP_FCVT_D_S,
  OP_FCVT_D_W,
  OP_FCVT_D_WU,
  OP_FCVT_LU_D,
  OP_FCVT_LU_S,
  OP_FCVT_L_D,
  OP_FCVT_L_S,
  OP_FCVT_S_D,
  OP_FCVT_S_L,
  OP_FCVT_S_LU,
  OP_FCVT_S_W,
  OP_FCVT_S_WU,
  OP_FCVT_WU_D,
  OP_FCVT_WU_S,
  OP_FCVT_W_D,
  OP_FCVT_W_S,
  OP_FDIV_D,
  OP_FDIV_S,
  OP_FEQ_D,
  OP_FEQ_S,
  OP_FLE_D,
  OP_FLE_S,
  OP_FLT_D,
  OP_FLT_S,
  OP_FMADD_D,
  OP_FMADD_S,
  OP_FMAX_D,
  OP_FMAX_S,
  OP_FMIN_D,
  OP_FMIN_S,
  OP_FMSUB_D,
  OP_FMSUB_S,
  OP_FMUL_D,
  OP_FMUL_S,
  OP_FMV_W_X,
  OP_FMV_X_D,
  OP_FMV_X_W,
  OP_FNMADD_D,
  OP_FNMADD_S,
  OP_FNMSUB_D,
  OP_FNMSUB_S,
  OP_FSGNJN_D,
  OP_FSGNJN_S,
  OP_FSGNJX_D,
  OP_FSGNJX_S,
  OP_FSGNJ_D,
  OP_FSGNJ_S,
  OP_FSQRT_D,
  OP_FSQRT_S,
  OP_FSUB_D,
  OP_FSUB_S,
} from './ops';
import {
  f32Add,
  f32Class,
  f32Div,
  f32Eq,
  f32Fma,
  f32Le,
  f32Lt,
  f32Max,
  f32Min,
  f32Mul,
  f32Sqrt,
  f32Sub,
  f32ToF64,
  f32ToI32,
  f32ToI64,
  f32ToU32,
  f32ToU64,
  f64Add,
  f64Class,
  f64Div,
  f64Eq,
  f64Fma,
  f64Le,
  f64Lt,
  f64Max,
  f64Min,
  f64Mul,
  f64Sqrt,
  f64Sub,
  f64ToF32,
  f64ToI32,
  f64ToI64,
  f64ToU32,
  f64ToU64,
  i32ToF32,
  i32ToF64,
  i64ToF32,
  i64ToF64,
  u32ToF32,
  u32ToF64,
  u64ToF32,
  u64ToF64,
} from './softfloat/index';
import { FS, ILLEGAL_INSTRUCTION, NEXT } from './status';
import { raise } from './trap';

/** The F and D instructions beside loads and stores: operands, NaN boxing, rounding mode, mstatus.FS. */

const SIGN32: u32 = 0x80000000;
const SIGN64: u64 = 1 << 63;
const BOX: u64 = 0xffffffff00000000;
const CANONICAL_NAN32: u32 = 0x7fc00000;
const DYNAMIC: u32 = 7;
const RESERVED_MODES: u32 = 5;

// @ts-ignore: decorator
@inline
function unbox(value: u64): u32 {
  return value >= BOX ? u32(value) : CANONICAL_NAN32;
}

// @ts-ignore: decorator
@inline
function double(s: u32, record: u32, field: u32): u64 {
  return load<u64>(s + load<u8>(record + field), S_F);
}

// @ts-ignore: decorator
@inline
function single(s: u32, record: u32, field: u32): u32 {
  return unbox(double(s, record, field));
}

// @ts-ignore: decorator
@inline
function thirdDouble(s: u32, record: u32): u64 {
  return load<u64>(s + (load<u32>(record, R_IMM) & ~7), S_F);
}

// @ts-ignore: decorator
@inline
function thirdSingle(s: u32, record: u32): u32 {
  return unbox(thirdDouble(s, record));
}

// @ts-ignore: decorator
@inline
function integer(s: u32, record: u32): i64 {
  return load<i64>(s + load<u8>(record, R_RS1));
}

// @ts-ignore: decorator
@inline
function setDouble(s: u32, record: u32, value: u64): u32 {
  store<u64>(s + ((load<u32>(record, R_RAW) >> 4) & 0xf8), value, S_F);
  return NEXT;
}

// @ts-ignore: decorator
@inline
function setSingle(s: u32, record: u32, value: u32): u32 {
  return setDouble(s, record, BOX | value);
}

// @ts-ignore: decorator
@inline
function setInteger(s: u32, record: u32, value: i64): u32 {
  store<i64>(s + load<u16>(record, R_RD), value);
  return NEXT;
}

/** Instructions that round: their rm field is in the immediate. */
export function roundingFloat(s: u32, record: u32): u32 {
  const status = load<u64>(s, S_MSTATUS);
  let rm = load<u32>(record, R_IMM) & 7;
  if (rm == DYNAMIC) rm = load<u32>(s, S_FRM);
  if ((status & FS) == 0 || rm >= RESERVED_MODES) return raise(s, ILLEGAL_INSTRUCTION, load<u32>(record, R_RAW));
  store<u64>(s, status | FS, S_MSTATUS);
  const flags = s + S_FFLAGS;
  switch (i32(load<u16>(record, R_OP))) {
    case OP_FADD_S:
      return setSingle(s, record, f32Add(flags, single(s, record, R_RS1), single(s, record, R_RS2), rm));
    case OP_FSUB_S:
      return setSingle(s, record, f32Sub(flags, single(s, record, R_RS1), single(s, record, R_RS2), rm));
    case OP_FMUL_S:
      return setSingle(s, record, f32Mul(flags, single(s, record, R_RS1), single(s, record, R_RS2), rm));
    case OP_FDIV_S:
      return setSingle(s, record, f32Div(flags, single(s, record, R_RS1), single(s, record, R_RS2), rm));
    case OP_FSQRT_S:
      return setSingle(s, record, f32Sqrt(flags, single(s, record, R_RS1), rm));
    case OP_FMADD_S:
      return setSingle(s, record, f32Fma(flags, single(s, record, R_RS1), single(s, record, R_RS2), thirdSingle(s, record), rm));
    case OP_FMSUB_S:
      return setSingle(s, record, f32Fma(flags, single(s, record, R_RS1), single(s, record, R_RS2), thirdSingle(s, record) ^ SIGN32, rm));
    case OP_FNMSUB_S:
      return setSingle(s, record, f32Fma(flags, single(s, record, R_RS1) ^ SIGN32, single(s, record, R_RS2), thirdSingle(s, record), rm));
    case OP_FNMADD_S:
      return setSingle(s, record, f32Fma(flags, single(s, record, R_RS1) ^ SIGN32, single(s, record, R_RS2), thirdSingle(s, record) ^ SIGN32, rm));
    case OP_FCVT_W_S:
      return setInteger(s, record, f32ToI32(flags, single(s, record, R_RS1), rm));
    case OP_FCVT_S_W:
      return setSingle(s, record, i32ToF32(flags, i32(integer(s, record)), rm));
    case OP_FCVT_WU_S:
      return setInteger(s, record, i32(f32ToU32(flags, single(s, record, R_RS1), rm)));
    case OP_FCVT_S_WU:
      return setSingle(s, record, u32ToF32(flags, u32(integer(s, record)), rm));
    case OP_FCVT_L_S:
      return setInteger(s, record, f32ToI64(flags, single(s, record, R_RS1), rm));
    case OP_FCVT_S_L:
      return setSingle(s, record, i64ToF32(flags, integer(s, record), rm));
    case OP_FCVT_LU_S:
      return setInteger(s, record, f32ToU64(flags, single(s, record, R_RS1), rm));
    case OP_FCVT_S_LU:
      return setSingle(s, record, u64ToF32(flags, u64(integer(s, record)), rm));
    case OP_FADD_D:
      return setDouble(s, record, f64Add(flags, double(s, record, R_RS1), double(s, record, R_RS2), rm));
    case OP_FSUB_D:
      return setDouble(s, record, f64Sub(flags, double(s, record, R_RS1), double(s, record, R_RS2), rm));
    case OP_FMUL_D:
      return setDouble(s, record, f64Mul(flags, double(s, record, R_RS1), double(s, record, R_RS2), rm));
    case OP_FDIV_D:
      return setDouble(s, record, f64Div(flags, double(s, record, R_RS1), double(s, record, R_RS2), rm));
    case OP_FSQRT_D:
      return setDouble(s, record, f64Sqrt(flags, double(s, record, R_RS1), rm));
    case OP_FMADD_D:
      return setDouble(s, record, f64Fma(flags, double(s, record, R_RS1), double(s, record, R_RS2), thirdDouble(s, record), rm));
    case OP_FMSUB_D:
      return setDouble(s, record, f64Fma(flags, double(s, record, R_RS1), double(s, record, R_RS2), thirdDouble(s, record) ^ SIGN64, rm));
    case OP_FNMSUB_D:
      return setDouble(s, record, f64Fma(flags, double(s, record, R_RS1) ^ SIGN64, double(s, record, R_RS2), thirdDouble(s, record), rm));
    case OP_FNMADD_D:
      return setDouble(s, record, f64Fma(flags, double(s, record, R_RS1) ^ SIGN64, double(s, record, R_RS2), thirdDouble(s, record) ^ SIGN64, rm));
    case OP_FCVT_W_D:
      return setInteger(s, record, f64ToI32(flags, double(s, record, R_RS1), rm));
    case OP_FCVT_D_W:
      return setDouble(s, record, i32ToF64(flags, i32(integer(s, record)), rm));
    case OP_FCVT_WU_D:
      return setInteger(s, record, i32(f64ToU32(flags, double(s, record, R_RS1), rm)));
    case OP_FCVT_D_WU:
      return setDouble(s, record, u32ToF64(flags, u32(integer(s, record)), rm));
    case OP_FCVT_L_D:
      return setInteger(s, record, f64ToI64(flags, double(s, record, R_RS1), rm));
    case OP_FCVT_D_L:
      return setDouble(s, record, i64ToF64(flags, integer(s, record), rm));
    case OP_FCVT_LU_D:
      return setInteger(s, record, f64ToU64(flags, double(s, record, R_RS1), rm));
    case OP_FCVT_D_LU:
      return setDouble(s, record, u64ToF64(flags, u64(integer(s, record)), rm));
    case OP_FCVT_S_D:
      return setSingle(s, record, f64ToF32(flags, double(s, record, R_RS1), rm));
    case OP_FCVT_D_S:
      return setDouble(s, record, f32ToF64(flags, single(s, record, R_RS1), rm));
    default:
      return NEXT;
  }
}

/** Instructions that do not round. */
export function exactFloat(s: u32, record: u32): u32 {
  const status = load<u64>(s, S_MSTATUS);
  if ((status & FS) == 0) return raise(s, ILLEGAL_INSTRUCTION, load<u32>(record, R_RAW));
  store<u64>(s, status | FS, S_MSTATUS);
  const flags = s + S_FFLAGS;
  switch (i32(load<u16>(record, R_OP))) {
    case OP_FSGNJ_S:
      return setSingle(s, record, (single(s, record, R_RS1) & ~SIGN32) | (single(s, record, R_RS2) & SIGN32));
    case OP_FSGNJN_S:
      return setSingle(s, record, (single(s, record, R_RS1) & ~SIGN32) | (~single(s, record, R_RS2) & SIGN32));
    case OP_FSGNJX_S:
      return setSingle(s, record, single(s, record, R_RS1) ^ (single(s, record, R_RS2) & SIGN32));
    case OP_FMIN_S:
      return setSingle(s, record, f32Min(flags, single(s, record, R_RS1), single(s, record, R_RS2)));
    case OP_FMAX_S:
      return setSingle(s, record, f32Max(flags, single(s, record, R_RS1), single(s, record, R_RS2)));
    case OP_FEQ_S:
      return setInteger(s, record, f32Eq(flags, single(s, record, R_RS1), single(s, record, R_RS2)));
    case OP_FLT_S:
      return setInteger(s, record, f32Lt(flags, single(s, record, R_RS1), single(s, record, R_RS2)));
    case OP_FLE_S:
      return setInteger(s, record, f32Le(flags, single(s, record, R_RS1), single(s, record, R_RS2)));
    case OP_FCLASS_S:
      return setInteger(s, record, f32Class(single(s, record, R_RS1)));
    case OP_FSGNJ_D:
      return setDouble(s, record, (double(s, record, R_RS1) & ~SIGN64) | (double(s, record, R_RS2) & SIGN64));
    case OP_FSGNJN_D:
      return setDouble(s, record, (double(s, record, R_RS1) & ~SIGN64) | (~double(s, record, R_RS2) & SIGN64));
    case OP_FSGNJX_D:
      return setDouble(s, record, double(s, record, R_RS1) ^ (double(s, record, R_RS2) & SIGN64));
    case OP_FMIN_D:
      return setDouble(s, record, f64Min(flags, double(s, record, R_RS1), double(s, record, R_RS2)));
    case OP_FMAX_D:
      return setDouble(s, record, f64Max(flags, double(s, record, R_RS1), double(s, record, R_RS2)));
    case OP_FEQ_D:
      return setInteger(s, record, f64Eq(flags, double(s, record, R_RS1), double(s, record, R_RS2)));
    case OP_FLT_D:
      return setInteger(s, record, f64Lt(flags, double(s, record, R_RS1), double(s, record, R_RS2)));
    case OP_FLE_D:
      return setInteger(s, record, f64Le(flags, double(s, record, R_RS1), double(s, record, R_RS2)));
    case OP_FCLASS_D:
      return setInteger(s, record, f64Class(double(s, record, R_RS1)));
    case OP_FMV_X_W:
      return setInteger(s, record, i32(double(s, record, R_RS1)));
    case OP_FMV_W_X:
      return setSingle(s, record, u32(integer(s, record)));
    case OP_FMV_X_D:
      return setInteger(s, record, double(s, record, R_RS1));
    default:
      // fmv.d.x is the only one left.
      return setDouble(s, record, integer(s, record));
  }
}
