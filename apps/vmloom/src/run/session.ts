import {
  CpuCheck,
  createMachine,
  unpackImage,
  World,
  type Machine,
  type MachineExit,
  type MachineOptions,
} from '@vmloom/machine';
import { readFile } from 'node:fs/promises';
import { CliError } from '../error.js';
import type { InfoTopic, MonitorTarget } from '../monitor/target.js';
import type { RunPlan } from '../options/plan.js';
import type { SerialConsole } from '../serial/terminal.js';
import { CheckedRun, refuseWithCheck } from './checked-run.js';
import type { HostResource } from './device-model.js';
import { plugDevices } from './devices.js';
import { openDisks } from './disks.js';
import { infoText } from './info.js';
import { find, makeNetworks, type Network } from './networks.js';
import { readSnapshot, writeSnapshot } from './snapshot-file.js';

/** Something the session tells its monitors. */
export type SessionEvent = 'STOP' | 'RESUME' | 'RESET' | 'SHUTDOWN';

type Networks = ReadonlyMap<string, Network>;

/** One machine of a command line, from power-on to the exit status. */
export class Session implements MonitorTarget {
  /** Told of each event, for monitors. */
  onEvent: ((event: SessionEvent) => void) | undefined;
  /** Whether a debugger keeps the machine from running. */
  held: () => boolean = () => false;
  readonly #plan: RunPlan;
  #prelaunch: boolean;
  readonly #checked: CheckedRun | undefined;
  readonly #resources: readonly HostResource[];
  #finish!: (status: number) => void;
  #fail!: (error: unknown) => void;
  /** The exit status of the process, when the machine has ended or somebody quit. */
  readonly finished = new Promise<number>((resolve, reject) => {
    this.#finish = resolve;
    this.#fail = reject;
  });

  private constructor(
    plan: RunPlan,
    readonly machine: Machine,
    readonly networks: Networks,
    resources: readonly HostResource[],
    checked?: CheckedRun,
  ) {
    this.#plan = plan;
    this.#resources = resources;
    this.#checked = checked;
    this.#prelaunch = plan.paused;
  }

  /** Reads the files, makes the machine and opens its networks; nothing runs yet. @throws CliError and the packages' errors */
  static async create(plan: RunPlan): Promise<Session> {
    if (plan.cpuCheck) refuseWithCheck(plan);
    const files = await readFiles(plan);
    const epoch = plan.rtc === 'now' ? BigInt(Date.now()) * 1_000_000n : plan.rtc;
    if (!plan.cpuCheck) {
      const { machine, networks, resources } = await makeMachine(plan, files, epoch, plan.jit);
      return new Session(plan, machine, networks, resources);
    }
    let networks: Networks = new Map();
    const resources: HostResource[] = [];
    const check = await CpuCheck.create({
      make: async (jit) => {
        const made = await makeMachine(plan, files, epoch, jit);
        ({ networks } = made);
        resources.push(...made.resources);
        return made.machine;
      },
      ...(plan.jit === undefined ? {} : { jit: plan.jit }),
    });
    return new Session(plan, check.machine, networks, resources, new CheckedRun(check));
  }

  /** Where typing goes and output comes from. */
  get console(): SerialConsole {
    return this.#checked?.console ?? this.machine.console;
  }

  get name(): string {
    return this.machine.name;
  }

