import type { Counter, SnapshotValue } from '@vmloom/device';
import { nanoseconds } from './preset.js';
import type { HartTime, Schedulable } from './schedulable.js';
import type { Vm } from './vm.js';
import { WorkQueue, type Executor, type Work, type Worker } from './work.js';

/** What a vCPU needs of the hart in it; package riscv's `Hart` is one. */
export interface GuestHart {
  /** Nanoseconds, the hart's own. */
  readonly localTime: number;
  readonly exit: 'budget' | 'wfi' | 'sbi' | 'stop' | 'breakpoint' | 'fatal';
  /** An interrupt ends WFI. */
  readonly interruptPending: boolean;
  instructionsUntil(time: number): number;
  run(instructions: number): number;
  skipTo(time: number): void;
  shortenTo(time: number): void;
  requestStop(): void;
  /** `priority` is of the AIA's external interrupts; 0 where there is none. */
  setInterrupt(bit: InterruptBit, level: boolean, priority?: number): void;
}

/** SSIP 1, MSIP 3, STIP 5, MTIP 7, SEIP 9, MEIP 11. */
export type InterruptBit = 1 | 3 | 5 | 7 | 9 | 11;

/** A hart with what its machine does when it leaves. */
export interface GuestRunner {
  readonly hart: GuestHart;
  /** False: stopped by the guest, or its machine is paused or off. */
  readonly runnable: boolean;
  /** Runs the hart for at most so many instructions, where that is not plainly the hart's own. */
  run?(instructions: number): void;
  /** Called after each run that ended for another reason than its budget and WFI. */
  left(exit: GuestHart['exit']): void;
}

/** Why a vCPU left the guest, as the ledger counts it (event `exit`) beside accesses to registers. */
export type VcpuExit = 'wfi' | 'interrupt' | 'io-work';

const EXTERNAL: readonly InterruptBit[] = [9, 11];

/**
 * A virtual CPU with the VMM's thread that runs it, as KVM's: it enters the guest and comes back with an exit.
 * Accesses to registers are carried out on the way (the exit is charged, then the region answers); calls of the
 * firmware, WFI, shutdown and breakpoints end the stay. What a back end in the VMM has to do is done by this
 * thread, and the guest waits meanwhile.
 */
export class Vcpu implements Schedulable, Executor {
  readonly name: string;
  readonly #queue = new WorkQueue();
  readonly #exits: Readonly<Record<VcpuExit, Counter>>;
  readonly #injected: Counter;
  #halted = false;
  /** The vCPU is in the guest, or was when its slice ended: an interrupt of the host makes it exit. */
  #inGuest = false;
  #owed = 0;
  #injections = 0;
  #levels = 0;
  #charged = 0;
  #lastTime = 0;
  #hart: HartTime | undefined;
  #stop = false;

  constructor(
    readonly vm: Vm,
    readonly index: number,
    readonly runner: GuestRunner,
  ) {
    this.name = `${vm.name}.vcpu${index}`;
    const { ledger } = vm.account;
    const exit = (reason: VcpuExit): Counter => ledger.counter(vm.name, 'exit', reason);
    this.#exits = { wfi: exit('wfi'), interrupt: exit('interrupt'), 'io-work': exit('io-work') };
    this.#injected = ledger.counter(vm.name, 'interrupt', 'injected');
  }

  get runnable(): boolean {
    return !this.#queue.empty || this.#guestReady;
  }

