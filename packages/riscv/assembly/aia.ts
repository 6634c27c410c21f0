import * as N from '../src/csr-numbers';
import {
  FILE_MACHINE,
  FILE_SUPERVISOR,
  FILE_TOP,
  OPTION_AIA,
  OPTION_IMSIC,
  S_INDEX,
  S_MENVCFG,
  S_MIDELEG,
  S_MIE,
  S_MIP_SOFTWARE,
  S_MIPRIO,
  S_MISELECT,
  S_MVIEN,
  S_MVIP,
  S_OPTIONS,
  S_SIPRIO,
  S_SISELECT,
  S_VALUE,
  S_VIRTUAL_PENDING,
  S_VIRTUAL_SIE,
} from '../src/layout';
import { illegalCsr } from './csr-fault';
import { imsicRead, imsicWrite } from './imports';
import { topInterrupt } from './interrupt-priority';
import { MACHINE, NEXT, RESYNC, SEIP, SSIP, STCE, STIP, SUPERVISOR } from './status';
import { pendingInterrupts } from './trap';

/** CSRs of Smaia and Ssaia (Advanced Interrupt Architecture 1.0, chapters 2, 3 and 5). */

// 5.3: of interrupts 0 to 12 bits 1 and 9 may be writable; there are no local interrupts.
const MVIEN_WRITABLE: u64 = SSIP | SEIP;
// 2.2: siselect holds at least 9 bits.
const SELECT_WRITABLE: u64 = 0x1ff;
const IPRIO_FIRST: u32 = 0x30;
const IPRIO_LAST: u32 = 0x3f;
const FILE_FIRST: u32 = 0x70;
const FILE_ARRAYS: u32 = 0x80;
const FILE_LAST: u32 = 0xff;
// 5.2.1 and 5.4.1: bytes of interrupts whose enable can be written; the level's external interrupt has none.
const MIPRIO0_WRITABLE: u64 = 0xff00_ff00_ff00_ff00;
const MIPRIO2_WRITABLE: u64 = 0x0000_0000_0000_ff00;
const SIPRIO0_WRITABLE: u64 = 0x0000_ff00_0000_ff00;

// @ts-ignore: decorator
@inline
function has(s: u32, option: u32): bool {
  return (load<u32>(s, S_OPTIONS) & option) != 0;
}

/** Bits of sip and sie that are virtual: not delegated, and enabled by mvien (table 5.3). */
// @ts-ignore: decorator
@inline
function virtualBits(s: u32): u64 {
  return load<u64>(s, S_MVIEN) & ~load<u64>(s, S_MIDELEG);
}

/** After a change of mvien, mvip, mideleg or sie. */
export function updateVirtual(s: u32): void {
  const pending = load<u64>(s, S_MVIP) & load<u64>(s, S_VIRTUAL_SIE) & virtualBits(s);
  store<u64>(s, pending << 32, S_VIRTUAL_PENDING);
}

export function readSupervisorPending(s: u32): u64 {
  const delegated = pendingInterrupts(s) & load<u64>(s, S_MIDELEG);
  return delegated | (load<u64>(s, S_MVIP) & virtualBits(s));
}

export function readSupervisorEnable(s: u32): u64 {
  const delegated = load<u64>(s, S_MIE) & load<u64>(s, S_MIDELEG);
  return delegated | (load<u64>(s, S_VIRTUAL_SIE) & virtualBits(s));
}

/** Privileged 4.1.3: of sip only SSIP is writable. */
export function writeSupervisorPending(s: u32, value: u64): void {
  if ((load<u64>(s, S_MIDELEG) & SSIP) != 0) replace(s + S_MIP_SOFTWARE, value, SSIP);
  else replace(s + S_MVIP, value, SSIP & load<u64>(s, S_MVIEN));
  updateVirtual(s);
}

export function writeSupervisorEnable(s: u32, value: u64): void {
  replace(s + S_MIE, value, load<u64>(s, S_MIDELEG));
  replace(s + S_VIRTUAL_SIE, value, virtualBits(s));
  updateVirtual(s);
}

export function writeDelegation(s: u32, value: u64): void {
  store<u64>(s, value, S_MIDELEG);
  updateVirtual(s);
}

/** Which bits of mip software can write (5.3: with mvien bit 9, SEIP is the controller's alone). */
export function writableMachinePending(s: u32): u64 {
  let writable: u64 = SSIP | STIP | SEIP;
  if ((load<u64>(s, S_MENVCFG) & STCE) != 0) writable &= ~STIP;
  if ((load<u64>(s, S_MVIEN) & SEIP) != 0) writable &= ~SEIP;
  return writable;
}

function replace(field: u32, value: u64, writable: u64): void {
  store<u64>(field, (load<u64>(field) & ~writable) | (value & writable));
}

/** The bits of mvip that are aliases of mip (5.3). */
function aliases(s: u32): u64 {
  const bits: u64 = (load<u64>(s, S_MENVCFG) & STCE) != 0 ? SSIP | SEIP : SSIP | STIP | SEIP;
  return bits & ~load<u64>(s, S_MVIEN);
}

/**
 * mvien bit 9 takes the bit of SEIP that software writes out of mip and leaves it in mvip with its value; of
 * bit 1 that value is unspecified (5.3), here 0.
 */
