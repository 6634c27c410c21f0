import type { Clock, EventId, EventOwner, Snapshot, Snapshotable } from '@vmloom/device';
import { physical, type AddressSpace, type HandlerWidth } from '@vmloom/memory';
import type { CoreClient, RiscvCore } from './core.js';
import { CSR_FCSR, CSR_FFLAGS, CSR_FRM } from './csr-numbers.js';
import { RiscvError } from './error.js';
import { restoreState, saveState } from './hart-snapshot.js';
import { CSR_FIELDS, HartState } from './hart-state.js';
import { imsicClient, type ImsicPort } from './imsic-port.js';
import * as L from './layout.js';
import { writeRamMap } from './ram-map.js';

/** 0 user, 1 supervisor, 3 machine. */
export type Privilege = 0 | 1 | 3;

/** Why {@link Hart.run} ended. `fatal`: a trap handler whose first instruction traps into itself. */
export type HartExit = 'budget' | 'wfi' | 'sbi' | 'stop' | 'breakpoint' | 'fatal';

/** Bits of mip: SSIP 1, MSIP 3, STIP 5, MTIP 7, SEIP 9, MEIP 11. */
export type InterruptBit = 1 | 3 | 5 | 7 | 9 | 11;

export type AccessKind = 'fetch' | 'read' | 'write';

export interface HartOptions {
  readonly core: RiscvCore;
  /** mhartid. */
  readonly id: number;
  readonly space: AddressSpace;
  readonly clock: Clock;
  /** Unique on the clock; `hart<id>` unless told. */
  readonly name?: string;
  /** Virtual picoseconds that one instruction takes, 1 to 2^32 - 1; 1000 unless told. */
  readonly picosecondsPerInstruction?: number;
  /** Ticks of the `time` CSR per second; 10,000,000 unless told. */
  readonly timebase?: number;
  /**
   * The host plays the firmware: the hart starts in S-mode with everything delegated, and S-mode's ECALLs
   * leave {@link Hart.run} with exit `sbi`, the PC behind the instruction.
   */
  readonly hostFirmware?: boolean;
  /** EBREAK leaves {@link Hart.run} with exit `breakpoint`, the PC at the instruction. */
  readonly ebreakExits?: boolean;
  /** Smaia and Ssaia, the CSRs of the Advanced Interrupt Architecture 1.0. False unless told. */
  readonly aia?: boolean;
}

export interface HartEntry {
  readonly pc: bigint;
  /** S-mode with host firmware, else M-mode, unless told. */
  readonly privilege?: Privilege;
  readonly a0?: bigint;
  readonly a1?: bigint;
}

const EXITS: readonly HartExit[] = ['budget', 'wfi', 'sbi', 'stop', 'breakpoint', 'fatal'];
const ACCESS: Record<AccessKind, number> = { fetch: 0, read: 1, write: 2 };
/** Instructions per call of the core: V8 swaps in optimized code only between calls. */
const CHUNK = 200_000;
const TIMER_EVENT = 'stimecmp';
const STIP = 1 << 5;
const STCE = 1n << 63n;
const ADUE = 1n << 61n;
const NANOSECONDS = 1_000_000_000n;
const A0 = 10;
const A1 = 11;
/** NAPOT over all addresses with R, W and X. */
const PMP_ALL = 0x1fn;

/** One RV64GC hart. Its state lies in the host memory's reserve; this object is the way to it. */
export class Hart implements Snapshotable, EventOwner {
  readonly name: string;
  readonly id: number;
  readonly space: AddressSpace;
  readonly clock: Clock;
  /** Why the last {@link run} ended. */
  exit: HartExit = 'budget';
  readonly #core: RiscvCore;
  readonly #state: HartState;
  readonly #hostFirmware: boolean;
  readonly #pair = new Uint32Array(2);
  #imsic: ImsicPort | undefined;
  #sliceEnd = 0;
  #running = false;
  #stop = false;
  #timer: EventId = 0;
  #error: { cause: unknown } | undefined;

