import { PAGE_LOAD_WATCHED, PAGE_RESERVED } from '@vmloom/memory/assembly/constants';
import { noteStore } from '@vmloom/memory/assembly/store';
import {
  C_FLAGS,
  S_CORE,
  S_FAULT_ADDRESS,
  S_FAULT_CAUSE,
  S_INDEX,
  S_PC,
  S_PHYSICAL,
  S_VALUE,
} from '../src/layout';
import { mmioLoad, mmioStore, watchedLoad } from './imports';
import { AT_FAULT, AT_MMIO, accessFault, dataOffset } from './mmu';
import { breakReservations } from './reservation';
import { NEXT, READ, RESYNC, WRITE } from './status';
import { raise } from './trap';

/** Loads and stores beyond the fast path: misaligned, first touch of a page, MMIO, faulting. */

/** Takes the exception that dataOffset found. */
export function raiseFault(s: u32): u32 {
  return raise(s, load<u32>(s, S_FAULT_CAUSE), load<u64>(s, S_FAULT_ADDRESS));
}

/** Tells the page flags of a store of this hart, within one page. Reservations alone need no host. */
export function noteHartStore(s: u32, offset: u32, length: u32): void {
  const c = load<u32>(s, S_CORE);
  const flags = load<u32>(c, C_FLAGS);
  if (load<u8>(flags + (offset >>> 12)) == PAGE_RESERVED) breakReservations(c, offset, length);
  else noteStore(flags, offset, length);
}

/** Tells of a load of this hart, within one page, where somebody watches. No such page is in a buffer for loads. */
export function noteHartLoad(s: u32, offset: u32, length: u32): void {
  const flags = load<u32>(load<u32>(s, S_CORE), C_FLAGS);
  if ((load<u8>(flags + (offset >>> 12)) & PAGE_LOAD_WATCHED) != 0) watchedLoad(offset, length);
}

// @ts-ignore: decorator
@inline
function crosses(address: u64, width: u32): bool {
  return (u32(address) & 0xfff) + width > 4096;
}

/** After MMIO interrupts and the slice are looked at again: the instruction ends here. */
// @ts-ignore: decorator
@inline
function afterMmio(s: u32, step: u32): u32 {
  store<u64>(s, load<u64>(s, S_PC) + (step >> 3), S_PC);
  return RESYNC;
}

function loadBytes(offset: u32, count: u32): u64 {
  let value: u64 = 0;
  for (let index: u32 = 0; index < count; index++) value |= u64(load<u8>(offset + index)) << (index << 3);
  return value;
}

function storeBytes(offset: u32, count: u32, value: u64): void {
  for (let index: u32 = 0; index < count; index++) store<u8>(offset + index, u8(value >> (index << 3)));
}

/** A load of 1 to 8 bytes; the zero-extended value in S_VALUE unless a trap is taken. */
export function slowLoad(s: u32, address: u64, width: u32, step: u32): u32 {
  if (crosses(address, width)) {
    const head = 4096 - (u32(address) & 0xfff);
    const tail = address + head;
    const first = dataOffset(s, address, head, READ);
    if (first == AT_FAULT) return raiseFault(s);
    const second = dataOffset(s, tail, width - head, READ);
    if (second == AT_FAULT) return raiseFault(s);
    if (first == AT_MMIO) return raise(s, accessFault(READ), address);
    if (second == AT_MMIO) return raise(s, accessFault(READ), tail);
    store<u64>(s, loadBytes(first, head) | (loadBytes(second, width - head) << (head << 3)), S_VALUE);
    noteHartLoad(s, first, head);
    noteHartLoad(s, second, width - head);
    return NEXT;
  }
  const offset = dataOffset(s, address, width, READ);
  if (offset == AT_FAULT) return raiseFault(s);
  if (offset == AT_MMIO) {
    const physical = load<u64>(s, S_PHYSICAL);
    if (mmioLoad(load<u32>(s, S_INDEX), u32(physical), u32(physical >> 32), width) != 0) {
      return raise(s, accessFault(READ), address);
    }
    return afterMmio(s, step);
  }
  if (width == 8) store<u64>(s, load<u64>(offset), S_VALUE);
  else if (width == 4) store<u64>(s, load<u32>(offset), S_VALUE);
  else if (width == 2) store<u64>(s, load<u16>(offset), S_VALUE);
  else store<u64>(s, load<u8>(offset), S_VALUE);
  noteHartLoad(s, offset, width);
  return NEXT;
}

/** A store of 1 to 8 bytes. Nothing is written when any part of it faults. */
export function slowStore(s: u32, address: u64, width: u32, value: u64, step: u32): u32 {
  if (crosses(address, width)) {
    const head = 4096 - (u32(address) & 0xfff);
    const tail = address + head;
    const first = dataOffset(s, address, head, WRITE);
    if (first == AT_FAULT) return raiseFault(s);
    const second = dataOffset(s, tail, width - head, WRITE);
    if (second == AT_FAULT) return raiseFault(s);
    if (first == AT_MMIO) return raise(s, accessFault(WRITE), address);
    if (second == AT_MMIO) return raise(s, accessFault(WRITE), tail);
    storeBytes(first, head, value);
    storeBytes(second, width - head, value >> (head << 3));
    noteHartStore(s, first, head);
    noteHartStore(s, second, width - head);
    return NEXT;
  }
  const offset = dataOffset(s, address, width, WRITE);
  if (offset == AT_FAULT) return raiseFault(s);
  if (offset == AT_MMIO) {
    const physical = load<u64>(s, S_PHYSICAL);
    const index = load<u32>(s, S_INDEX);
    if (mmioStore(index, u32(physical), u32(physical >> 32), width, u32(value), u32(value >> 32)) != 0) {
      return raise(s, accessFault(WRITE), address);
    }
    return afterMmio(s, step);
  }
  if (width == 8) store<u64>(offset, value);
  else if (width == 4) store<u32>(offset, u32(value));
  else if (width == 2) store<u16>(offset, u16(value));
  else store<u8>(offset, u8(value));
  noteHartStore(s, offset, width);
  return NEXT;
}
