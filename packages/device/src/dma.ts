import {
  joinAddress,
  physical,
  UNMAPPABLE,
  type AddressSpace,
  type HostMemory,
  type HostOffset,
  type PhysicalAddress,
} from '@vmloom/memory';
import type { RequesterId } from './interrupts.js';

/** How a DMA request ended. */
export const DMA_OK = 0;
/** Nothing answers at the address (unsupported request, master abort, bus mastering off). */
export const DMA_ABORT = 1;
/** The IOMMU refused; a fault record exists. */
export const DMA_FAULT = 2;
/** The page is asked for (PRI); try again later. */
export const DMA_RETRY = 3;
/** The address is MMIO: {@link DmaAnswer.mmio} says where (peer-to-peer, or an interrupt message). */
export const DMA_MMIO = 4;
/** The address is an interrupt file that the translator keeps in memory: {@link DmaTranslator.message} takes the word. */
export const DMA_MESSAGE = 5;
export type DmaStatus = 0 | 1 | 2 | 3 | 4 | 5;

/** PCIe address type (AT) of a request. */
export const AT_UNTRANSLATED = 0;
export const AT_TRANSLATION_REQUEST = 1;
export const AT_TRANSLATED = 2;
export type AddressType = 0 | 1 | 2;

/** One request, reused by its port: a translator must not keep it. Addresses are two 32-bit halves. */
export interface DmaRequest {
  requester: RequesterId;
  /** -1: none. */
  pasid: number;
  privileged: boolean;
  write: boolean;
  addressType: AddressType;
  low: number;
  high: number;
  /** Bytes, 1 or more. */
  length: number;
}

/**
 * The answer to a request, reused by its port, so read it before the next one. The ranges themselves hold until
 * the end of the event: the map does not change within one.
 */
export class DmaAnswer {
  status: DmaStatus = DMA_ABORT;
  /** Ranges in use. */
  count = 0;
  offsets = new Float64Array(8);
  lengths = new Float64Array(8);
  /** The host-physical address with status {@link DMA_MMIO}. */
  mmio: PhysicalAddress = UNMAPPABLE;

  fail(status: DmaStatus): void {
    this.status = status;
    this.count = 0;
  }

  /** Adds a range of host offsets; joins it to the last one where it continues it. */
  add(offset: number, length: number): void {
    const last = this.count - 1;
    if (last >= 0 && this.offsets[last] + this.lengths[last] === offset) {
      this.lengths[last] += length;
      return;
    }
    if (this.count === this.offsets.length) {
      this.offsets = grown(this.offsets);
      this.lengths = grown(this.lengths);
    }
    this.offsets[this.count] = offset;
    this.lengths[this.count++] = length;
  }
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** What stands between a device and memory: the host's space, or the IOMMU in front of it. */
export interface DmaTranslator {
  /** Fills `answer` with ranges that cover the request, in order, or with a failure. */
  translate(request: DmaRequest, answer: DmaAnswer): void;
  /** The space in which {@link DmaAnswer.mmio} lies. */
  readonly space: AddressSpace;
  /**
   * Changes whenever an answer given before may no longer hold, so that a device may keep answers while it stays
   * the same. A translator without it is asked anew for every access.
   */
  readonly generation?: number;
  /** Takes the word of a write whose translation was the last one and answered {@link DMA_MESSAGE}. */
  message?(request: DmaRequest, value: number): boolean;
  /** A large stretch around `address` that one range covers; undefined where there is none to be had cheaply. */
  window?(address: number, write: boolean): DmaWindow | undefined;
}

/** Bus addresses from `start` on that lie in one piece in the host's memory, as long as the generation holds. */
export interface DmaWindow {
  readonly start: number;
  /** Bytes. */
  readonly length: number;
  /** Host offset of `start`. */
  readonly offset: number;
}

/** A window begins at a multiple of one of these, the first that memory answers at: 1 GiB, 2 MiB, 4 KiB. */
const WINDOW_UNITS = [0x4000_0000, 0x20_0000, 0x1000];

/** DMA without an IOMMU: a device's address is a host-physical address. */
export class DirectTranslator implements DmaTranslator {
  generation = 0;

  constructor(readonly space: AddressSpace) {
    space.onChange(() => this.generation++);
  }

  window(address: number, write: boolean): DmaWindow | undefined {
    for (const unit of WINDOW_UNITS) {
      const start = physical(address - (address % unit));
      const length = this.space.contiguous(start);
      if (start + length <= address) continue;
      const offset = this.space.resolve(start, length, write);
      return offset < 0 ? undefined : { start, length, offset };
    }
    return undefined;
  }