  /** @throws MemoryError reserve-exhausted; RiscvError too-many-harts, bad-option; DeviceError duplicate-owner */
  constructor(options: HartOptions) {
    const { core, id, space, clock } = options;
    this.id = id;
    this.name = options.name ?? `hart${id}`;
    this.space = space;
    this.clock = clock;
    this.#core = core;
    this.#hostFirmware = options.hostFirmware ?? false;
    const picoseconds = options.picosecondsPerInstruction ?? 1000;
    const timebase = options.timebase ?? 10_000_000;
    if (!isCount(picoseconds))
      throw new RiscvError('bad-option', `no picosecondsPerInstruction: ${picoseconds}`);
    if (!isCount(timebase)) throw new RiscvError('bad-option', `no timebase: ${timebase}`);
    const state = (this.#state = new HartState(core.memory, core.memory.reserve(L.STATE_SIZE, 64)));
    const tlb = core.memory.reserve(L.TLB_SETS * L.TLB_SET_SIZE, 64);
    state.setU32(L.S_TLB_BASE, tlb);
    state.setU32(L.S_CORE, core.base);
    state.setU32(L.S_HART_ID, id);
    state.setU32(L.S_PICOSECONDS, picoseconds);
    state.setU32(L.S_TIMEBASE, timebase);
    state.setU32(
      L.S_OPTIONS,
      (this.#hostFirmware ? L.OPTION_HOST_FIRMWARE : 0) |
        (options.ebreakExits ? L.OPTION_EBREAK_EXITS : 0) |
        (options.aia ? L.OPTION_AIA : 0),
    );
    // Every set counts as used, so that the first flush makes all its tags invalid.
    for (let set = 0; set < L.TLB_SETS; set++) {
      core.memory.view.setUint32(tlb + set * L.TLB_SET_SIZE + L.TLB_USE, 1, true);
    }
    clock.register(this);
    state.setU32(L.S_INDEX, core.attach(this.#client(), state.base));
    this.#mapRam();
    space.onChange(() => this.#mapRam());
    this.reset({ pc: 0n });
  }

  /** Registers and CSRs to their reset values; virtual time and the count of retired instructions go on. */
  reset(entry: HartEntry): void {
    const state = this.#state;
    for (let index = 0; index <= 32; index++) state.setU64(L.S_X + index * 8, 0n);
    for (let index = 0; index < 32; index++) state.setU64(L.S_F + index * 8, 0n);
    const lines = state.u64(L.S_MIP_LINES);
    for (const { first, end } of CSR_FIELDS) {
      for (let field = first; field < end; field += 8) state.setU64(field, 0n);
    }
    state.setU64(L.S_MIP_LINES, lines);
    const retired = BigInt(this.retired);
    state.setU64(L.S_MCYCLE, BigInt.asUintN(64, -retired));
    state.setU64(L.S_MINSTRET, BigInt.asUintN(64, -retired));
    state.setU64(L.S_STIMECMP, 0xffff_ffff_ffff_ffffn);
    state.setU64(L.S_MENVCFG, ADUE);
    state.setU32(L.S_WAITING, 0);
    state.setU32(L.S_RESERVATION, 0);
    if (this.#hostFirmware) this.#delegateAll();
    state.setU32(L.S_PRIVILEGE, entry.privilege ?? (this.#hostFirmware ? 1 : 3));
    state.setU64(L.S_PC, BigInt.asUintN(64, entry.pc));
    this.writeX(A0, entry.a0 ?? 0n);
    this.writeX(A1, entry.a1 ?? 0n);
    this.#core.exports.summarizePmp(state.base);
    this.#core.exports.updateContext(state.base);
    this.#armTimer();
  }

  /**
   * Retires at most `maxInstructions`, exactly; taking a trap retires nothing. The count; {@link exit} says
   * why it ended. The result is the same however a run is cut into slices.
   */
  run(maxInstructions: number): number {
    const state = this.#state;
    const first = this.retired;
    this.#sliceEnd = first + Math.max(0, Math.floor(maxInstructions));
    this.#stop = false;
    this.exit = 'budget';
    this.#rebase();
    this.#running = true;
    try {
      for (let now = first; now < this.#sliceEnd; now = this.retired) {
        const chunk = Math.min(this.#sliceEnd - now, CHUNK);
        state.setCount(L.S_END, now + chunk);
        state.setU32(L.S_LEFT, chunk);
        this.#core.exports.run(state.base);
        this.#core.jit?.poll(this.retired);
        this.exit = EXITS[state.u32(L.S_EXIT)]!;
        if (this.exit !== 'budget') break;
        if (this.#stop) {
          this.exit = 'stop';
          break;
        }
      }
    } finally {
      this.#running = false;
    }
    const error = this.#error;
    if (error !== undefined) {
      this.#error = undefined;
      throw error.cause;
    }
    return this.retired - first;
  }

  /** Instructions retired since the hart was made. */
  get retired(): number {
    const state = this.#state;
    return state.count(L.S_END) - state.u32(L.S_LEFT) - state.u32(L.S_INSIDE);
  }

  /** Virtual nanoseconds at the present instruction, exact. */
  get localTime(): number {
    const state = this.#state;
    const since = this.retired - state.count(L.S_EPOCH_RETIRED);
    const picoseconds = since * state.u32(L.S_PICOSECONDS) + state.u32(L.S_EPOCH_REMAINDER);
    return state.count(L.S_EPOCH_TIME) + Math.floor(picoseconds / 1000);
  }

  /** Idle time passes, without instructions, up to `time` (nanoseconds); nothing happens if that is past. */
  skipTo(time: number): void {
    if (!(time > this.localTime)) return;
    this.#setEpoch(Math.floor(time), 0);
  }

  /** Instructions that bring the hart to `time` (nanoseconds) or just behind it; 0 when it is there. */
  instructionsUntil(time: number): number {
    const state = this.#state;
    const since = time - state.count(L.S_EPOCH_TIME);
    const needed = Math.ceil((since * 1000 - state.u32(L.S_EPOCH_REMAINDER)) / state.u32(L.S_PICOSECONDS));
    return Math.max(0, needed - (this.retired - state.count(L.S_EPOCH_RETIRED)));
  }

  /** In an MMIO call: the running slice ends at the first instruction boundary at or after `time` (nanoseconds). */
  shortenTo(time: number): void {
    if (this.#running) this.#endAfter(this.instructionsUntil(time));
  }

  /**
   * In an MMIO call or in a store's listener: {@link run} returns when the present instruction has retired,
   * with exit `stop`. Told of a page walk's own store in the middle of a fetch it returns at the next chance.
   */
  requestStop(): void {
    if (!this.#running) return;
    this.#stop = true;
    if (this.#state.u32(L.S_INSIDE) !== 0) this.#endAfter(0);
  }

  /**
   * Drives an input of mip. SEIP is ORed with the bit that software writes; SSIP is that bit itself, for its
   * input is edge-triggered and software clears it (ACLINT SSWI). `priority` is the number that the controller
   * gives an external interrupt (9 or 11), for the top-interrupt CSRs of the AIA; 0: none.
   */
  setInterrupt(bit: InterruptBit, level: boolean, priority = 0): void {
    if (bit === 11) this.#state.setU32(L.S_EXTERNAL_PRIORITY, priority);
    else if (bit === 9) this.#state.setU32(L.S_EXTERNAL_PRIORITY + 4, priority);
    const field = bit === 1 ? L.S_MIP_SOFTWARE : L.S_MIP_LINES;
    const old = this.#state.u32(field);
    this.#state.setU32(field, level ? old | (1 << bit) : old & ~(1 << bit));
  }

  /** The hart's incoming-MSI controller, behind the CSRs of the AIA. Once, before the hart runs. */
  connectImsic(imsic: ImsicPort): void {
    this.#imsic = imsic;
    this.#state.setU32(L.S_OPTIONS, this.#state.u32(L.S_OPTIONS) | L.OPTION_AIA | L.OPTION_IMSIC);
  }

  /** An interrupt is pending and enabled in mie or, if virtual, in sie, whatever mstatus says: WFI ends. */
  get interruptPending(): boolean {
    const state = this.#state;
    if (state.u32(L.S_VIRTUAL_PENDING + 4) !== 0) return true;
    const pending = state.u32(L.S_MIP_SOFTWARE) | state.u32(L.S_MIP_LINES) | state.u32(L.S_MIP_TIMER);
    return (pending & state.u32(L.S_MIE)) !== 0;
  }

  /** After WFI, until an interrupt is pending and the hart runs again. */
  get waiting(): boolean {
    return this.#state.u32(L.S_WAITING) !== 0;
  }

  get pc(): bigint {
    return this.#state.u64(L.S_PC);
  }
  set pc(value: bigint) {
    this.#state.setU64(L.S_PC, BigInt.asUintN(64, value) & ~1n);
  }

  get privilege(): Privilege {
    return this.#state.u32(L.S_PRIVILEGE) as Privilege;
  }
  set privilege(value: Privilege) {
    this.#state.setU32(L.S_PRIVILEGE, value);
    this.#core.exports.updateContext(this.#state.base);
  }

  /** Unsigned. @throws RiscvError bad-operand unless the index is 0 to 31 */
  readX(index: number): bigint {
    return this.#state.u64(L.S_X + registerIndex(index) * 8);
  }
  /** x0 stays zero. @throws RiscvError bad-operand */
  writeX(index: number, value: bigint): void {
    if (registerIndex(index) !== 0) this.#state.setU64(L.S_X + index * 8, BigInt.asUintN(64, value));
  }
  /** The 64-bit encoding. @throws RiscvError bad-operand */
  readF(index: number): bigint {
    return this.#state.u64(L.S_F + registerIndex(index) * 8);
  }
  /** @throws RiscvError bad-operand */
  writeF(index: number, value: bigint): void {
    this.#state.setU64(L.S_F + registerIndex(index) * 8, BigInt.asUintN(64, value));
  }

  /** A CSR as M-mode reads it. @throws RiscvError no-such-csr */
  readCsr(number: number): bigint {
    const state = this.#state;
    if (number === CSR_FFLAGS) return BigInt(state.u32(L.S_FFLAGS));
    if (number === CSR_FRM) return BigInt(state.u32(L.S_FRM));
    if (number === CSR_FCSR) return BigInt(state.u32(L.S_FFLAGS) | (state.u32(L.S_FRM) << 5));
    state.setU32(L.S_CSR_ILLEGAL, 0);
    const value = this.#core.exports.readCsr(state.base, number, 3);
    if (state.u32(L.S_CSR_ILLEGAL) !== 0) {
      throw new RiscvError('no-such-csr', `there is no CSR 0x${number.toString(16)}`);
    }
    return BigInt.asUintN(64, value);
  }

  /** As M-mode writes it: WARL fields keep to legal values. @throws RiscvError no-such-csr, read-only-csr */
  writeCsr(number: number, value: bigint): void {
    this.readCsr(number);
    if (number >> 10 === 3)
      throw new RiscvError('read-only-csr', `CSR 0x${number.toString(16)} is read-only`);
    this.#core.exports.writeCsr(this.#state.base, number, BigInt.asIntN(64, value));
  }

  /** Host offset of the state block, for who compares harts word by word. */
  get stateOffset(): number {
    return this.#state.base;
  }

  /** What the hart shares with the others on its memory. */
  get core(): RiscvCore {
    return this.#core;
  }

  /** Whether the hart stops at the core's breakpoints; true until told. */
  get breakpoints(): boolean {
    return (this.#state.u32(L.S_OPTIONS) & L.OPTION_NO_BREAKPOINTS) === 0;
  }
  set breakpoints(stops: boolean) {
    const others = this.#state.u32(L.S_OPTIONS) & ~L.OPTION_NO_BREAKPOINTS;
    this.#state.setU32(L.S_OPTIONS, others | (stops ? 0 : L.OPTION_NO_BREAKPOINTS));
  }

  /** Forgets every cached translation, as SFENCE.VMA without operands does. */
  flushTlb(): void {
    this.#core.exports.flushAll(this.#state.base);
  }

  /** Where an address leads for the present mode, without a trap or a change of A and D; for debuggers. */
  translate(address: bigint, access: AccessKind): bigint | undefined {
    const { base } = this.#state;
    const cause = this.#core.exports.walk(
      base,
      BigInt.asIntN(64, address),
      ACCESS[access],
      this.#state.u32(L.S_PRIVILEGE),
      false,
    );
    return cause === 0 ? this.#state.u64(L.S_PHYSICAL) : undefined;
  }

  onEvent(kind: string): void {
    if (kind !== TIMER_EVENT) return;
    this.#timer = 0;
    this.#state.setU32(L.S_MIP_TIMER, STIP);
  }

  /** Cached translations are dropped, so that the hart goes on as its restored twin does. */
  save(): Snapshot {
    this.flushTlb();
    return saveState(this.#state, this.#core.memory, this.#timer);
  }

  /** The clock's events are restored by the clock. @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    const { base } = this.#state;
    this.#timer = restoreState(this.#state, this.#core.memory, snapshot);
    this.#core.exports.summarizePmp(base);
    this.#core.exports.updateContext(base);
    this.#core.exports.updateVirtual(base);
  }

  #client(): CoreClient {
    return {
      mmioLoad: (address, width) => this.#mmioLoad(address, width),
      mmioStore: (address, width, low, high) => this.#mmioStore(address, width, low, high),
      timerChanged: () => this.#armTimer(),
      ...imsicClient(this.#state, () => this.#imsic!),
    };
  }

  #mmioLoad(address: number, width: number): boolean {
    const state = this.#state;
    this.clock.now = this.localTime;
    try {
      if (width === 8) {
        if (!this.space.load64(physical(address), this.#pair)) return false;
        state.setU32(L.S_VALUE, this.#pair[0]);
        state.setU32(L.S_VALUE + 4, this.#pair[1]);
        return true;
      }
      const value = this.space.load(physical(address), width as HandlerWidth);
      if (value < 0) return false;
      state.setU32(L.S_VALUE, value);
      state.setU32(L.S_VALUE + 4, 0);
    } catch (cause) {
      this.#fail(cause);
    }
    return true;
  }

  #mmioStore(address: number, width: number, low: number, high: number): boolean {
    this.clock.now = this.localTime;
    try {
      return width === 8
        ? this.space.store64(physical(address), low, high)
        : this.space.store(physical(address), width as HandlerWidth, truncate(low, width));
    } catch (cause) {
      this.#fail(cause);
      return true;
    }
  }

  /** A handler threw: the instruction ends as if it had answered, and run() throws when it is consistent. */
  #fail(cause: unknown): void {
    this.#error ??= { cause };
    this.#state.setU64(L.S_VALUE, 0n);
    this.requestStop();
  }

  /** Ends the slice `count` instructions from here, the present one included, but not before it retires. */
  #endAfter(count: number): void {
    const state = this.#state;
    const inside = state.u32(L.S_INSIDE);
    const end = this.retired + Math.max(count, inside);
    if (end >= this.#sliceEnd) return;
    this.#sliceEnd = end;
    const left = state.u32(L.S_LEFT);
    const wanted = Math.min(left, Math.max(0, count - inside));
    state.setU32(L.S_LEFT, wanted);
    state.setCount(L.S_END, state.count(L.S_END) - (left - wanted));
  }

  /** Sets or schedules STIP after a change of stimecmp or menvcfg.STCE (Sstc). */
  #armTimer(): void {
    const state = this.#state;
    if (this.#timer !== 0) this.clock.cancel(this.#timer);
    this.#timer = 0;
    state.setU32(L.S_MIP_TIMER, 0);
    if ((state.u64(L.S_MENVCFG) & STCE) === 0n) return;
    const compare = state.u64(L.S_STIMECMP);
    if (BigInt.asUintN(64, this.#core.exports.timeTicks(state.base)) >= compare) {
      state.setU32(L.S_MIP_TIMER, STIP);
      return;
    }
    const timebase = BigInt(state.u32(L.S_TIMEBASE));
    const when = (compare * NANOSECONDS + timebase - 1n) / timebase;
    if (when > BigInt(Number.MAX_SAFE_INTEGER)) return;
    this.clock.now = this.#running ? this.localTime : Math.max(this.clock.now, this.localTime);
    this.#timer = this.clock.schedule(this, TIMER_EVENT, Number(when));
  }

  /** With host firmware: what M-mode software would set up before it enters S-mode. */
  #delegateAll(): void {
    const state = this.#state;
    state.setU64(L.S_MEDELEG, 0xb1ffn);
    state.setU64(L.S_MIDELEG, 0x222n);
    state.setU64(L.S_MCOUNTEREN, 7n);
    state.setU64(L.S_MENVCFG, ADUE | STCE);
    state.setU64(L.S_PMPCFG, PMP_ALL);
    state.setU64(L.S_PMPADDR, (1n << 54n) - 1n);
  }

  #mapRam(): void {
    writeRamMap(this.#state, this.space);
    this.flushTlb();
  }

  /** Keeps the arithmetic of virtual time in small numbers. */
  #rebase(): void {
    const state = this.#state;
    const since = this.retired - state.count(L.S_EPOCH_RETIRED);
    if (since < 1_000_000_000) return;
    const picoseconds = since * state.u32(L.S_PICOSECONDS) + state.u32(L.S_EPOCH_REMAINDER);
    this.#setEpoch(state.count(L.S_EPOCH_TIME) + Math.floor(picoseconds / 1000), picoseconds % 1000);
  }

  #setEpoch(time: number, remainder: number): void {
    const state = this.#state;
    state.setCount(L.S_EPOCH_TIME, time);
    state.setU32(L.S_EPOCH_REMAINDER, remainder);
    state.setCount(L.S_EPOCH_RETIRED, this.retired);
  }
}

function registerIndex(index: number): number {
  if (Number.isInteger(index) && index >= 0 && index < 32) return index;
  throw new RiscvError('bad-operand', `there is no register ${index}`);
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= 0xffff_ffff;
}

function truncate(value: number, width: number): number {
  return width === 4 ? value >>> 0 : value & (width === 2 ? 0xffff : 0xff);
}
