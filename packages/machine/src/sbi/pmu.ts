import {
  CSR_CYCLE,
  CSR_INSTRET,
  CSR_MCOUNTINHIBIT,
  CSR_MCYCLE,
  EID_PMU,
  SBI_ERR_ALREADY_STARTED,
  SBI_ERR_ALREADY_STOPPED,
  SBI_ERR_INVALID_PARAM,
  SBI_ERR_NO_SHMEM,
  SBI_ERR_NOT_SUPPORTED,
  SBI_SUCCESS,
} from './codes.js';
import { isFirmwareEvent } from './firmware-counters.js';
import { sbiRet, type SbiCall, type SbiExtension, type SbiRet } from './sbi-extension.js';
import type { SbiHart } from './sbi-hart.js';

/** Counter 0 is cycle, 2 is instret (their CSR numbers); 1 would be time, which cannot be stopped: not offered. */
const COUNTER_CYCLE = 0;
const COUNTER_INSTRET = 2;
const FIRST_FIRMWARE_COUNTER = 3;
const FIRMWARE_COUNTERS = 16;
const COUNTERS = FIRST_FIRMWARE_COUNTER + FIRMWARE_COUNTERS;
/** Width of the hardware counters, as counter_info tells it: one less than the bits. */
const WIDTH_64 = 63n;
const INFO_FIRMWARE = 1n << 63n;

// Event indices, SBI 2.0 chapter 11: type in bits 19:16, code in 15:0.
const TYPE_HARDWARE = 0;
const TYPE_CACHE = 1;
const TYPE_RAW = 2;
const TYPE_FIRMWARE = 15;
const EVENT_CYCLES = 1;
const EVENT_INSTRUCTIONS = 2;
/** REF_CPU_CYCLES, the last of the hardware general events. */
const LAST_HARDWARE_EVENT = 10;

const CONFIG_SKIP_MATCH = 1n;
const CONFIG_CLEAR_VALUE = 2n;
const CONFIG_AUTO_START = 4n;
const CONFIG_ALL = 0xffn;
const START_SET_INIT_VALUE = 1n;
const START_INIT_SNAPSHOT = 2n;
const STOP_RESET = 1n;
const STOP_TAKE_SNAPSHOT = 2n;

interface CounterState {
  /** The event it is configured for; -1: free. */
  event: number;
  started: boolean;
  /** Firmware counters only: 64 bits unsigned. */
  value: bigint;
}

/**
 * Performance monitoring, SBI 2.0 chapter 11, without snapshot memory: two fixed hardware counters and
 * firmware counters for the calls that this SBI serves, per hart.
 */
export class PmuExtension implements SbiExtension {
  readonly eid = EID_PMU;
  readonly #counters = new Map<number, CounterState[]>();

  constructor(private readonly harts: readonly SbiHart[]) {
    this.reset();
  }

  /** A firmware event happened on a hart. */
  readonly count = (hart: number, event: number): void => {
    const counters = this.#counters.get(hart);
    if (counters === undefined) return;
    for (let index = FIRST_FIRMWARE_COUNTER; index < COUNTERS; index++) {
      const counter = counters[index];
      if (counter.started && counter.event === event) counter.value = BigInt.asUintN(64, counter.value + 1n);
    }
  };

  call({ hart, fid, args }: SbiCall): SbiRet {
    switch (fid) {
      case 0:
        return sbiRet(SBI_SUCCESS, BigInt(COUNTERS));
      case 1:
        return counterInfo(args[0]);
      case 2:
        return this.#configure(hart, args);
      case 3:
        return this.#start(hart, args[0], args[1], args[2], args[3]);
      case 4:
        return this.#stop(hart, args[0], args[1], args[2]);
      case 5:
        return this.#readFirmware(hart, args[0]);
      case 6:
        // 11.11: the upper 32 bits on RV32, always 0 here.
        return exists(args[0]) && isFirmwareCounter(Number(args[0]))
          ? sbiRet(SBI_SUCCESS)
          : sbiRet(SBI_ERR_INVALID_PARAM);
      default:
        return sbiRet(SBI_ERR_NOT_SUPPORTED);
    }
  }

