import * as O from './ops';
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

/** What the F and D instructions beside loads and stores compute, from register contents to register contents. */

const SIGN32: u32 = 0x80000000;
const SIGN64: u64 = 1 << 63;
const BOX: u64 = 0xffffffff00000000;
const CANONICAL_NAN32: u32 = 0x7fc00000;

/** Operands that are not NaN-boxed count as the canonical NaN (D extension, "NaN Boxing of Narrower Values"). */
// @ts-ignore: decorator
@inline
function unbox(value: u64): u32 {
  return value >= BOX ? u32(value) : CANONICAL_NAN32;
}

// @ts-ignore: decorator
@inline
function box(value: u32): u64 {
  return BOX | value;
}

// @ts-ignore: decorator
@inline
function among(op: u32, first: u32, last: u32): bool {
  return op - first <= last - first;
}

/** True for the F and D instructions beside loads and stores. */
// @ts-ignore: decorator
@inline
export function isFloatOperation(op: u32): bool {
  return among(op, O.OP_FMADD_S, O.OP_FCVT_S_LU) || among(op, O.OP_FMADD_D, O.OP_FCVT_D_S);
}

/** True for the operations whose rd is an integer register. */
// @ts-ignore: decorator
@inline
export function givesInteger(op: u32): bool {
  return (
    among(op, O.OP_FEQ_S, O.OP_FMV_X_W) ||
    among(op, O.OP_FCVT_W_S, O.OP_FCVT_LU_S) ||
    among(op, O.OP_FEQ_D, O.OP_FMV_X_D) ||
    among(op, O.OP_FCVT_W_D, O.OP_FCVT_LU_D)
  );
}

/** True for the operations whose rs1 is an integer register. */
// @ts-ignore: decorator
@inline
export function takesInteger(op: u32): bool {
  return (
    op == O.OP_FMV_W_X ||
    among(op, O.OP_FCVT_S_W, O.OP_FCVT_S_LU) ||
    op == O.OP_FMV_D_X ||
    among(op, O.OP_FCVT_D_W, O.OP_FCVT_D_LU)
  );
}

/** True for the operations whose rm field is a rounding mode. */
// @ts-ignore: decorator
@inline
export function rounds(op: u32): bool {
  return !(among(op, O.OP_FSGNJ_S, O.OP_FMV_W_X) || among(op, O.OP_FSGNJ_D, O.OP_FMV_D_X));
}

/**
 * @param flags address of the u32 into which the raised fflags are ORed
 * @param op OP_FMADD_S to OP_FCVT_D_S, no load or store
 * @param rm 0 to 4; operations that do not round ignore it
 * @param a content of rs1, a floating-point or integer register
 * @param b content of rs2, if there is one
 * @param c content of rs3, if there is one
 * @returns what rd holds afterwards
 */
