// Translation of one request (3.3), its walks and its caches. All state lies in the state block (src/layouts.ts), whose
// base is the first argument of every export.
import * as C from '../src/codes';
import * as L from '../src/layout-offsets';
import * as B from './bits';
import { invalidateDevices, invalidateProcesses, locateDevice, locateProcess, processBits } from './directory';
import { clear, invalidateFirst, invalidateSecond, keep, lookUp } from './iotlb';
import { bump, get, get64, set, set64 } from './memory';
import { isInterruptFile, translateMessage } from './msi';
import { ACCESS, CHECK, DONE, EXECUTE, firstStage, GUEST, PAGE, PRIVILEGED, READ, secondStage, WRITE } from './stages';

export { invalidateDevices, invalidateProcesses, invalidateFirst, invalidateSecond };

/** Reset: caches have no valid entries (6.2). */
export function forget(s: u32): void {
  clear(s);
  invalidateDevices(s, false, 0);
}

/** The device context of a message, for what is not translated: a cause, or 0 with tc at hand. */
export function findDevice(s: u32, device: u32): u32 {
  set(s, L.WALK_STATE_DISABLE_FAULTS, 0);
  return locateDevice(s, device);
}

/** The kinds of access that a transaction type asks for. */
function accessOf(type: u32): u32 {
  const ttyp = type & 0xff;
  if (ttyp == C.TTYP_ATS_REQUEST) {
    let wanted = READ;
    if ((type & C.REQUEST_NO_WRITE) == 0) wanted |= WRITE;
    if ((type & C.REQUEST_EXECUTE) != 0) wanted |= EXECUTE;
    return wanted;
  }
  const kind = ttyp & 3;
  return CHECK | (kind == 1 ? EXECUTE : kind == 2 ? READ : WRITE);
}

/** The cause for the original access type: those of execute, read and write are numbered alike. */
function causeOf(type: u32, execute: u32, read: u32, write: u32): u32 {
  const ttyp = type & 0xff;
  if (ttyp == C.TTYP_ATS_REQUEST) return (type & C.REQUEST_EXECUTE) != 0 ? execute : read;
  const kind = ttyp & 3;
  return kind == 1 ? execute : kind == 2 ? read : write;
}

/** No page table stands between: the address is the IOVA. */
function direct(s: u32, iova: u64): u32 {
  set64(s, L.WALK_STATE_ADDRESS, iova);
  set64(s, L.WALK_STATE_GUEST_ADDRESS, iova);
  set(s, L.WALK_STATE_SHIFT, C.BARE_SHIFT);
  set(s, L.WALK_STATE_TARGET, C.TO_MEMORY);
  set(s, L.WALK_STATE_PERMISSIONS, C.PERMIT_READ | C.PERMIT_WRITE | C.PERMIT_EXECUTE);
  set(s, L.WALK_STATE_MEMORY_TYPE, 0);
  return 0;
}

