import * as N from '../../src/csr-numbers';
import {
  R_IMM,
  R_OP,
  R_RS1,
  S_MCAUSE,
  S_MEPC,
  S_MSCRATCH,
  S_MTVAL,
  S_SCAUSE,
  S_SEPC,
  S_SSCRATCH,
  S_STVAL,
} from '../../src/layout';
import * as O from '../ops';

/** Which instructions of Zicsr a region holds. Those whose writes change interrupts or translation for long are left to the interpreter. */

/** Where a CSR that is mere storage lies in the state block, 0 for the others. */
export function storage(number: u32): u32 {
  switch (i32(number)) {
    case N.CSR_SSCRATCH:
      return S_SSCRATCH;
    case N.CSR_SEPC:
      return S_SEPC;
    case N.CSR_SCAUSE:
      return S_SCAUSE;
    case N.CSR_STVAL:
      return S_STVAL;
    case N.CSR_MSCRATCH:
      return S_MSCRATCH;
    case N.CSR_MEPC:
      return S_MEPC;
    case N.CSR_MCAUSE:
      return S_MCAUSE;
    case N.CSR_MTVAL:
      return S_MTVAL;
    default:
      return 0;
  }
}

function isFloatCsr(number: u32): bool {
  return number >= u32(N.CSR_FFLAGS) && number <= u32(N.CSR_FCSR);
}

export function isStatus(number: u32): bool {
  return number == u32(N.CSR_SSTATUS) || number == u32(N.CSR_MSTATUS);
}

/** Whether the instruction writes its CSR; a source of x0 or 0 sets and clears nothing. */
export function writes(record: u32): bool {
  const op: i32 = load<u16>(record, R_OP);
  return op == O.OP_CSRRW || op == O.OP_CSRRWI || load<u8>(record, R_RS1) != 0;
}

/** A region may hold the instruction. */
export function compilesCsr(record: u32): bool {
  const number = load<u32>(record, R_IMM);
  return !writes(record) || storage(number) != 0 || isFloatCsr(number) || isStatus(number);
}