  /** Starts the machine, unless it is to wait for `cont`. */
  async begin(): Promise<void> {
    if (this.#checked !== undefined) return this.#runChecked(this.#checked);
    this.machine.powerOn();
    if (this.#prelaunch) this.machine.pause();
    if (this.#plan.loadSnapshot !== undefined) await this.loadSnapshot(this.#plan.loadSnapshot);
    void this.machine.exited.then((exit) => this.#ended(exit));
    this.#startWorld();
  }

  /** The last comparison is made before the end is told. */
  #runChecked(checked: CheckedRun): void {
    checked.run().then(
      () => this.machine.exit !== undefined && this.#ended(this.machine.exit),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Ends the loop and closes sockets, captures, disks and folders. */
  close(): void {
    this.#checked?.close();
    this.machine.world.stop();
    for (const network of this.networks.values()) network.close();
    for (const resource of this.#resources) resource.close();
  }

  status(): ReturnType<MonitorTarget['status']> {
    if (this.machine.state === 'off') return 'shutdown';
    if (this.machine.state === 'on') return 'running';
    return this.#prelaunch ? 'prelaunch' : 'paused';
  }

  /** @throws CliError while a debugger holds the machine */
  cont(): void {
    if (this.held()) throw new CliError('GDB holds the machine: continue or detach there');
    if (this.machine.state !== 'paused') return;
    this.#prelaunch = false;
    this.machine.resume();
    this.#startWorld();
    this.onEvent?.('RESUME');
  }

  stop(): void {
    if (this.machine.state !== 'on') return;
    this.machine.pause();
    this.onEvent?.('STOP');
  }

  reset(): void {
    this.machine.reset();
    this.#startWorld();
    this.onEvent?.('RESET');
  }

  powerDown(): void {
    this.machine.powerOff();
  }

  quit(): void {
    this.onEvent?.('SHUTDOWN');
    this.#finish(0);
  }

  setLink(name: string, up: boolean): void {
    const device = this.#plan.devices.find(({ properties }) => properties.optional('id') === name);
    find(this.networks, device?.properties.optional('netdev') ?? name).setLink(up);
  }

  async saveSnapshot(file: string): Promise<void> {
    await writeSnapshot(file, this.machine.world.save());
  }

  async loadSnapshot(file: string): Promise<void> {
    const { machine } = this;
    const wasPaused = machine.state === 'paused';
    machine.world.restore(await readSnapshot(file));
    // Whether it runs is the person's wish, not the snapshot's.
    if (wasPaused) machine.pause();
    else machine.resume();
    this.#startWorld();
  }

  info(topic: InfoTopic): string {
    return infoText(topic, this.machine, this.networks, this.status());
  }

  /** Time passes when the machine does. */
  #startWorld(): void {
    if (!this.#prelaunch && !this.held()) this.machine.world.start();
  }

  #ended(exit: MachineExit): void {
    this.onEvent?.('SHUTDOWN');
    this.#finish(exit.code & 0xff);
  }
}

/** The machine of a command line in a world of its own, with its networks and what else it has open. */
async function makeMachine(
  plan: RunPlan,
  files: Files,
  epoch: bigint,
  jit: MachineOptions['jit'],
): Promise<{ machine: Machine; networks: Networks; resources: readonly HostResource[] }> {
  const world = new World({ time: plan.time });
  const networks = makeNetworks(world, plan.netdevs, plan.dumps);
  const machine = await createMachine({
    name: plan.name,
    world,
    memory: plan.memory,
    harts: plan.harts,
    aia: plan.aia,
    aiaGuests: plan.aiaGuests,
    iommu: plan.iommu,
    firmware: plan.bios === 'default' ? 'sbi' : plan.bios === 'none' ? 'none' : files.bios!,
    onReset: plan.noReboot ? 'end' : 'boot',
    epoch,
    ...(jit === undefined ? {} : { jit: jit && { ...jit, stopwatch: () => performance.now() } }),
    ...(files.kernel === undefined ? {} : { kernel: files.kernel }),
    ...(files.initrd === undefined ? {} : { initrd: files.initrd }),
    ...(files.deviceTree === undefined ? {} : { deviceTree: files.deviceTree }),
    ...(plan.append === undefined ? {} : { bootArguments: plan.append }),
  });
  const disks = openDisks(plan.drives);
  const folders = byId('-fsdev', plan.folders);
  const entropies = byId('-object rng', plan.entropies);
  const resources: HostResource[] = [...disks.values()];
  plugDevices({ machine, networks, disks, folders, entropies, resources }, plan.devices);
  await Promise.all([...networks.values(), ...resources].map(async (one) => one.ready?.()));
  return { machine, networks, resources };
}

function byId<Plan extends { readonly id: string }>(what: string, plans: readonly Plan[]): Map<string, Plan> {
  const found = new Map(plans.map((plan) => [plan.id, plan]));
  if (found.size < plans.length) throw new CliError(`${what}: two have the same id`);
  return found;
}

interface Files {
  readonly kernel: Uint8Array | undefined;
  readonly initrd: Uint8Array | undefined;
  readonly bios: Uint8Array | undefined;
  readonly deviceTree: Uint8Array | undefined;
}

async function readFiles(plan: RunPlan): Promise<Files> {
  const read = async (what: string, path: string | undefined): Promise<Uint8Array | undefined> => {
    if (path === undefined) return undefined;
    try {
      return new Uint8Array(await readFile(path));
    } catch (cause) {
      throw new CliError(`the ${what} ${path} cannot be read: ${(cause as Error).message}`);
    }
  };
  const image = async (what: string, path: string | undefined): Promise<Uint8Array | undefined> => {
    const bytes = await read(what, path);
    return bytes === undefined ? undefined : unpackImage(bytes, plan.memory);
  };
  return {
    kernel: await image('kernel', plan.kernel),
    initrd: await read('initial RAM disk', plan.initrd),
    bios: await image('firmware', typeof plan.bios === 'object' ? plan.bios.path : undefined),
    deviceTree: await read('device tree', plan.deviceTree),
  };
}
