import {
  AT_TRANSLATED,
  AT_TRANSLATION_REQUEST,
  ATS_ABORT,
  ATS_SUCCESS,
  ATS_UNSUPPORTED,
  DMA_ABORT,
  DMA_FAULT,
  DMA_MESSAGE,
  DMA_MMIO,
  DMA_OK,
  type AtsTranslation,
  type AtsTranslationRequest,
  type Counter,
  type DmaAnswer,
  type DmaRequest,
  type DmaTranslator,
  type Ledger,
} from '@vmloom/device';
import { physical, UNMAPPABLE, type AddressSpace } from '@vmloom/memory';
import * as C from './codes.js';
import type { WalkState } from './core.js';
import type { FaultQueue } from './fault-queue.js';
import * as L from './layout-offsets.js';
import { storeMessage, type MemoryFile } from './memory-file.js';
import type { PerformanceMonitor } from './performance.js';
import * as R from './registers.js';

export interface TranslatorOptions {
  readonly name: string;
  readonly space: AddressSpace;
  readonly ledger: Ledger;
  readonly walk: WalkState;
  readonly faults: FaultQueue;
  readonly monitor: PerformanceMonitor;
  readonly exactCounts: boolean;
}

/** Causes that an ATS request is answered with: completer abort, or a success without permissions (3.6). */
const ATS_ABORTED: ReadonlySet<number> = new Set([
  C.CAUSE_EXECUTE_ACCESS,
  C.CAUSE_READ_ACCESS,
  C.CAUSE_WRITE_ACCESS,
  C.CAUSE_MSI_PTE_ACCESS,
  C.CAUSE_MSI_PTE_MISCONFIGURED,
  C.CAUSE_PDT_ACCESS,
  C.CAUSE_PDT_MISCONFIGURED,
]);
const ATS_DENIED: ReadonlySet<number> = new Set([
  C.CAUSE_EXECUTE_PAGE,
  C.CAUSE_READ_PAGE,
  C.CAUSE_WRITE_PAGE,
  C.CAUSE_EXECUTE_GUEST_PAGE,
  C.CAUSE_READ_GUEST_PAGE,
  C.CAUSE_WRITE_GUEST_PAGE,
  C.CAUSE_PDT_INVALID,
  C.CAUSE_MSI_PTE_INVALID,
]);

const TC_T2GPA = 1 << 3;

/** The request path: what the fabric asks for each access, and what functions with a translation cache ask. */
export class IommuTranslator implements DmaTranslator {
  #generation = 0;
  #file: MemoryFile = { address: UNMAPPABLE, offset: 0, notice: UNMAPPABLE, noticeId: 0 };
  readonly #account: readonly (readonly [field: number, counter: Counter, event: number])[];

