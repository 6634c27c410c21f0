import { R_RD, R_RS1, R_RS2 } from '../src/layout';
import { raiseFault, noteHartLoad, noteHartStore } from './access';
import { AT_FAULT, AT_MMIO, accessFault, dataOffset } from './mmu';
import {
  OP_AMOADD_D,
  OP_AMOADD_W,
  OP_AMOAND_D,
  OP_AMOAND_W,
  OP_AMOMAX_D,
  OP_AMOMAX_W,
  OP_AMOMINU_D,
  OP_AMOMINU_W,
  OP_AMOMIN_D,
  OP_AMOMIN_W,
  OP_AMOOR_D,
  OP_AMOOR_W,
  OP_AMOSWAP_D,
  OP_AMOSWAP_W,
  OP_AMOXOR_D,
  OP_AMOXOR_W,
} from './ops';
import { reserve, takeReservation } from './reservation';
import { LOAD_MISALIGNED, NEXT, READ, STORE_MISALIGNED, WRITE } from './status';
import { raise } from './trap';

/** The A extension. */

/** LR: loads and reserves. */
export function loadReserved(s: u32, record: u32, width: u32): u32 {
  const address = load<u64>(s + load<u8>(record, R_RS1));
  if ((address & (width - 1)) != 0) return raise(s, LOAD_MISALIGNED, address);
  const offset = dataOffset(s, address, width, READ);
  if (offset == AT_FAULT) return raiseFault(s);
  if (offset == AT_MMIO) return raise(s, accessFault(READ), address);
  reserve(s, offset);
  const value: i64 = width == 8 ? load<i64>(offset) : i64(load<i32>(offset));
  store<i64>(s + load<u16>(record, R_RD), value);
  noteHartLoad(s, offset, width);
  return NEXT;
}

/** SC: stores if the reservation holds, and ends it in any case. */
export function storeConditional(s: u32, record: u32, width: u32): u32 {
  const address = load<u64>(s + load<u8>(record, R_RS1));
  if ((address & (width - 1)) != 0) return raise(s, STORE_MISALIGNED, address);
  const offset = dataOffset(s, address, width, WRITE);
  if (offset == AT_FAULT) return raiseFault(s);
  if (offset == AT_MMIO) return raise(s, accessFault(WRITE), address);
  const reserved = takeReservation(s, offset);
  if (reserved) {
    const value = load<u64>(s + load<u8>(record, R_RS2));
    if (width == 8) store<u64>(offset, value);
    else store<u32>(offset, u32(value));
    noteHartStore(s, offset, width);
  }
  store<u64>(s + load<u16>(record, R_RD), reserved ? 0 : 1);
  return NEXT;
}

// @ts-ignore: decorator
@inline
function combine32(op: i32, old: i32, operand: i32): i32 {
  switch (op) {
    case OP_AMOSWAP_W:
      return operand;
    case OP_AMOADD_W:
      return old + operand;
    case OP_AMOXOR_W:
      return old ^ operand;
    case OP_AMOAND_W:
      return old & operand;
    case OP_AMOOR_W:
      return old | operand;
    case OP_AMOMIN_W:
      return min<i32>(old, operand);
    case OP_AMOMAX_W:
      return max<i32>(old, operand);
    case OP_AMOMINU_W:
      return min<u32>(old, operand);
    default:
      return max<u32>(old, operand);
  }
}

// @ts-ignore: decorator
@inline
function combine64(op: i32, old: i64, operand: i64): i64 {
  switch (op) {
    case OP_AMOSWAP_D:
      return operand;
    case OP_AMOADD_D:
      return old + operand;
    case OP_AMOXOR_D:
      return old ^ operand;
    case OP_AMOAND_D:
      return old & operand;
    case OP_AMOOR_D:
      return old | operand;
    case OP_AMOMIN_D:
      return min<i64>(old, operand);
    case OP_AMOMAX_D:
      return max<i64>(old, operand);
    case OP_AMOMINU_D:
      return min<u64>(old, operand);
    default:
      return max<u64>(old, operand);
  }
}

/** AMOs: faults are those of a store. */
export function atomicMemoryOperation(s: u32, record: u32, op: i32, width: u32): u32 {
  const address = load<u64>(s + load<u8>(record, R_RS1));
  if ((address & (width - 1)) != 0) return raise(s, STORE_MISALIGNED, address);
  const offset = dataOffset(s, address, width, WRITE);
  if (offset == AT_FAULT) return raiseFault(s);
  if (offset == AT_MMIO) return raise(s, accessFault(WRITE), address);
  const operand = load<i64>(s + load<u8>(record, R_RS2));
  let old: i64;
  if (width == 8) {
    old = load<i64>(offset);
    store<i64>(offset, combine64(op, old, operand));
  } else {
    old = load<i32>(offset);
    store<i32>(offset, combine32(op, i32(old), i32(operand)));
  }
  noteHartLoad(s, offset, width);
  noteHartStore(s, offset, width);
  store<i64>(s + load<u16>(record, R_RD), old);
  return NEXT;
}