  reset(): void {
    for (const { id } of this.harts) {
      this.#counters.set(
        id,
        Array.from({ length: COUNTERS }, () => ({ event: -1, started: false, value: 0n })),
      );
    }
  }

  save(): { hart: number; counters: { event: number; started: boolean; value: bigint }[] }[] {
    return [...this.#counters].map(([hart, counters]) => ({
      hart,
      counters: counters.map((counter) => ({ ...counter })),
    }));
  }

  restore(saved: readonly { hart: number; counters: readonly CounterState[] }[]): void {
    for (const { hart, counters } of saved) {
      this.#counters.set(
        hart,
        counters.map((counter) => ({ ...counter })),
      );
    }
  }

  #configure(hart: SbiHart, args: readonly bigint[]): SbiRet {
    const [base, mask, flags, event] = [args[0], args[1], args[2], args[3]];
    const named = namedCounters(base, mask);
    if (named === undefined || (flags & ~CONFIG_ALL) !== 0n) return sbiRet(SBI_ERR_INVALID_PARAM);
    const kind = eventKind(event);
    if (kind === 'invalid') return sbiRet(SBI_ERR_INVALID_PARAM);
    if (kind === 'unknown') return sbiRet(SBI_ERR_NOT_SUPPORTED);
    const counters = this.#counters.get(hart.id)!;
    const fits = (index: number): boolean =>
      kind === 'firmware' ? isFirmwareCounter(index) : index === HARDWARE_COUNTERS[Number(event)];
    // 11.7: with SKIP_MATCH the first named counter is taken, which the caller has matched before.
    const skipMatch = (flags & CONFIG_SKIP_MATCH) !== 0n;
    const chosen = skipMatch
      ? named[0]
      : named.find((index) => fits(index) && counters[index].event < 0 && !counters[index].started);
    if (chosen === undefined) return sbiRet(SBI_ERR_NOT_SUPPORTED);
    const counter = counters[chosen];
    if (skipMatch && counter.event < 0) return sbiRet(SBI_ERR_INVALID_PARAM);
    if (!skipMatch) counter.event = Number(event & 0xffffn);
    if ((flags & CONFIG_CLEAR_VALUE) !== 0n) this.#setValue(hart, chosen, counter, 0n);
    if ((flags & CONFIG_AUTO_START) !== 0n) this.#setRunning(hart, chosen, counter, true);
    return sbiRet(SBI_SUCCESS, BigInt(chosen));
  }

  #start(hart: SbiHart, base: bigint, mask: bigint, flags: bigint, value: bigint): SbiRet {
    const named = namedCounters(base, mask);
    const known = START_SET_INIT_VALUE | START_INIT_SNAPSHOT;
    if (named === undefined || (flags & ~known) !== 0n) return sbiRet(SBI_ERR_INVALID_PARAM);
    if ((flags & START_INIT_SNAPSHOT) !== 0n) return sbiRet(SBI_ERR_NO_SHMEM);
    const counters = this.#counters.get(hart.id)!;
    if (named.some((index) => counters[index].event < 0)) return sbiRet(SBI_ERR_INVALID_PARAM);
    let already = false;
    for (const index of named) {
      const counter = counters[index];
      if (counter.started) {
        already = true;
        continue;
      }
      if ((flags & START_SET_INIT_VALUE) !== 0n) this.#setValue(hart, index, counter, value);
      this.#setRunning(hart, index, counter, true);
    }
    return sbiRet(already ? SBI_ERR_ALREADY_STARTED : SBI_SUCCESS);
  }

  #stop(hart: SbiHart, base: bigint, mask: bigint, flags: bigint): SbiRet {
    const named = namedCounters(base, mask);
    const known = STOP_RESET | STOP_TAKE_SNAPSHOT;
    if (named === undefined || (flags & ~known) !== 0n) return sbiRet(SBI_ERR_INVALID_PARAM);
    if ((flags & STOP_TAKE_SNAPSHOT) !== 0n) return sbiRet(SBI_ERR_NO_SHMEM);
    const counters = this.#counters.get(hart.id)!;
    let already = false;
    for (const index of named) {
      const counter = counters[index];
      if (counter.started) this.#setRunning(hart, index, counter, false);
      else already = true;
      if ((flags & STOP_RESET) !== 0n) counter.event = -1;
    }
    return sbiRet(already ? SBI_ERR_ALREADY_STOPPED : SBI_SUCCESS);
  }

  #readFirmware(hart: SbiHart, index: bigint): SbiRet {
    if (!exists(index) || !isFirmwareCounter(Number(index))) return sbiRet(SBI_ERR_INVALID_PARAM);
    return sbiRet(SBI_SUCCESS, this.#counters.get(hart.id)![Number(index)].value);
  }

  #setValue(hart: SbiHart, index: number, counter: CounterState, value: bigint): void {
    if (isFirmwareCounter(index)) counter.value = value;
    else hart.writeCsr(CSR_MCYCLE + index, value);
  }

  /** A hardware counter that is not inhibited counts whether anybody asked or not; stopping inhibits it. */
  #setRunning(hart: SbiHart, index: number, counter: CounterState, running: boolean): void {
    counter.started = running;
    if (isFirmwareCounter(index)) return;
    const inhibit = hart.readCsr(CSR_MCOUNTINHIBIT);
    const bit = 1n << BigInt(index);
    hart.writeCsr(CSR_MCOUNTINHIBIT, running ? inhibit & ~bit : inhibit | bit);
  }
}