  translate(request: DmaRequest, answer: DmaAnswer): void {
    let address = joinAddress(request.low, request.high);
    answer.status = DMA_OK;
    answer.count = 0;
    if (address === UNMAPPABLE) return answer.fail(DMA_ABORT);
    for (let left = request.length; left > 0;) {
      const part = Math.min(left, this.space.contiguous(address));
      const offset = part === 0 ? -1 : this.space.resolve(address, part, request.write);
      if (offset < 0) {
        const mmio = answer.count === 0 && part === 0 && this.space.describe(address) !== undefined;
        answer.fail(mmio ? DMA_MMIO : DMA_ABORT);
        answer.mmio = address;
        return;
      }
      answer.add(offset, part);
      address = (address + part) as PhysicalAddress;
      left -= part;
    }
  }
}

/**
 * A function's way to memory. A device never sees memory: it asks its port for ranges, or lets the port
 * move bytes. One port belongs to one requester; the fabric points it at a translator and enables it with
 * the bus master bit.
 */
export class DmaPort {
  /** Set by the fabric: off while the function may not master the bus. */
  enabled = true;
  /** The process of the requests that follow; -1: none. */
  pasid = -1;
  /** With a PASID: supervisor privilege is asked for. */
  privileged = false;
  /** AT_TRANSLATED: addresses of the requests that follow come from a translation completion. */
  addressType: AddressType = AT_UNTRANSLATED;
  readonly answer = new DmaAnswer();
  #unkept = 0;
  readonly #request: DmaRequest = {
    requester: 0,
    pasid: -1,
    privileged: false,
    write: false,
    addressType: AT_UNTRANSLATED,
    low: 0,
    high: 0,
    length: 0,
  };

  constructor(
    readonly memory: HostMemory,
    public translator: DmaTranslator,
    public requester: RequesterId = 0,
  ) {}

  /**
   * Answers may be kept while this number and {@link translator} stay the same. Negative: the function may not
   * master the bus.
   */
  get generation(): number {
    if (!this.enabled) return -1;
    return this.translator.generation ?? ++this.#unkept;
  }

  /** Asks for `length` bytes at (low, high). The ranges are in {@link DmaPort.answer} when this is DMA_OK. */
  map(low: number, high: number, length: number, write: boolean): DmaStatus {
    const { answer } = this;
    if (!this.enabled || length <= 0) {
      answer.fail(DMA_ABORT);
      return DMA_ABORT;
    }
    const request = this.#request;
    request.requester = this.requester;
    request.pasid = this.pasid;
    request.privileged = this.privileged;
    request.addressType = this.addressType;
    request.write = write;
    request.low = low >>> 0;
    request.high = high >>> 0;
    request.length = length;
    this.translator.translate(request, answer);
    return answer.status;
  }

  /** Reads into `target`; nothing is written to it unless the answer is DMA_OK. */
  read(low: number, high: number, target: Uint8Array): DmaStatus {
    const status = this.map(low, high, target.length, false);
    if (status !== DMA_OK) return status;
    const { offsets, lengths, count } = this.answer;
    for (let index = 0, at = 0; index < count; index++) {
      const offset = offsets[index];
      const length = lengths[index];
      target.set(this.memory.bytes.subarray(offset, offset + length), at);
      at += length;
    }
    return DMA_OK;
  }

  /**
   * Writes `source`, or nothing unless the answer is DMA_OK. A 4-byte write to MMIO is carried out there
   * (that is what an interrupt message is); any other write to MMIO is aborted.
   */
  write(low: number, high: number, source: Uint8Array): DmaStatus {
    const status = this.map(low, high, source.length, true);
    if (status === DMA_MMIO || status === DMA_MESSAGE) return this.#writeWord(status, source);
    if (status !== DMA_OK) return status;
    const { offsets, lengths, count } = this.answer;
    for (let index = 0, at = 0; index < count; index++) {
      const length = lengths[index];
      this.memory.write(offsets[index] as HostOffset, source.subarray(at, at + length));
      at += length;
    }
    return DMA_OK;
  }

  #writeWord(status: DmaStatus, source: Uint8Array): DmaStatus {
    if (source.length !== 4) return DMA_ABORT;
    const value = new DataView(source.buffer, source.byteOffset, 4).getUint32(0, true);
    if (status === DMA_MESSAGE) {
      return this.translator.message?.(this.#request, value) === true ? DMA_OK : DMA_ABORT;
    }
    return this.translator.space.store(this.answer.mmio, 4, value) ? DMA_OK : DMA_ABORT;
  }
}