  get readyAt(): number {
    const first = this.#queue.first?.when ?? 0;
    return Math.max(this.#lastTime, this.#guestReady ? 0 : first);
  }

  /** After WFI, until an interrupt is pending and the vCPU runs again. */
  get halted(): boolean {
    return this.#halted;
  }

  /** Drives an interrupt input of the hart: an injection, which counts and costs where it is of the outside. */
  setInterrupt(bit: InterruptBit, level: boolean, priority?: number): void {
    this.runner.hart.setInterrupt(bit, level, priority);
    const mask = 1 << bit;
    const rises = level && (this.#levels & mask) === 0;
    this.#levels = level ? this.#levels | mask : this.#levels & ~mask;
    if (!rises || !EXTERNAL.includes(bit) || this.vm.native) return;
    this.#injected.value++;
    this.#injections++;
    if (this.#inGuest) this.#forceOut('interrupt');
  }

  /** The hart begins anew. */
  restarted(): void {
    this.#halted = false;
  }

  submit(work: Work): void {
    // A frame comes on its own; a device's own event belongs to the exit that caused it.
    if (work.kind === 'frame' && this.#inGuest && this.#queue.empty) this.#forceOut('io-work');
    this.#queue.push(work);
    if (this.#hart !== undefined) this.runner.hart.requestStop();
  }

  switchedIn(): number {
    return this.vm.native ? 0 : this.vm.account.charge('contextSwitch');
  }

  switchedOut(): void {
    this.#inGuest = false;
  }

  run(hart: HartTime): void {
    this.#stop = false;
    hart.localTime += this.#owed;
    this.#owed = 0;
    this.#work(hart);
    if (!this.#stop && hart.localTime < hart.end && this.#guestReady) this.#enter(hart);
    this.#lastTime = hart.localTime;
  }

  shortened(): void {
    if (this.#hart !== undefined) this.runner.hart.shortenTo(this.#hart.end);
  }

  requestStop(): void {
    this.#stop = true;
    if (this.#hart !== undefined) this.runner.hart.requestStop();
  }

  drop(worker: Worker): void {
    this.#queue.drop(worker);
  }

  save(): SnapshotValue {
    return {
      halted: this.#halted,
      inGuest: this.#inGuest,
      owed: this.#owed,
      injections: this.#injections,
      levels: this.#levels,
      lastTime: this.#lastTime,
      work: this.#queue.save(),
    };
  }

  restore(value: SnapshotValue, workerOf: (name: string) => Worker): void {
    const saved = value as unknown as {
      halted: boolean;
      inGuest: boolean;
      owed: number;
      injections: number;
      levels: number;
      lastTime: number;
      work: ReturnType<WorkQueue['save']>;
    };
    this.#halted = saved.halted;
    this.#inGuest = saved.inGuest;
    this.#owed = saved.owed;
    this.#injections = saved.injections;
    this.#levels = saved.levels;
    this.#lastTime = saved.lastTime;
    this.#queue.restore(saved.work, workerOf);
  }

  get #guestReady(): boolean {
    return this.runner.runnable && (!this.#halted || this.runner.hart.interruptPending);
  }

  /** The VMM's thread does what waits for it. */
  #work(hart: HartTime): void {
    const { clock } = this.vm;
    for (let work = this.#queue.first; work !== undefined; work = this.#queue.first) {
      if (work.when > hart.localTime || hart.localTime >= hart.end || this.#stop) return;
      this.#queue.take();
      this.#inGuest = false;
      clock.now = hart.localTime;
      hart.localTime += work.to.perform(work);
    }
  }

  #enter(time: HartTime): void {
    const { vm, runner } = this;
    const { hart } = runner;
    const { account, clock } = vm;
    this.#halted = false;
    if (this.#injections > 0) {
      time.localTime += account.charge('inject', this.#injections);
      this.#injections = 0;
    }
    hart.skipTo(time.localTime);
    const from = time.localTime;
    const instructions = Math.max(1, hart.instructionsUntil(Math.max(time.end, from + 1)));
    this.#charged = 0;
    this.#hart = time;
    this.#inGuest = true;
    vm.space.onAccess = (region, kind, write) => this.#access(region, kind, write);
    try {
      if (runner.run === undefined) hart.run(instructions);
      else runner.run(instructions);
    } finally {
      vm.space.onAccess = undefined;
      this.#hart = undefined;
    }
    time.localTime = Math.max(from, hart.localTime);
    account.spend('guest', Math.max(0, time.localTime - from - this.#charged));
    clock.now = Math.max(clock.now, time.localTime);
    this.#left(time);
  }

  #left(time: HartTime): void {
    const { vm, runner } = this;
    const { exit } = runner.hart;
    if (exit === 'budget' || exit === 'stop') return;
    this.#inGuest = false;
    if (exit === 'wfi') {
      this.#halted = true;
      if (vm.native) return;
      this.#exits.wfi.value++;
      time.localTime += vm.account.charge('exitKernel', 1, 'wfi');
      return;
    }
    if (exit === 'sbi' && !vm.native) time.localTime += vm.account.charge('hypercall');
    vm.clock.now = Math.max(vm.clock.now, time.localTime);
    runner.left(exit);
  }

  /** The guest touches a register: time passes, then the region answers. */
  #access(region: string, kind: 'trapped' | 'direct', write: boolean): void {
    const { account, clock } = this.vm;
    const { hart } = this.runner;
    const access = this.vm.accessClass(region, kind, write);
    if (access === undefined || this.#hart === undefined) return;
    const stall = access === 'deviceRead' || access === 'deviceWrite';
    const time = stall ? nanoseconds(account.preset, account.preset[access]) : account.charge(access);
    if (!stall) this.#charged += time;
    hart.skipTo(hart.localTime + time);
    clock.now = hart.localTime;
    hart.shortenTo(this.#hart.end);
  }

  /** Something of the host needs the hart while the guest is on it. */
  #forceOut(reason: VcpuExit): void {
    this.#inGuest = false;
    this.#exits[reason].value++;
    this.#owed += this.vm.account.charge('exitInterrupt', 1, reason);
  }
}
