import * as O from '../ops';

/** Kinds of instructions, by op number. */

/** Compiled code may hold the instruction, if it is one of Zicsr that does; the others are left to the interpreter. */
export function compiles(op: i32): bool {
  if (op > O.OP_CSRRCI && op <= O.OP_SFENCE_VMA) return false;
  return op != 0 && op != O.OP_ECALL && op != O.OP_EBREAK && op < O.OP_ILLEGAL;
}

export function isLoad(op: i32): bool {
  return (op >= O.OP_LB && op <= O.OP_LWU) || op == O.OP_FLW || op == O.OP_FLD;
}

export function isStore(op: i32): bool {
  return (op >= O.OP_SB && op <= O.OP_SD) || op == O.OP_FSW || op == O.OP_FSD;
}

export function isCsr(op: i32): bool {
  return op >= O.OP_CSRRW && op <= O.OP_CSRRCI;
}

export function isAtomic(op: i32): bool {
  return op >= O.OP_LR_W && op <= O.OP_AMOMAXU_D;
}

export function isFloat(op: i32): bool {
  return op >= O.OP_FLW && op <= O.OP_FCVT_D_S;
}
