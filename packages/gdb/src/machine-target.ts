import { physical, type AddressSpace, type HostMemory } from '@vmloom/memory';
import type { Hart } from '@vmloom/riscv';
import { debugPieces, readGuest, writeGuest } from './guest-memory.js';
import { readRegister, registerSize, targetDescription, writeRegister } from './registers.js';
import type { DebugTarget, ResumeAction, StopReport, WatchedAccess } from './target.js';
import { Watchpoints } from './watchpoints.js';

/** What a machine asks its debugger before a hart runs. */
export interface HartControl {
  /** False: the hart stands still. */
  runs(hart: Hart): boolean;
  /** Runs the hart for at most so many instructions. */
  run(hart: Hart, instructions: number): void;
}

/** What the stub needs of a machine; package machine's `Machine` is one. */
export interface DebuggedMachine {
  readonly harts: readonly Hart[];
  readonly space: AddressSpace;
  readonly memory: HostMemory;
  readonly state: 'off' | 'on' | 'paused';
  readonly exit: { readonly code: number } | undefined;
  readonly exited: Promise<{ readonly code: number }>;
  debugger: HartControl | undefined;
  /** What runs the harts and the clock: at rest nothing happens and no virtual time passes. */
  readonly world: { stop(): void; start(): void };
  pause(): void;
  resume(): void;
  powerOff(): void;
}

/** How the host wants a machine paused, resumed and ended, where that is more than the machine's own way. */
export interface MachineHooks {
  readonly pause?: () => void;
  readonly resume?: () => void;
  readonly kill?: () => void;
}

const MODES = ['U', 'S', 'H', 'M'] as const;
const PAGE = 4096;
/** Most breakpoints of both kinds. */
const LIMIT = 256;

/**
 * A machine under a debugger; its harts are the threads 1 to n. A stop brings the whole world to rest, with
 * its clock. Breakpoints are virtual addresses that the interpreter looks for: nothing is written to the
 * guest, and they may be set before the guest has mapped them.
 */
export class MachineTarget implements DebugTarget, HartControl {
  onStop: ((report: StopReport) => void) | undefined;
  readonly description = targetDescription();
  readonly #software = new Set<bigint>();
  readonly #hardware = new Set<bigint>();
  #watchpoints: Watchpoints | undefined;
  #actions: readonly ResumeAction[] = [];
  #stopped: StopReport | undefined;
  /** The hart whose instruction is being carried out. */
  #running: Hart | undefined;
  #last = 1;

  constructor(
    readonly machine: DebuggedMachine,
    readonly hooks: MachineHooks = {},
  ) {}

  get threads(): number {
    return this.machine.harts.length;
  }

  get stopped(): StopReport | undefined {
    return this.#stopped;
  }

