import type { AtsFunctions, Counter, Ledger } from '@vmloom/device';
import { joinAddress, UNMAPPABLE, type AddressSpace } from '@vmloom/memory';
import * as C from './codes.js';
import type { WalkState } from './core.js';
import { swap32, type IommuInterrupts } from './interrupts.js';
import type { InvalidationTags } from './invalidation-tags.js';
import { entryAddress, nextIndex } from './queue-place.js';
import type { RegisterFile } from './register-file.js';
import * as R from './registers.js';

// Opcode in bits 6:0, function in 9:7 (4.1).
const IOTINVAL = 1;
const IOFENCE = 2;
const IODIR = 3;
const ATS = 4;
const NAMES = ['', 'IOTINVAL', 'IOFENCE', 'IODIR', 'ATS'];

const COMMAND_BYTES = 16;
const STOPPED = R.QUEUE_MEMORY_FAULT | R.COMMAND_TIMEOUT | R.COMMAND_ILLEGAL;
const ALL_ADDRESSES = 64;

/** What became of a command: done, or the queue stays at it. */
type Outcome = 'done' | 'wait' | 'illegal' | 'memory-fault' | 'timeout';

export interface CommandQueueOptions {
  readonly registers: RegisterFile;
  readonly space: AddressSpace;
  readonly walk: WalkState;
  readonly interrupts: IommuInterrupts;
  readonly tags: InvalidationTags;
  readonly functions: () => AtsFunctions | undefined;
  /** Translations given before may no longer hold. */
  readonly onInvalidate: () => void;
  readonly ledger: Ledger;
  readonly name: string;
}

/** The command queue: software produces, the IOMMU consumes (4.1). */
export class CommandQueue {
  /** Low first, of the command at hand. */
  readonly #words = new Uint32Array(4);
  readonly #counters: readonly Counter[];

  constructor(private readonly options: CommandQueueOptions) {
    this.#counters = NAMES.map((name) => options.ledger.counter(options.name, 'command', name));
  }

  /** Commands wait, and nothing holds the queue. */
  get ready(): boolean {
    const { registers } = this.options;
    const status = registers.get(R.CQCSR);
    if ((status & R.QUEUE_ON) === 0 || (status & STOPPED) !== 0) return false;
    return registers.get(R.CQH) !== registers.get(R.CQT);
  }

  /** Runs at most so many commands; the count. The queue may have to wait for a completion: then `ready` stays true. */
  run(most: number): number {
    const { registers } = this.options;
    let count = 0;
    for (; count < most && this.ready; count++) {
      const outcome = this.#fetch() ? this.#execute() : 'memory-fault';
      if (outcome === 'wait') return count;
      if (outcome === 'done') registers.set(R.CQH, nextIndex(registers, R.CQB, registers.get(R.CQH)));
      else this.#stop(outcome);
    }
    return count;
  }

  /** Condition of ipsr.cip (6.16). */
  interruptIfWanted(): void {
    const { registers, interrupts } = this.options;
    const status = registers.get(R.CQCSR);
    if ((status & R.QUEUE_INTERRUPT_ENABLE) !== 0 && (status & (STOPPED | R.FENCE_PENDING)) !== 0) {
      interrupts.raise(R.IP_COMMAND);
    }
  }