  constructor(private readonly options: TranslatorOptions) {
    const { ledger, name } = options;
    const counter = (event: string, reason: string): Counter => ledger.counter(name, event, reason);
    this.#account = [
      [L.WALK_STATE_IOTLB_MISSES, counter('iotlb', 'miss'), R.EVENT_TLB_MISS],
      [L.WALK_STATE_DEVICE_WALKS, counter('device-directory', 'read'), R.EVENT_DEVICE_WALK],
      [L.WALK_STATE_PROCESS_WALKS, counter('process-directory', 'read'), R.EVENT_PROCESS_WALK],
      [L.WALK_STATE_FIRST_WALKS, counter('first-stage', 'read'), R.EVENT_FIRST_WALK],
      [L.WALK_STATE_SECOND_WALKS, counter('second-stage', 'read'), R.EVENT_SECOND_WALK],
      [L.WALK_STATE_WALK_READS, counter('walk-read', ''), 0],
      [L.WALK_STATE_PTE_UPDATES, counter('pte-update', ''), 0],
      [L.WALK_STATE_IOTLB_HITS, counter('iotlb', 'hit'), 0],
      [L.WALK_STATE_DEVICE_HITS, counter('device-cache', 'hit'), 0],
      [L.WALK_STATE_PROCESS_HITS, counter('process-cache', 'hit'), 0],
    ];
    options.space.onChange(() => this.changed());
  }

  get space(): AddressSpace {
    return this.options.space;
  }

  /** Undefined while every access must be seen. */
  get generation(): number | undefined {
    return this.options.exactCounts || this.options.monitor.counting ? undefined : this.#generation;
  }

  /** Answers given before may no longer hold. */
  changed(): void {
    this.#generation++;
  }

  translate(request: DmaRequest, answer: DmaAnswer): void {
    if (request.addressType === AT_TRANSLATION_REQUEST) return answer.fail(DMA_ABORT);
    const { walk } = this.options;
    const process = processOf(request.pasid, request.privileged);
    const translated = request.addressType === AT_TRANSLATED;
    const type = (translated ? C.TTYP_TRANSLATED_READ : C.TTYP_UNTRANSLATED_READ) + (request.write ? 1 : 0);
    let { low, high } = request;
    answer.status = DMA_OK;
    answer.count = 0;
    for (let left = request.length; left > 0;) {
      const cause = this.walk(request.requester, process, type, low, high);
      if (cause !== 0) {
        this.#fault(request.requester, process, type, low, high, cause);
        return answer.fail(DMA_FAULT);
      }
      if (walk.get(L.WALK_STATE_TARGET) === C.TO_MRIF) return this.#toFile(request, answer, low);
      const span = 2 ** walk.get(L.WALK_STATE_SHIFT);
      const part = Math.min(left, span - (low % span));
      if (!this.#add(answer, walk.address(L.WALK_STATE_ADDRESS), part, request.write)) return;
      left -= part;
      const sum = low + part;
      if (sum > 0xffff_ffff) {
        // Nothing follows the last address.
        if (high === 0xffff_ffff && left > 0) return answer.fail(DMA_ABORT);
        high++;
      }
      low = sum >>> 0;
    }
  }

  /** The write of a word that was translated to a memory-resident interrupt file. */
  message(request: DmaRequest, value: number): boolean {
    const { space, faults } = this.options;
    const file = this.#file;
    const outcome = storeMessage(space, file, value);
    if (outcome === 'file') {
      const process = processOf(request.pasid, request.privileged);
      const type =
        request.addressType === AT_TRANSLATED ? C.TTYP_TRANSLATED_WRITE : C.TTYP_UNTRANSLATED_WRITE;
      this.#fault(request.requester, process, type, request.low, request.high, C.CAUSE_MRIF_ACCESS);
    } else if (outcome === 'notice') {
      const iotval = [file.notice >>> 0, Math.floor(file.notice / 0x1_0000_0000)] as const;
      const cause = C.CAUSE_MSI_WRITE_ACCESS;
      faults.report({ cause, type: C.TTYP_NONE, device: 0, process: 0, iotval, iotval2: [0, 0] });
    }
    return outcome !== 'file';
  }

  /** A translation request of a function; faults are recorded where 3.6 says so. */
  requestTranslation(request: AtsTranslationRequest): AtsTranslation {
    const { walk } = this.options;
    const process = processOf(request.pasid, request.privileged);
    const type =
      C.TTYP_ATS_REQUEST |
      (request.noWrite ? C.REQUEST_NO_WRITE : 0) |
      (request.execute && request.pasid >= 0 ? C.REQUEST_EXECUTE : 0);
    const cause = this.walk(request.requester, process, type, request.low, request.high);
    if (ATS_DENIED.has(cause)) return completion(request, ATS_SUCCESS);
    if (cause !== 0) {
      this.#fault(request.requester, process, C.TTYP_ATS_REQUEST, request.low, request.high, cause);
      return completion(request, ATS_ABORTED.has(cause) ? ATS_ABORT : ATS_UNSUPPORTED);
    }
    const shift = walk.get(L.WALK_STATE_SHIFT);
    const permissions = walk.get(L.WALK_STATE_PERMISSIONS);
    const target = walk.get(L.WALK_STATE_TARGET);
    const guest = (walk.get(L.WALK_STATE_TC) & TC_T2GPA) !== 0;
    const address = walk.get64(guest ? L.WALK_STATE_GUEST_ADDRESS : L.WALK_STATE_ADDRESS);
    const start = (address >> BigInt(shift)) << BigInt(shift);
    const read = (permissions & C.PERMIT_READ) !== 0;
    return {
      status: ATS_SUCCESS,
      low: Number(start & 0xffff_ffffn),
      high: Number(start >> 32n),
      shift,
      read,
      write: (permissions & C.PERMIT_WRITE) !== 0,
      execute: read && request.execute && (permissions & C.PERMIT_EXECUTE) !== 0,
      privileged: request.pasid >= 0 && request.privileged,
      global: request.pasid >= 0 && target === C.TO_MEMORY && (permissions & C.PERMIT_GLOBAL) !== 0,
      untranslatedOnly: target === C.TO_MRIF,
    };
  }

  /** An untranslated request of the translation-request registers; true: it faulted, and that is recorded. */
  debug(device: number, process: number, type: number, low: number, high: number): boolean {
    const cause = this.walk(device, process, type | C.REQUEST_DEBUG, low, high);
    if (cause !== 0) this.#fault(device, process, type, low, high, cause);
    return cause !== 0;
  }

  /** One request through the core, counted: the cause of a fault, or 0. */
  walk(device: number, process: number, type: number, low: number, high: number): number {
    const { walk, monitor } = this.options;
    const cause = walk.core.translate(walk.base, device, process, type, low, high);
    const hit = walk.get(L.WALK_STATE_IOTLB_MISSES) === 0 && walk.get(L.WALK_STATE_WALK_READS) === 0;
    const counting = monitor.counting;
    if (counting) this.#countRequest(device, process, type);
    for (let index = hit && !counting ? 7 : 0; index < this.#account.length; index++) {
      const [field, counter, event] = this.#account[index];
      const count = walk.take(field);
      counter.value += count;
      if (counting && event !== 0) monitor.count(event, count, this.#ids(device, process));
    }
    return cause >>> 0;
  }

  #countRequest(device: number, process: number, type: number): void {
    const ttyp = type & 0xff;
    const event =
      ttyp === C.TTYP_ATS_REQUEST
        ? R.EVENT_ATS
        : ttyp >= C.TTYP_TRANSLATED_EXECUTE
          ? R.EVENT_TRANSLATED
          : R.EVENT_UNTRANSLATED;
    this.options.monitor.count(event, 1, this.#ids(device, process));
  }

  #ids(device: number, process: number) {
    const { walk } = this.options;
    const tagged = (id: number): number => (id >= C.ID_VALID ? id - C.ID_VALID : -1);
    return {
      device,
      process: (process & C.PROCESS_VALID) !== 0 ? process & 0xf_ffff : -1,
      gscid: tagged(walk.get(L.WALK_STATE_GSCID)),
      pscid: tagged(walk.get(L.WALK_STATE_PSCID)),
    };
  }

  #fault(device: number, process: number, type: number, low: number, high: number, cause: number): void {
    const { walk, faults } = this.options;
    const guest = cause >= C.CAUSE_EXECUTE_GUEST_PAGE && cause <= C.CAUSE_WRITE_GUEST_PAGE;
    const at = L.WALK_STATE_IOTVAL2;
    const iotval2 = guest ? ([walk.get(at), walk.get(at + 4)] as const) : ([0, 0] as const);
    const disabled = walk.get(L.WALK_STATE_DISABLE_FAULTS) !== 0;
    faults.report({ cause, type, device, process, iotval: [low, high], iotval2 }, disabled);
  }

  #toFile(request: DmaRequest, answer: DmaAnswer, low: number): void {
    // Whole aligned words alone (Advanced Interrupt Architecture, 9.5); a read is aborted, as it may be.
    if (!request.write || request.length !== 4 || low % 4 !== 0) return answer.fail(DMA_ABORT);
    const { walk } = this.options;
    this.#file = {
      address: walk.address(L.WALK_STATE_MRIF),
      offset: low & 0xfff,
      notice: walk.address(L.WALK_STATE_NOTICE),
      noticeId: walk.get(L.WALK_STATE_NOTICE_ID),
    };
    answer.fail(DMA_MESSAGE);
  }

  /** Adds the host's ranges of physical addresses; false: the answer says why there are none. */
  #add(answer: DmaAnswer, address: number, length: number, write: boolean): boolean {
    const { space } = this.options;
    for (let at = address, left = length; left > 0;) {
      const here = physical(at);
      const part = at === UNMAPPABLE ? 0 : Math.min(left, space.contiguous(here));
      const offset = part === 0 ? -1 : space.resolve(here, part, write);
      if (offset < 0) {
        const mmio = answer.count === 0 && part === 0 && space.describe(here) !== undefined;
        answer.fail(mmio ? DMA_MMIO : DMA_ABORT);
        answer.mmio = here;
        return false;
      }
      answer.add(offset, part);
      at += part;
      left -= part;
    }
    return true;
  }
}

function processOf(pasid: number, privileged: boolean): number {
  if (pasid < 0) return 0;
  return C.PROCESS_VALID | (privileged ? C.PROCESS_PRIVILEGED : 0) | (pasid & 0xf_ffff);
}

function completion(request: AtsTranslationRequest, status: 0 | 1 | 2): AtsTranslation {
  return {
    status,
    low: 0,
    high: 0,
    shift: 12,
    read: false,
    write: false,
    execute: false,
    privileged: request.pasid >= 0 && request.privileged,
    global: false,
    untranslatedOnly: false,
  };
}
