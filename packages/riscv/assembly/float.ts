import { R_IMM, R_OP, R_RAW, R_RD, R_RS1, R_RS2, S_F, S_FFLAGS, S_FRM, S_MSTATUS } from '../src/layout';
import { floatOperation, givesInteger, rounds, takesInteger } from './float-operation';
import { FS } from './status';

const DYNAMIC: u32 = 7;
const RESERVED_MODES: u32 = 5;

/**
 * The F and D instructions beside loads and stores: registers, rounding mode, mstatus.FS.
 *
 * @returns false, with nothing done, where the instruction is illegal
 */
export function floatInstruction(s: u32, record: u32): bool {
  const op: u32 = load<u16>(record, R_OP);
  const status = load<u64>(s, S_MSTATUS);
  let rm: u32 = 0;
  if (rounds(op)) {
    rm = load<u32>(record, R_IMM) & 7;
    if (rm == DYNAMIC) rm = load<u32>(s, S_FRM);
  }
  if ((status & FS) == 0 || rm >= RESERVED_MODES) return false;
  store<u64>(s, status | FS, S_MSTATUS);
  const first = s + load<u8>(record, R_RS1);
  const a = takesInteger(op) ? load<u64>(first) : load<u64>(first, S_F);
  // Operands that the operation does not have are some register too.
  const b = load<u64>(s + load<u8>(record, R_RS2), S_F);
  const c = load<u64>(s + (load<u32>(record, R_IMM) & 0xf8), S_F);
  const result = floatOperation(s + S_FFLAGS, op, rm, a, b, c);
  if (givesInteger(op)) store<u64>(s + load<u16>(record, R_RD), result);
  else store<u64>(s + ((load<u32>(record, R_RAW) >> 4) & 0xf8), result, S_F);
  return true;
}

/**
 * `floatOperation` for compiled code: the rounding mode is to nearest, or the upper half of `operation`, whose
 * lower half is the op.
 */
export function compiledFloatOperation(s: u32, operation: u32, a: u64, b: u64, c: u64): u64 {
  return floatOperation(s + S_FFLAGS, operation & 0xffff, operation >> 16, a, b, c);
}

/** `limit` while NX is set, or 0: results below it need no look at the flags. */
export function whileInexact(s: u32, limit: u64): u64 {
  return (load<u32>(s, S_FFLAGS) & 1) != 0 ? limit : 0;
}