function writeVirtualEnable(s: u32, value: u64): void {
  const old = load<u64>(s, S_MVIEN);
  const changed = (old ^ value) & MVIEN_WRITABLE;
  store<u64>(s, old ^ changed, S_MVIEN);
  if ((changed & SSIP) != 0) replace(s + S_MVIP, 0, SSIP);
  if ((changed & SEIP) != 0) {
    const bit = (load<u64>(s, S_MVIP) | load<u64>(s, S_MIP_SOFTWARE)) & SEIP;
    const separate = (value & SEIP) != 0;
    replace(s + S_MVIP, separate ? bit : 0, SEIP);
    replace(s + S_MIP_SOFTWARE, separate ? 0 : bit, SEIP);
  }
  updateVirtual(s);
}

function writeVirtualPending(s: u32, value: u64): void {
  replace(s + S_MIP_SOFTWARE, value, aliases(s));
  replace(s + S_MVIP, value, load<u64>(s, S_MVIEN));
  updateVirtual(s);
}

/** Whether the mode may have the file (3.8; 5.3: S-mode may not have its own while M-mode filters it). */
function reaches(s: u32, file: u32, privilege: u32): bool {
  if (!has(s, OPTION_IMSIC)) return false;
  return file == FILE_MACHINE || privilege == MACHINE || (load<u64>(s, S_MVIEN) & SEIP) == 0;
}

function readFile(s: u32, file: u32, register: u32, privilege: u32): u64 {
  if (!reaches(s, file, privilege)) return illegalCsr(s);
  imsicRead(load<u32>(s, S_INDEX), file, register);
  return load<u64>(s, S_VALUE);
}

function writeFile(s: u32, file: u32, register: u32, value: u64): void {
  imsicWrite(load<u32>(s, S_INDEX), file, register, u32(value), u32(value >> 32));
}

function readIndirect(s: u32, file: u32, select: u32, privilege: u32): u64 {
  if (select >= IPRIO_FIRST && select <= IPRIO_LAST) {
    if ((select & 1) != 0) return illegalCsr(s);
    const numbers = s + (file == FILE_MACHINE ? S_MIPRIO : S_SIPRIO);
    return select <= IPRIO_FIRST + 2 ? load<u64>(numbers + ((select - IPRIO_FIRST) << 2)) : 0;
  }
  if (select < FILE_FIRST || select > FILE_LAST) return illegalCsr(s);
  if (select >= FILE_ARRAYS && (select & 1) != 0) return illegalCsr(s);
  return readFile(s, file, select, privilege);
}

function writeIndirect(s: u32, file: u32, select: u32, value: u64): void {
  if (select >= FILE_FIRST) return writeFile(s, file, select, value);
  const machine = file == FILE_MACHINE;
  if (select == IPRIO_FIRST) {
    replace(s + (machine ? S_MIPRIO : S_SIPRIO), value, machine ? MIPRIO0_WRITABLE : SIPRIO0_WRITABLE);
  } else if (select == IPRIO_FIRST + 2 && machine) replace(s + S_MIPRIO + 8, value, MIPRIO2_WRITABLE);
}

/** Reads one of the CSRs that the AIA adds; as `readCsr`. */
export function readAiaCsr(s: u32, number: i32, privilege: u32): u64 {
  if (!has(s, OPTION_AIA)) return illegalCsr(s);
  switch (number) {
    case N.CSR_MISELECT:
      return load<u64>(s, S_MISELECT);
    case N.CSR_SISELECT:
      return load<u64>(s, S_SISELECT);
    case N.CSR_MIREG:
      return readIndirect(s, FILE_MACHINE, load<u32>(s, S_MISELECT), privilege);
    case N.CSR_SIREG:
      return readIndirect(s, FILE_SUPERVISOR, load<u32>(s, S_SISELECT), privilege);
    case N.CSR_MTOPEI:
      return readFile(s, FILE_MACHINE, FILE_TOP, privilege);
    case N.CSR_STOPEI:
      return readFile(s, FILE_SUPERVISOR, FILE_TOP, privilege);
    case N.CSR_MTOPI: {
      const enabled = pendingInterrupts(s) & load<u64>(s, S_MIE);
      return topInterrupt(s, enabled & ~load<u64>(s, S_MIDELEG), MACHINE);
    }
    case N.CSR_STOPI:
      return topInterrupt(s, readSupervisorPending(s) & readSupervisorEnable(s), SUPERVISOR);
    case N.CSR_MVIEN:
      return load<u64>(s, S_MVIEN);
    case N.CSR_MVIP:
      return (load<u64>(s, S_MIP_SOFTWARE) & aliases(s)) | load<u64>(s, S_MVIP);
    default:
      return illegalCsr(s);
  }
}

/** Writes a CSR that `readAiaCsr` found legal; as `writeCsr`. */
export function writeAiaCsr(s: u32, number: i32, value: u64): u32 {
  switch (number) {
    case N.CSR_MISELECT:
      store<u64>(s, value & SELECT_WRITABLE, S_MISELECT);
      return NEXT;
    case N.CSR_SISELECT:
      store<u64>(s, value & SELECT_WRITABLE, S_SISELECT);
      return NEXT;
    case N.CSR_MIREG:
      writeIndirect(s, FILE_MACHINE, load<u32>(s, S_MISELECT), value);
      return RESYNC;
    case N.CSR_SIREG:
      writeIndirect(s, FILE_SUPERVISOR, load<u32>(s, S_SISELECT), value);
      return RESYNC;
    case N.CSR_MTOPEI:
      writeFile(s, FILE_MACHINE, FILE_TOP, value);
      return RESYNC;
    case N.CSR_STOPEI:
      writeFile(s, FILE_SUPERVISOR, FILE_TOP, value);
      return RESYNC;
    case N.CSR_MVIEN:
      writeVirtualEnable(s, value);
      return RESYNC;
    default:
      writeVirtualPending(s, value);
      return RESYNC;
  }
}