/** The fixed counter of a hardware event. */
const HARDWARE_COUNTERS: { readonly [event: number]: number } = {
  [EVENT_CYCLES]: COUNTER_CYCLE,
  [EVENT_INSTRUCTIONS]: COUNTER_INSTRET,
};

const isFirmwareCounter = (index: number): boolean => index >= FIRST_FIRMWARE_COUNTER && index < COUNTERS;

const exists = (index: bigint): boolean =>
  index < BigInt(COUNTERS) && (isFirmwareCounter(Number(index)) || Number(index) !== 1);

/** 11.6: CSR number in bits 11:0, width in 17:12, type in the top bit. */
function counterInfo(index: bigint): SbiRet {
  if (!exists(index)) return sbiRet(SBI_ERR_INVALID_PARAM);
  if (isFirmwareCounter(Number(index))) return sbiRet(SBI_SUCCESS, INFO_FIRMWARE);
  const csr = Number(index) === COUNTER_CYCLE ? CSR_CYCLE : CSR_INSTRET;
  return sbiRet(SBI_SUCCESS, BigInt(csr) | (WIDTH_64 << 12n));
}

/** The counters of (counter_idx_base, counter_idx_mask); undefined when the mask names one that is not there. */
function namedCounters(base: bigint, mask: bigint): number[] | undefined {
  if (mask === 0n || base >= BigInt(COUNTERS)) return undefined;
  const named: number[] = [];
  for (let bit = 0n; bit < 64n; bit++) {
    if (((mask >> bit) & 1n) === 0n) continue;
    if (base + bit >= BigInt(COUNTERS)) return undefined;
    // The hole at counter 1 is skipped: callers name all counters by one mask.
    if (exists(base + bit)) named.push(Number(base + bit));
  }
  return named.length === 0 ? undefined : named;
}

/** What an event index names: an event that can be counted, a valid one that cannot, or none. */
function eventKind(index: bigint): 'hardware' | 'firmware' | 'unknown' | 'invalid' {
  if (index > 0xf_ffffn) return 'invalid';
  const type = Number(index >> 16n);
  const code = Number(index & 0xffffn);
  switch (type) {
    case TYPE_HARDWARE:
      if (code === EVENT_CYCLES || code === EVENT_INSTRUCTIONS) return 'hardware';
      return code === 0 || code > LAST_HARDWARE_EVENT ? 'invalid' : 'unknown';
    case TYPE_CACHE:
    case TYPE_RAW:
      return 'unknown';
    case TYPE_FIRMWARE:
      return isFirmwareEvent(code) ? 'firmware' : 'unknown';
    default:
      return 'invalid';
  }
}