/** Steps 17 to 20: the first stage by `pointer`, message addresses, the second stage. */
function translateStages(s: u32, pointer: u64, iova: u64, type: u32, wanted: u32): u32 {
  const iohgatp = get64(s, L.WALK_STATE_IOHGATP);
  const twoStage = iohgatp >> B.MODE_SHIFT != 0;
  const paged = pointer >> B.MODE_SHIFT != 0;
  if (!paged) set(s, L.WALK_STATE_PSCID, 0);
  set(s, L.WALK_STATE_GSCID, twoStage ? <u32>C.ID_VALID | (<u32>(iohgatp >> B.GSCID_SHIFT) & 0xffff) : 0);
  if (!twoStage && !paged) return direct(s, iova);

  const ats = (type & 0xff) == C.TTYP_ATS_REQUEST;
  // An ATS request is answered by a walk: what it gets, the device caches itself.
  if (!ats) {
    if (lookUp(s, iova, wanted)) {
      bump(s, L.WALK_STATE_IOTLB_HITS);
      return 0;
    }
    bump(s, L.WALK_STATE_IOTLB_MISSES);
  }
  const first = firstStage(s, pointer, iova, wanted);
  if (first != DONE) {
    if (first == PAGE) return causeOf(type, C.CAUSE_EXECUTE_PAGE, C.CAUSE_READ_PAGE, C.CAUSE_WRITE_PAGE);
    if (first == GUEST) {
      return causeOf(type, C.CAUSE_EXECUTE_GUEST_PAGE, C.CAUSE_READ_GUEST_PAGE, C.CAUSE_WRITE_GUEST_PAGE);
    }
    return causeOf(type, C.CAUSE_EXECUTE_ACCESS, C.CAUSE_READ_ACCESS, C.CAUSE_WRITE_ACCESS);
  }
  const guest = get64(s, L.WALK_STATE_FIRST_ADDRESS);
  set64(s, L.WALK_STATE_GUEST_ADDRESS, guest);
  const firstPte = get64(s, L.WALK_STATE_FIRST_PTE);
  let secondPte: u64 = B.PTE_R | B.PTE_W | B.PTE_D;
  let shift = get(s, L.WALK_STATE_FIRST_SHIFT);
  if (isInterruptFile(s, guest >> 12, 0)) {
    const refused = translateMessage(s, guest);
    if (refused != 0) return refused;
    if (!ats && (wanted & EXECUTE) != 0) return C.CAUSE_EXECUTE_ACCESS;
    if ((type & C.REQUEST_DEBUG) != 0 && get(s, L.WALK_STATE_TARGET) == C.TO_MRIF) return C.CAUSE_TYPE_DISALLOWED;
    shift = 12;
  } else {
    const second = secondStage(s, guest, wanted);
    if (second == ACCESS) return causeOf(type, C.CAUSE_EXECUTE_ACCESS, C.CAUSE_READ_ACCESS, C.CAUSE_WRITE_ACCESS);
    if (second == PAGE) {
      set64(s, L.WALK_STATE_IOTVAL2, guest & ~(<u64>3));
      return causeOf(type, C.CAUSE_EXECUTE_GUEST_PAGE, C.CAUSE_READ_GUEST_PAGE, C.CAUSE_WRITE_GUEST_PAGE);
    }
    secondPte = get64(s, L.WALK_STATE_SECOND_PTE);
    const secondShift = get(s, L.WALK_STATE_SECOND_SHIFT);
    // A stage that is Bare does not bound the other.
    if (!paged || (twoStage && secondShift < shift)) shift = secondShift;
    // Pages of interrupt files within a superpage are no part of it.
    if (shift > 12 && isInterruptFile(s, guest >> 12, (<u64>1 << (shift - 12)) - 1)) shift = 12;
    set64(s, L.WALK_STATE_ADDRESS, get64(s, L.WALK_STATE_SECOND_ADDRESS));
    set(s, L.WALK_STATE_TARGET, C.TO_MEMORY);
  }
  const both = firstPte & secondPte;
  let permissions: u32 = 0;
  if ((both & B.PTE_R) != 0) permissions |= C.PERMIT_READ;
  if ((both & (B.PTE_W | B.PTE_D)) == (B.PTE_W | B.PTE_D)) permissions |= C.PERMIT_WRITE;
  if ((both & B.PTE_X) != 0 && !((wanted & PRIVILEGED) != 0 && (firstPte & B.PTE_U) != 0)) {
    permissions |= C.PERMIT_EXECUTE;
  }
  if (get(s, L.WALK_STATE_FIRST_GLOBAL) != 0) permissions |= C.PERMIT_GLOBAL;
  set(s, L.WALK_STATE_PERMISSIONS, permissions);
  set(s, L.WALK_STATE_SHIFT, shift);
  const firstType = <u32>(firstPte >> B.PTE_PBMT_SHIFT) & 3;
  set(s, L.WALK_STATE_MEMORY_TYPE, firstType != 0 ? firstType : <u32>(secondPte >> B.PTE_PBMT_SHIFT) & 3);
  if (!ats && get(s, L.WALK_STATE_TARGET) != C.TO_MRIF) keep(s, iova, get(s, L.WALK_STATE_FIRST_SHIFT));
  return 0;
}