  #stop(outcome: 'illegal' | 'memory-fault' | 'timeout'): void {
    const bit = {
      illegal: R.COMMAND_ILLEGAL,
      'memory-fault': R.QUEUE_MEMORY_FAULT,
      timeout: R.COMMAND_TIMEOUT,
    }[outcome];
    this.options.registers.change(R.CQCSR, bit);
    this.interruptIfWanted();
  }

  #fetch(): boolean {
    const { registers, space } = this.options;
    const address = entryAddress(registers, R.CQB, registers.get(R.CQH), COMMAND_BYTES);
    const offset = address === UNMAPPABLE ? -1 : space.resolve(address, COMMAND_BYTES);
    if (offset < 0) return false;
    const { view } = space.memory;
    const bigEndian = (registers.get(R.FCTL) & R.FCTL_BE) !== 0;
    for (let index = 0; index < 4; index++) {
      this.#words[index] = view.getUint32(offset + 4 * (bigEndian ? index ^ 1 : index), !bigEndian);
    }
    return true;
  }

  #execute(): Outcome {
    const operation = this.#words[0] & 0x7f;
    const fn = (this.#words[0] >>> 7) & 7;
    const outcome = this.#dispatch(operation, fn);
    if (outcome === 'done') this.#counters[operation].value++;
    return outcome;
  }

  #dispatch(operation: number, fn: number): Outcome {
    if (operation === IOTINVAL && fn <= 1) return this.#invalidateTranslations(fn === 1);
    if (operation === IOFENCE && fn === 0) return this.#fence();
    if (operation === IODIR && fn <= 1) return this.#invalidateDirectory(fn === 1);
    const ats = (this.options.registers.get(R.CAPABILITIES) & C.CAP_ATS) !== 0;
    if (operation === ATS && fn <= 1 && ats) return fn === 0 ? this.#invalidateDevice() : this.#respond();
    return 'illegal';
  }

  /** 4.1.1. */
  #invalidateTranslations(second: boolean): Outcome {
    const { registers, walk, onInvalidate } = this.options;
    const [w0, w1, w2, w3] = this.#words;
    const high = registers.get(R.CAPABILITIES + 4);
    const hasAddress = (w0 & (1 << 10)) !== 0;
    const hasProcess = (w1 & 1) !== 0;
    const ranged = (w2 & (1 << 9)) !== 0;
    if ((w0 & (1 << 11)) !== 0 || (w1 & 0xf000_0ff8) !== 0 || (w2 & 0x1ff) !== 0 || w3 >>> 30 !== 0)
      return 'illegal';
    if ((w1 & 4) !== 0 && (high & C.CAP_HIGH_NL) === 0) return 'illegal';
    if (ranged && (high & C.CAP_HIGH_S) === 0) return 'illegal';
    if (second && hasProcess) return 'illegal';
    const gscid = (w1 & 2) !== 0 ? (C.ID_VALID | ((w1 >>> 12) & 0xffff)) >>> 0 : 0;
    if (second) walk.core.invalidateSecond(walk.base, gscid);
    else {
      const pscid = hasProcess ? (C.ID_VALID | (w0 >>> 12)) >>> 0 : 0;
      const page = (BigInt(w3) << 22n) | BigInt(w2 >>> 10);
      const shift = !hasAddress ? ALL_ADDRESSES : ranged ? napotShift(page, 52) : 12;
      walk.core.invalidateFirst(walk.base, gscid, pscid, BigInt.asIntN(64, page << 12n), shift);
    }
    onInvalidate();
    return 'done';
  }

  /** 4.1.2. Requests of devices are done when they are made, so PR and PW hold by themselves. */
  #fence(): Outcome {
    const { registers, space, tags } = this.options;
    const [w0, data, w2, w3] = this.#words;
    const control = registers.get(R.FCTL);
    const wired = (w0 & (1 << 11)) !== 0;
    if ((w0 & 0xffff_c000) !== 0 || w3 >>> 30 !== 0 || (wired && (control & R.FCTL_WSI) === 0))
      return 'illegal';
    if (tags.outstanding) return 'wait';
    if (tags.takeTimeout()) return 'timeout';
    if ((w0 & (1 << 10)) !== 0) {
      const address = joinAddress((w2 << 2) >>> 0, ((w3 << 2) | (w2 >>> 30)) >>> 0);
      const value = (control & R.FCTL_BE) !== 0 ? swap32(data) : data;
      if (address === UNMAPPABLE || !space.store(address, 4, value)) return 'memory-fault';
    }
    if (wired) {
      registers.change(R.CQCSR, R.FENCE_PENDING);
      this.interruptIfWanted();
    }
    return 'done';
  }

  /** 4.1.3. */
  #invalidateDirectory(process: boolean): Outcome {
    const { registers, walk, onInvalidate } = this.options;
    const [w0, w1, w2, w3] = this.#words;
    const pid = w0 >>> 12;
    const hasDevice = (w1 & 2) !== 0;
    const device = w1 >>> 8;
    if ((w0 & 0xc00) !== 0 || (w1 & 0xfd) !== 0 || w2 !== 0 || w3 !== 0) return 'illegal';
    if (hasDevice && device >= deviceLimit(registers)) return 'illegal';
    if (process) {
      if (!hasDevice || pid >= processLimit(registers)) return 'illegal';
      walk.core.invalidateProcesses(walk.base, 1, device, 1, pid);
    } else {
      if (pid !== 0) return 'illegal';
      walk.core.invalidateDevices(walk.base, hasDevice ? 1 : 0, device);
    }
    onInvalidate();
    return 'done';
  }

  /** ATS.INVAL (4.1.4). */
  #invalidateDevice(): Outcome {
    const { functions, tags } = this.options;
    const [w0, w1, w2, w3] = this.#words;
    if ((w0 & 0xc00) !== 0 || (w1 & 0xfc) !== 0) return 'illegal';
    const requester = (w1 >>> 8) & 0xffff;
    const tag = tags.take(requester);
    if (tag < 0) return 'wait';
    const page = (BigInt(w3) << 20n) | BigInt(w2 >>> 12);
    const shift = (w2 & 0x800) === 0 ? 12 : napotShift(page, 52);
    const start = shift >= 64 ? 0n : ((page << 12n) >> BigInt(shift)) << BigInt(shift);
    functions()?.invalidate({
      requester,
      pasid: (w1 & 1) !== 0 ? w0 >>> 12 : -1,
      tag,
      global: (w2 & 1) !== 0,
      low: Number(start & 0xffff_ffffn),
      high: Number(start >> 32n),
      shift,
    });
    return 'done';
  }

  /** ATS.PRGR (4.1.4). */
  #respond(): Outcome {
    const [w0, w1, , w3] = this.#words;
    if ((w0 & 0xc00) !== 0 || (w1 & 0xfc) !== 0) return 'illegal';
    this.options.functions()?.respond({
      requester: (w1 >>> 8) & 0xffff,
      pasid: (w1 & 1) !== 0 ? w0 >>> 12 : -1,
      group: w3 & 0x1ff,
      code: (w3 >>> 12) & 15,
    });
    return 'done';
  }
}

/** Log2 of the bytes of a NAPOT range: the lowest zero of the page number is the highest bit that does not count. */
function napotShift(page: bigint, bits: number): number {
  let zero = 0;
  while (zero < bits && ((page >> BigInt(zero)) & 1n) === 1n) zero++;
  return Math.min(ALL_ADDRESSES, zero + 13);
}

/** Device IDs that ddtp.iommu_mode has. */
function deviceLimit(registers: RegisterFile): number {
  const leaf = (registers.get(R.CAPABILITIES) & C.CAP_MSI_FLAT) !== 0 ? 6 : 7;
  const mode = registers.get(R.DDTP) & 15;
  if (mode === C.DDTP_1LVL) return 2 ** leaf;
  return mode === C.DDTP_2LVL ? 2 ** (leaf + 9) : 2 ** 24;
}

/** Process IDs that the capabilities have. */
function processLimit(registers: RegisterFile): number {
  const high = registers.get(R.CAPABILITIES + 4);
  if ((high & C.CAP_HIGH_PD20) !== 0) return 2 ** 20;
  return (high & C.CAP_HIGH_PD17) !== 0 ? 2 ** 17 : 2 ** 8;
}
