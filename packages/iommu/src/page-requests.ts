import {
  PAGE_FAILURE,
  PAGE_INVALID_REQUEST,
  PAGE_SUCCESS,
  type AtsFunctions,
  type AtsPageRequest,
} from '@vmloom/device';
import type { AddressSpace } from '@vmloom/memory';
import * as C from './codes.js';
import type { WalkState } from './core.js';
import type { FaultQueue } from './fault-queue.js';
import type { IommuInterrupts } from './interrupts.js';
import * as L from './layout-offsets.js';
import { entryAddress, nextIndex, storeWords } from './queue-place.js';
import type { RegisterFile } from './register-file.js';
import * as R from './registers.js';

const RECORD_BYTES = 16;
/** Message code of a page request, reported in iotval (PCIe 2.2.8). */
const MESSAGE_CODE = 4;
const TC_EN_PRI = 1 << 2;
const TC_DTF = 1 << 4;
const TC_PRPR = 1 << 6;

export interface PageRequestOptions {
  readonly registers: RegisterFile;
  readonly space: AddressSpace;
  readonly walk: WalkState;
  readonly faults: FaultQueue;
  readonly interrupts: IommuInterrupts;
  readonly functions: () => AtsFunctions | undefined;
}

/** Page requests and stop markers: into the queue, or answered at once when that cannot be (3.7, 4.3). */
export class PageRequestQueue {
  constructor(private readonly options: PageRequestOptions) {}

  take(request: AtsPageRequest): void {
    const refused = this.#refuse(request);
    if (refused !== undefined) this.#respond(request, ...refused);
  }

  /** The response code, and whether it carries the PASID; undefined: the request is queued. */
  #refuse(request: AtsPageRequest): [code: number, withPasid: boolean] | undefined {
    const { registers, walk } = this.options;
    const mode = walk.get(L.WALK_STATE_DDTP) & 15;
    if (mode === C.DDTP_OFF) return this.#fault(request, C.CAUSE_ALL_DISALLOWED, PAGE_FAILURE, true);
    if (mode === C.DDTP_BARE)
      return this.#fault(request, C.CAUSE_TYPE_DISALLOWED, PAGE_INVALID_REQUEST, false);
    const cause = walk.core.findDevice(walk.base, request.requester);
    if (cause !== 0) {
      const wide = cause === C.CAUSE_TYPE_DISALLOWED;
      return this.#fault(request, cause, wide ? PAGE_INVALID_REQUEST : PAGE_FAILURE, !wide);
    }
    const tc = walk.get(L.WALK_STATE_TC);
    const withPasid = (tc & TC_PRPR) !== 0;
    // EN_PRI without EN_ATS is a misconfigured context, so this looks at both.
    if ((tc & TC_EN_PRI) === 0) {
      const disabled = (tc & TC_DTF) !== 0;
      return this.#fault(request, C.CAUSE_TYPE_DISALLOWED, PAGE_INVALID_REQUEST, withPasid, disabled);
    }
    const status = registers.get(R.PQCSR);
    if ((status & R.QUEUE_ON) === 0 || (status & R.QUEUE_MEMORY_FAULT) !== 0) return [PAGE_FAILURE, true];
    if ((status & R.QUEUE_OVERFLOW) !== 0) return [PAGE_SUCCESS, withPasid];
    return this.#enqueue(request, withPasid);
  }

  #enqueue(request: AtsPageRequest, withPasid: boolean): [code: number, withPasid: boolean] | undefined {
    const { registers, space, interrupts } = this.options;
    const tail = registers.get(R.PQT);
    const next = nextIndex(registers, R.PQB, tail);
    let refused: [number, boolean] | undefined;
    if (next === registers.get(R.PQH)) {
      registers.change(R.PQCSR, R.QUEUE_OVERFLOW);
      refused = [PAGE_SUCCESS, withPasid];
    } else {
      const bigEndian = (registers.get(R.FCTL) & R.FCTL_BE) !== 0;
      const address = entryAddress(registers, R.PQB, tail, RECORD_BYTES);
      if (storeWords(space, address, record(request), bigEndian)) registers.set(R.PQT, next);
      else {
        registers.change(R.PQCSR, R.QUEUE_MEMORY_FAULT);
        refused = [PAGE_FAILURE, true];
      }
    }
    if ((registers.get(R.PQCSR) & R.QUEUE_INTERRUPT_ENABLE) !== 0) interrupts.raise(R.IP_PAGE_REQUEST);
    return refused;
  }

  #fault(
    request: AtsPageRequest,
    cause: number,
    code: number,
    withPasid: boolean,
    disabled = false,
  ): [code: number, withPasid: boolean] {
    const fault = {
      cause,
      type: C.TTYP_MESSAGE,
      device: request.requester,
      process: processOf(request),
      iotval: [MESSAGE_CODE, 0],
      iotval2: [0, 0],
    } as const;
    this.options.faults.report(fault, disabled);
    return [code, withPasid];
  }

  #respond(request: AtsPageRequest, code: number, withPasid: boolean): void {
    // A stop marker, and a request that is not the last of its group, want no response.
    if (!request.last || (!request.read && !request.write)) return;
    const { requester, group, pasid } = request;
    this.options.functions()?.respond({ requester, group, code, pasid: withPasid ? pasid : -1 });
  }
}

function processOf({ pasid, privileged }: AtsPageRequest): number {
  if (pasid < 0) return 0;
  return C.PROCESS_VALID | (privileged ? C.PROCESS_PRIVILEGED : 0) | (pasid & 0xf_ffff);
}

function record(request: AtsPageRequest): number[] {
  const { pasid, requester, group, low, high } = request;
  const has = pasid >= 0;
  return [
    has ? ((pasid & 0xf_ffff) << 12) >>> 0 : 0,
    ((requester << 8) |
      (has && request.execute ? 4 : 0) |
      (has && request.privileged ? 2 : 0) |
      (has ? 1 : 0)) >>>
      0,
    ((low & ~0xfff) |
      ((group & 0x1ff) << 3) |
      (request.last ? 4 : 0) |
      (request.write ? 2 : 0) |
      (request.read ? 1 : 0)) >>>
      0,
    high >>> 0,
  ];
}