export function floatOperation(flags: u32, op: u32, rm: u32, a: u64, b: u64, c: u64): u64 {
  switch (i32(op)) {
    case O.OP_FADD_S:
      return box(f32Add(flags, unbox(a), unbox(b), rm));
    case O.OP_FSUB_S:
      return box(f32Sub(flags, unbox(a), unbox(b), rm));
    case O.OP_FMUL_S:
      return box(f32Mul(flags, unbox(a), unbox(b), rm));
    case O.OP_FDIV_S:
      return box(f32Div(flags, unbox(a), unbox(b), rm));
    case O.OP_FSQRT_S:
      return box(f32Sqrt(flags, unbox(a), rm));
    case O.OP_FMADD_S:
      return box(f32Fma(flags, unbox(a), unbox(b), unbox(c), rm));
    case O.OP_FMSUB_S:
      return box(f32Fma(flags, unbox(a), unbox(b), unbox(c) ^ SIGN32, rm));
    case O.OP_FNMSUB_S:
      return box(f32Fma(flags, unbox(a) ^ SIGN32, unbox(b), unbox(c), rm));
    case O.OP_FNMADD_S:
      return box(f32Fma(flags, unbox(a) ^ SIGN32, unbox(b), unbox(c) ^ SIGN32, rm));
    case O.OP_FCVT_W_S:
      return i64(f32ToI32(flags, unbox(a), rm));
    case O.OP_FCVT_S_W:
      return box(i32ToF32(flags, i32(a), rm));
    case O.OP_FCVT_WU_S:
      return i64(i32(f32ToU32(flags, unbox(a), rm)));
    case O.OP_FCVT_S_WU:
      return box(u32ToF32(flags, u32(a), rm));
    case O.OP_FCVT_L_S:
      return f32ToI64(flags, unbox(a), rm);
    case O.OP_FCVT_S_L:
      return box(i64ToF32(flags, a, rm));
    case O.OP_FCVT_LU_S:
      return f32ToU64(flags, unbox(a), rm);
    case O.OP_FCVT_S_LU:
      return box(u64ToF32(flags, a, rm));
    case O.OP_FADD_D:
      return f64Add(flags, a, b, rm);
    case O.OP_FSUB_D:
      return f64Sub(flags, a, b, rm);
    case O.OP_FMUL_D:
      return f64Mul(flags, a, b, rm);
    case O.OP_FDIV_D:
      return f64Div(flags, a, b, rm);
    case O.OP_FSQRT_D:
      return f64Sqrt(flags, a, rm);
    case O.OP_FMADD_D:
      return f64Fma(flags, a, b, c, rm);
    case O.OP_FMSUB_D:
      return f64Fma(flags, a, b, c ^ SIGN64, rm);
    case O.OP_FNMSUB_D:
      return f64Fma(flags, a ^ SIGN64, b, c, rm);
    case O.OP_FNMADD_D:
      return f64Fma(flags, a ^ SIGN64, b, c ^ SIGN64, rm);
    case O.OP_FCVT_W_D:
      return i64(f64ToI32(flags, a, rm));
    case O.OP_FCVT_D_W:
      return i32ToF64(flags, i32(a), rm);
    case O.OP_FCVT_WU_D:
      return i64(i32(f64ToU32(flags, a, rm)));
    case O.OP_FCVT_D_WU:
      return u32ToF64(flags, u32(a), rm);
    case O.OP_FCVT_L_D:
      return f64ToI64(flags, a, rm);
    case O.OP_FCVT_D_L:
      return i64ToF64(flags, a, rm);
    case O.OP_FCVT_LU_D:
      return f64ToU64(flags, a, rm);
    case O.OP_FCVT_D_LU:
      return u64ToF64(flags, a, rm);
    case O.OP_FCVT_S_D:
      return box(f64ToF32(flags, a, rm));
    case O.OP_FCVT_D_S:
      return f32ToF64(flags, unbox(a), rm);
    case O.OP_FSGNJ_S:
      return box((unbox(a) & ~SIGN32) | (unbox(b) & SIGN32));
    case O.OP_FSGNJN_S:
      return box((unbox(a) & ~SIGN32) | (~unbox(b) & SIGN32));
    case O.OP_FSGNJX_S:
      return box(unbox(a) ^ (unbox(b) & SIGN32));
    case O.OP_FMIN_S:
      return box(f32Min(flags, unbox(a), unbox(b)));
    case O.OP_FMAX_S:
      return box(f32Max(flags, unbox(a), unbox(b)));
    case O.OP_FEQ_S:
      return f32Eq(flags, unbox(a), unbox(b));
    case O.OP_FLT_S:
      return f32Lt(flags, unbox(a), unbox(b));
    case O.OP_FLE_S:
      return f32Le(flags, unbox(a), unbox(b));
    case O.OP_FCLASS_S:
      return f32Class(unbox(a));
    case O.OP_FSGNJ_D:
      return (a & ~SIGN64) | (b & SIGN64);
    case O.OP_FSGNJN_D:
      return (a & ~SIGN64) | (~b & SIGN64);
    case O.OP_FSGNJX_D:
      return a ^ (b & SIGN64);
    case O.OP_FMIN_D:
      return f64Min(flags, a, b);
    case O.OP_FMAX_D:
      return f64Max(flags, a, b);
    case O.OP_FEQ_D:
      return f64Eq(flags, a, b);
    case O.OP_FLT_D:
      return f64Lt(flags, a, b);
    case O.OP_FLE_D:
      return f64Le(flags, a, b);
    case O.OP_FCLASS_D:
      return f64Class(a);
    case O.OP_FMV_X_W:
      return i64(i32(a));
    case O.OP_FMV_W_X:
      return box(u32(a));
    default:
      // fmv.x.d and fmv.d.x are left.
      return a;
  }
}