  attach(): void {
    const { machine } = this;
    machine.debugger = this;
    this.#watchpoints = new Watchpoints(machine.memory, (page) => machine.harts[0].core.watchLoads(page));
    this.#watchpoints.onHit = ({ address, watched }) =>
      this.#stop({
        kind: 'watchpoint',
        thread: this.#running ? this.#threadOf(this.#running) : this.#last,
        address,
        watched,
      });
    if (machine.state === 'off') {
      this.#stopped = { kind: 'exited', code: machine.exit?.code ?? 0 };
      return;
    }
    this.#stop({ kind: 'attached', thread: 1 });
    this.#watchExit();
  }

  detach(): void {
    if (this.machine.debugger !== this) return;
    this.#software.clear();
    this.#hardware.clear();
    this.#setBreakpoints();
    this.#watchpoints?.close();
    this.#watchpoints = undefined;
    this.machine.debugger = undefined;
    const stood = this.#stopped;
    this.#stopped = undefined;
    if (stood !== undefined && stood.kind !== 'exited') this.#go();
  }

  kill(): void {
    this.detach();
    if (this.hooks.kill !== undefined) this.hooks.kill();
    else this.machine.powerOff();
  }

  interrupt(): void {
    this.#stop({ kind: 'interrupted', thread: this.#last });
  }

  resume(actions: readonly ResumeAction[]): void {
    if (this.#stopped === undefined) return;
    if (this.machine.state === 'off') {
      this.onStop?.((this.#stopped = { kind: 'exited', code: this.machine.exit?.code ?? 0 }));
      return;
    }
    this.#actions = actions;
    this.#stopped = undefined;
    this.#go();
  }

  /** By the machine's run loop. */
  runs(hart: Hart): boolean {
    return this.#stopped === undefined && this.#actionOf(hart) !== 'stay';
  }

  /** By the machine's run loop. */
  run(hart: Hart, instructions: number): void {
    this.#running = hart;
    if (this.#actionOf(hart) === 'step') this.#step(hart);
    else hart.run(instructions);
    this.#running = undefined;
    if (hart.exit === 'breakpoint') {
      const hardware = !this.#software.has(hart.pc);
      this.#stop({ kind: 'breakpoint', thread: this.#threadOf(hart), hardware });
    }
  }

  describe(thread: number): string {
    const hart = this.#hart(thread);
    if (hart === undefined) return '';
    return `${hart.name} ${MODES[hart.privilege]}-mode${hart.waiting ? ', waits for an interrupt' : ''}`;
  }

  registerSize(register: number): number | undefined {
    return registerSize(register);
  }

  readRegister(thread: number, register: number): bigint | undefined {
    const hart = this.#hart(thread);
    return hart === undefined ? undefined : readRegister(hart, register);
  }

  writeRegister(thread: number, register: number, value: bigint): boolean {
    const hart = this.#hart(thread);
    return hart !== undefined && writeRegister(hart, register, value);
  }

  readMemory(thread: number, address: bigint, length: number): Uint8Array | undefined {
    const hart = this.#hart(thread);
    return hart === undefined ? undefined : readGuest(hart, this.machine.space, address, length);
  }

  writeMemory(thread: number, address: bigint, bytes: Uint8Array): boolean {
    const hart = this.#hart(thread);
    if (hart === undefined) return false;
    const write = (): boolean => writeGuest(hart, this.machine.space, address, bytes);
    return this.#watchpoints === undefined ? write() : this.#watchpoints.unnoticed(write);
  }

  addBreakpoint(address: bigint, hardware: boolean): boolean {
    const set = hardware ? this.#hardware : this.#software;
    if (!set.has(address) && this.#software.size + this.#hardware.size >= LIMIT) return false;
    set.add(address);
    this.#setBreakpoints();
    return true;
  }

  removeBreakpoint(address: bigint, hardware: boolean): void {
    (hardware ? this.#hardware : this.#software).delete(address);
    this.#setBreakpoints();
  }

  addWatchpoint(thread: number, address: bigint, length: number, watched: WatchedAccess): boolean {
    const hart = this.#hart(thread);
    if (hart === undefined || this.#watchpoints === undefined || length < 1 || length > PAGE) return false;
    const { space } = this.machine;
    const ranges = [...debugPieces(hart, space, address, length)].map((piece) => ({
      offset: space.resolve(physical(piece.address), piece.length),
      length: piece.length,
    }));
    if (ranges.reduce((sum, range) => sum + range.length, 0) < length) return false;
    return this.#watchpoints.add({ address, length, watched, ranges });
  }

  removeWatchpoint(address: bigint, length: number, watched: WatchedAccess): void {
    this.#watchpoints?.remove({ address, length, watched });
  }

  /** One instruction, over a breakpoint that stands at it. A call of the host's firmware counts as one. */
  #step(hart: Hart): void {
    hart.breakpoints = false;
    const retired = hart.run(1);
    hart.breakpoints = true;
    if (retired > 0 || hart.exit === 'sbi') this.#stop({ kind: 'stepped', thread: this.#threadOf(hart) });
  }

  #stop(report: StopReport): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = report;
    if (report.kind !== 'exited') {
      this.#last = report.thread;
      (this.hooks.pause ?? (() => this.machine.pause()))();
      this.machine.world.stop();
    }
    this.onStop?.(report);
  }

  #go(): void {
    (this.hooks.resume ?? (() => this.machine.resume()))();
    this.machine.world.start();
  }

  #watchExit(): void {
    void this.machine.exited.then(({ code }) => {
      if (this.machine.debugger === this) this.#stop({ kind: 'exited', code });
    });
  }

  #setBreakpoints(): void {
    this.machine.harts[0].core.setBreakpoints([...this.#software, ...this.#hardware]);
  }

  #actionOf(hart: Hart): ResumeAction {
    return this.#actions[this.#threadOf(hart) - 1] ?? 'run';
  }

  #hart(thread: number): Hart | undefined {
    return this.machine.harts[thread - 1];
  }

  #threadOf(hart: Hart): number {
    return this.machine.harts.indexOf(hart) + 1;
  }
}
