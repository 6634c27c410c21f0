import { expectSnapshot, type Clock, type Ledger, type Snapshot, type SnapshotValue } from '@vmloom/device';
import type { HostMemory } from '@vmloom/memory';
import { Account } from './account.js';
import { BackEnd, type BackEndOptions } from './back-end.js';
import { HypervisorError } from './error.js';
import { HostHart } from './host-hart.js';
import { HostTask } from './host-task.js';
import { PageAllocator } from './page-allocator.js';
import { costPreset, type CostPreset } from './preset.js';
import { Scheduler, type Share, type ShareOptions } from './scheduler.js';
import type { GuestRunner, Vcpu } from './vcpu.js';
import { Vm } from './vm.js';
import { VmSpace } from './vm-space.js';
import type { Worker } from './work.js';

export interface HypervisorOptions {
  /** Unique in its world; `host` unless told. */
  readonly name?: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly memory: HostMemory;
  /** Harts of the host, 1 to 64; 1 unless told. */
  readonly harts?: number;
  /** What things cost; that of an embedded board unless told. */
  readonly preset?: string | CostPreset;
}

const MOST_HARTS = 64;
const SNAPSHOT = { type: 'hypervisor', version: 1 } as const;

/**
 * The hypervisor of one host: its harts' time, its pages, the virtual machines and the tasks that share them. It
 * knows no board: whoever builds machines maps registers into a {@link Vm}'s space and adds its vCPUs.
 */
export class Hypervisor {
  readonly name: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly preset: CostPreset;
  readonly pages: PageAllocator;
  readonly scheduler: Scheduler;
  readonly harts: readonly HostHart[];
  readonly vms: Vm[] = [];
  /** Of the host itself: what no virtual machine causes. */
  readonly account: Account;
  readonly #tasks = new Map<string, HostTask>();
  readonly #backEnds = new Map<string, BackEnd>();
  readonly #shares = new Map<string, Share>();

  /** @throws HypervisorError bad-option, bad-preset */
  constructor(options: HypervisorOptions) {
    const { name = 'host', clock, ledger, memory, harts = 1 } = options;
    if (!Number.isInteger(harts) || harts < 1 || harts > MOST_HARTS) {
      throw new HypervisorError('bad-option', `a host has 1 to ${MOST_HARTS} harts, not ${harts}`);
    }
    this.name = name;
    this.clock = clock;
    this.ledger = ledger;
    this.preset = costPreset(options.preset ?? 'arm-board');
    this.pages = new PageAllocator(memory);
    this.scheduler = new Scheduler(harts);
    this.harts = Array.from(
      { length: harts },
      (_, index) => new HostHart(`${name}.hart${index}`, index, this.scheduler, ledger),
    );
    this.account = new Account(name, ledger, this.preset);
  }

  /** A virtual machine without memory, registers and vCPUs. @throws HypervisorError duplicate-name */
  createVm(options: { readonly name: string; readonly native?: boolean }): Vm {
    const { name, native = false } = options;
    if (this.vms.some((other) => other.name === name)) {
      throw new HypervisorError('duplicate-name', `two virtual machines of ${this.name} are called ${name}`);
    }
    const space = new VmSpace(this.pages.memory, name);
    const { clock, ledger, preset } = this;
    const vm = new Vm({ name, clock, ledger, preset, space, native });
    this.vms.push(vm);
    return vm;
  }

  /** Adds a vCPU, which shares the host's harts with everything else. @throws HypervisorError bad-option, no-hart */
  addVcpu(vm: Vm, runner: GuestRunner, share: ShareOptions = {}): Vcpu {
    const vcpu = vm.addVcpu(runner);
    this.#shares.set(vcpu.name, this.scheduler.add(vcpu, share));
    return vcpu;
  }

  /** A task that sleeps until it has work. @throws HypervisorError duplicate-name, bad-option, no-hart */
  task(name: string, account: Account, share: ShareOptions = {}): HostTask {
    const task = new HostTask({ name, clock: this.clock, account });
    this.#shares.set(name, this.scheduler.add(task, share));
    this.#tasks.set(name, task);
    return task;
  }

  /**
   * A task that polls on a hart of its own, which nothing else gets any more; the last hart that is not set apart
   * unless told. Called again with the same name it answers the task that there is.
   * @throws HypervisorError no-hart
   */
  sideCore(name: string, hart?: number): HostTask {
    const known = this.#tasks.get(name);
    if (known !== undefined) return known;
    const index = hart ?? this.harts.findLastIndex((_, at) => !this.scheduler.isApart(at));
    this.scheduler.setApart(index);
    const task = new HostTask({ name, clock: this.clock, account: this.account, polls: true });
    this.#shares.set(name, this.scheduler.add(task, { affinity: [index] }));
    this.#tasks.set(name, task);
    return task;
  }

  /** The host's half of a device. @throws HypervisorError duplicate-name */
  backEnd(options: Omit<BackEndOptions, 'clock' | 'ledger'>): BackEnd {
    const { clock, ledger } = this;
    const backEnd = new BackEnd({ ...options, clock, ledger });
    if (this.#backEnds.has(backEnd.name)) {
      throw new HypervisorError('duplicate-name', `${options.device} has a back end already`);
    }
    this.#backEnds.set(backEnd.name, backEnd);
    return backEnd;
  }

  save(): Snapshot {
    const each = (parts: Iterable<readonly [string, { save(): SnapshotValue }]>): SnapshotValue =>
      Object.fromEntries([...parts].map(([name, part]) => [name, part.save()]));
    return {
      ...SNAPSHOT,
      scheduler: this.scheduler.save(),
      harts: this.harts.map((hart) => hart.save()),
      vcpus: each(this.#vcpus()),
      tasks: each(this.#tasks),
      backEnds: each(this.#backEnds),
    };
  }

  /** Into a host with the same machines, tasks and back ends. @throws DeviceError, HypervisorError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    const part = (group: string, name: string): SnapshotValue => {
      const found = (snapshot[group] as Readonly<Record<string, SnapshotValue>>)[name];
      if (found !== undefined) return found;
      throw new HypervisorError('bad-snapshot', `the snapshot knows nothing of ${name}`);
    };
    const workerOf = (name: string): Worker => {
      const worker = this.#backEnds.get(name);
      if (worker !== undefined) return worker;
      throw new HypervisorError('bad-snapshot', `the snapshot has work for ${name}, which is not here`);
    };
    this.scheduler.restore(snapshot['scheduler']);
    const harts = snapshot['harts'] as readonly SnapshotValue[];
    this.harts.forEach((hart, index) => hart.restore(harts[index], (name) => this.#shares.get(name)));
    for (const [name, backEnd] of this.#backEnds) backEnd.restore(part('backEnds', name) as Snapshot);
    for (const [name, vcpu] of this.#vcpus()) vcpu.restore(part('vcpus', name), workerOf);
    for (const [name, task] of this.#tasks) task.restore(part('tasks', name), workerOf);
  }

  #vcpus(): (readonly [string, Vcpu])[] {
    return this.vms.flatMap((vm) => vm.vcpus.map((vcpu) => [vcpu.name, vcpu] as const));
  }
}
