import { expectSnapshot, type EventId, type Snapshot } from '@vmloom/device';
import { PAGE_RESERVED, type HostMemory } from '@vmloom/memory';
import { SAVED_CSRS, type HartState } from './hart-state.js';
import * as L from './layout.js';

const registers = Array.from({ length: 32 }, (_, index) => index);
const pmpEntries = Array.from({ length: 16 }, (_, index) => index);
const NO_RESERVATION = -1;

/** A hart's state by name; the reservation as an offset into RAM, for RAM may lie elsewhere at the restore. */
export function saveState(state: HartState, memory: HostMemory, timer: EventId): Snapshot {
  const csrs: Record<string, bigint> = {};
  for (const [name, field] of Object.entries(SAVED_CSRS)) csrs[name] = state.u64(field);
  const reservation = state.u32(L.S_RESERVATION);
  return {
    type: 'hart',
    version: 1,
    pc: state.u64(L.S_PC),
    privilege: state.u32(L.S_PRIVILEGE),
    x: registers.map((index) => state.u64(L.S_X + index * 8)),
    f: registers.map((index) => state.u64(L.S_F + index * 8)),
    fflags: state.u32(L.S_FFLAGS),
    frm: state.u32(L.S_FRM),
    csrs,
    pmpaddr: pmpEntries.map((index) => state.u64(L.S_PMPADDR + index * 8)),
    waiting: state.u32(L.S_WAITING) !== 0,
    reservation: reservation === 0 ? NO_RESERVATION : reservation - memory.ramOffset,
    retired: state.count(L.S_END) - state.u32(L.S_LEFT) - state.u32(L.S_INSIDE),
    epochTime: state.count(L.S_EPOCH_TIME),
    epochRetired: state.count(L.S_EPOCH_RETIRED),
    epochRemainder: state.u32(L.S_EPOCH_REMAINDER),
    timerEvent: timer,
  };
}

/** The inverse of {@link saveState}; the timer's event. @throws DeviceError bad-snapshot */
export function restoreState(state: HartState, memory: HostMemory, snapshot: Snapshot): EventId {
  expectSnapshot(snapshot, 'hart', 1);
  const csrs = snapshot['csrs'] as Record<string, bigint>;
  for (const [name, field] of Object.entries(SAVED_CSRS)) state.setU64(field, csrs[name]);
  const list = (name: string): bigint[] => snapshot[name] as bigint[];
  for (const index of pmpEntries) state.setU64(L.S_PMPADDR + index * 8, list('pmpaddr')[index]);
  for (const index of registers) {
    state.setU64(L.S_X + index * 8, list('x')[index]);
    state.setU64(L.S_F + index * 8, list('f')[index]);
  }
  state.setU32(L.S_FFLAGS, snapshot['fflags'] as number);
  state.setU32(L.S_FRM, snapshot['frm'] as number);
  state.setU64(L.S_PC, snapshot['pc'] as bigint);
  state.setU32(L.S_PRIVILEGE, snapshot['privilege'] as number);
  state.setU32(L.S_WAITING, snapshot['waiting'] === true ? 1 : 0);
  state.setCount(L.S_END, snapshot['retired'] as number);
  state.setU32(L.S_LEFT, 0);
  state.setCount(L.S_EPOCH_TIME, snapshot['epochTime'] as number);
  state.setCount(L.S_EPOCH_RETIRED, snapshot['epochRetired'] as number);
  state.setU32(L.S_EPOCH_REMAINDER, snapshot['epochRemainder'] as number);
  restoreReservation(state, memory, snapshot['reservation'] as number);
  return snapshot['timerEvent'] as EventId;
}

function restoreReservation(state: HartState, memory: HostMemory, offset: number): void {
  state.setU32(L.S_RESERVATION, 0);
  if (offset < 0 || offset >= memory.ramSize) return;
  const reserved = memory.ramOffset + offset;
  state.setU32(L.S_RESERVATION, reserved);
  memory.flags.set(reserved >>> 12, PAGE_RESERVED);
}