/**
 * The process to translate an IOVA. `process` carries PROCESS_VALID and PROCESS_PRIVILEGED, `type` a transaction type
 * with REQUEST_*. Answers the cause of a fault; with 0 the answer is in the state block.
 */
export function translate(s: u32, device: u32, process: u32, type: u32, low: u32, high: u32): u32 {
  const iova = (<u64>high << 32) | low;
  const ttyp = type & 0xff;
  const untranslated = ttyp <= <u32>C.TTYP_UNTRANSLATED_WRITE;
  set(s, L.WALK_STATE_DISABLE_FAULTS, 0);
  set64(s, L.WALK_STATE_IOTVAL2, 0);
  set(s, L.WALK_STATE_GSCID, 0);
  set(s, L.WALK_STATE_PSCID, 0);
  set(s, L.WALK_STATE_SUM, 0);
  const mode = get(s, L.WALK_STATE_DDTP) & 15;
  if (mode == C.DDTP_OFF) return C.CAUSE_ALL_DISALLOWED;
  if (mode == C.DDTP_BARE) return untranslated ? direct(s, iova) : C.CAUSE_TYPE_DISALLOWED;
  const noDevice = locateDevice(s, device);
  if (noDevice != 0) return noDevice;

  const tc = get64(s, L.WALK_STATE_TC);
  set(s, L.WALK_STATE_DISABLE_FAULTS, (tc & B.TC_DTF) != 0 ? 1 : 0);
  if (!untranslated && (tc & B.TC_EN_ATS) == 0) return C.CAUSE_TYPE_DISALLOWED;
  let pid = process & 0xf_ffff;
  let hasProcess = (process & C.PROCESS_VALID) != 0;
  const fsc = get64(s, L.WALK_STATE_FSC);
  const directories = fsc >> B.MODE_SHIFT;
  const processes = (tc & B.TC_PDTV) != 0;
  if (hasProcess && (!processes || (directories != 0 && pid >> processBits(directories) != 0))) {
    return C.CAUSE_TYPE_DISALLOWED;
  }
  let wanted = accessOf(type);
  const translated = ttyp >= <u32>C.TTYP_TRANSLATED_EXECUTE && ttyp <= <u32>C.TTYP_TRANSLATED_WRITE;
  if (translated) {
    return (tc & B.TC_T2GPA) == 0 ? direct(s, iova) : translateStages(s, 0, iova, type, wanted);
  }
  if (!processes) {
    set(s, L.WALK_STATE_PSCID, <u32>C.ID_VALID | (<u32>(get64(s, L.WALK_STATE_TA) >> B.TA_PSCID_SHIFT) & 0xf_ffff));
    return translateStages(s, fsc, iova, type, wanted);
  }
  let privileged = hasProcess && (process & C.PROCESS_PRIVILEGED) != 0;
  if (!hasProcess && (tc & B.TC_DPE) != 0) {
    hasProcess = true;
    privileged = false;
    pid = 0;
  }
  if (!hasProcess || directories == 0) return translateStages(s, 0, iova, type, wanted);
  const guestFault = causeOf(type, C.CAUSE_EXECUTE_GUEST_PAGE, C.CAUSE_READ_GUEST_PAGE, C.CAUSE_WRITE_GUEST_PAGE);
  const noProcess = locateProcess(s, device, pid, guestFault);
  if (noProcess != 0) return noProcess;
  const ta = get64(s, L.WALK_STATE_PC_TA);
  if (privileged) {
    if ((ta & B.PC_ENS) == 0) return C.CAUSE_TYPE_DISALLOWED;
    wanted |= PRIVILEGED;
  }
  set(s, L.WALK_STATE_SUM, (ta & B.PC_SUM) != 0 ? 1 : 0);
  set(s, L.WALK_STATE_PSCID, <u32>C.ID_VALID | (<u32>(ta >> B.TA_PSCID_SHIFT) & 0xf_ffff));
  return translateStages(s, get64(s, L.WALK_STATE_PC_FSC), iova, type, wanted);
}
