import type { Snapshot } from '@vmloom/device';
import {
  costPreset,
  Hypervisor,
  picosecondsPerInstruction,
  type CostPreset,
  type ShareOptions,
  type Vm,
} from '@vmloom/hypervisor';
import { HostMemory } from '@vmloom/memory';
import { RiscvCore, type CoreOptions } from '@vmloom/riscv';
import { ROM } from './boot.js';
import { MachineError } from './error.js';
import { checkedSize, Machine, type MachineGround, type MachineOptions } from './machine.js';
import { parseSize } from './memory-size.js';
import type { PciFunction, PlugOptions } from '@vmloom/pci';
import { World, type WorldPart } from './world.js';

export interface HostOptions {
  /** Unique in its world; `host` unless told. */
  readonly name?: string;
  readonly world?: World;
  /** RAM that its virtual machines share: bytes, or a size such as '1GiB'. 256 MiB unless told. */
  readonly memory?: number | string;
  /** 1 to 64; 1 unless told. */
  readonly harts?: number;
  /** What things cost on it: `arm-board` unless told. */
  readonly preset?: string | CostPreset;
  readonly jit?: CoreOptions['jit'];
}

export interface VmOptions extends Omit<MachineOptions, 'world' | 'jit' | 'picosecondsPerInstruction'> {
  readonly name: string;
  /** How much of the host's harts each vCPU gets. */
  readonly share?: ShareOptions;
  /** It is the bare host's own system: no exits, and registers cost what real ones do. False unless told. */
  readonly native?: boolean;
}

/** State of harts and devices of all virtual machines; only what is touched costs memory. */
const RESERVE = 192 * 2 ** 20;
/** Pages of guest code kept decoded, of all virtual machines. */
const CODE_PAGES = 2048;
/** Memory without a size of its own for each virtual machine: what a tiny guest needs. */
const DEFAULT_VM_MEMORY = '16MiB';

/** A machine whose memory, harts and time are a host's. Made by {@link Host.createVm}. */
export class VirtualMachine extends Machine {
  constructor(
    options: VmOptions & MachineOptions,
    readonly host: Host,
    readonly vm: Vm,
    ground: MachineGround,
  ) {
    super(options, host.world, ground);
  }

  /**
   * Plugs in a function that is the host's own hardware, assigned to this machine: its registers are reached without
   * exits, and its DMA goes to the machine's memory.
   */
  assign<T extends PciFunction>(fn: T, options?: PlugOptions): T {
    fn.direct = true;
    return this.pcie.plug(fn, options);
  }
}

/** One block of memory and harts, and a hypervisor that runs virtual machines on them. Made by {@link createHost}. */
export class Host implements WorldPart {
  readonly name: string;
  readonly world: World;
  readonly hypervisor: Hypervisor;
  readonly vms: VirtualMachine[] = [];
  readonly #core: RiscvCore;

  /** For {@link createHost}, which has the core loaded. */
  constructor(options: HostOptions, core: RiscvCore) {
    this.name = options.name ?? 'host';
    this.world = options.world ?? new World();
    this.#core = core;
    const { clock, ledger } = this.world;
    this.hypervisor = new Hypervisor({
      name: this.name,
      clock,
      ledger,
      memory: core.memory,
      harts: options.harts ?? 1,
      preset: options.preset ?? 'arm-board',
    });
    for (const hart of this.hypervisor.harts) {
      this.world.addRunner({ hart, runnable: true, left: () => undefined });
    }
    this.world.add(this);
  }

  /** A virtual machine, off. @throws MachineError bad-option, duplicate-name; HypervisorError out-of-memory, bad-option */
  createVm(options: VmOptions): VirtualMachine {
    const { hypervisor, world } = this;
    const { name, share, native = false } = options;
    if (world.part(name) !== undefined) {
      throw new MachineError('duplicate-name', `two parts of one world are called ${name}`);
    }
    const ramSize = checkedSize({ memory: DEFAULT_VM_MEMORY, ...options });
    const ram = hypervisor.pages.allocate(ramSize + ROM.size);
    const vm = hypervisor.createVm({ name, native });
    const machine = new VirtualMachine(
      {
        ...options,
        picosecondsPerInstruction: picosecondsPerInstruction(hypervisor.preset),
      },
      this,
      vm,
      {
        core: this.#core,
        space: vm.space,
        ram,
        ramSize,
        countsExits: !native,
        adopt(runner) {
          const vcpu = hypervisor.addVcpu(vm, runner, share);
          return {
            setInterrupt: (bit, level, priority) => vcpu.setInterrupt(bit, level, priority),
            connectImsic: (imsic) => runner.hart.connectImsic(imsic),
            restarted: () => vcpu.restarted(),
          };
        },
      },
    );
    this.vms.push(machine);
    // Restored last: restored devices drive the inputs of vCPUs.
    world.remove(this);
    world.add(this);
    return machine;
  }

  /** Powers on every virtual machine that is off and has not run, and has the world run in the background. */
  start(): void {
    for (const vm of this.vms) if (vm.state === 'off' && vm.exit === undefined) vm.powerOn();
    this.world.start();
  }

  /** The hypervisor's part; each virtual machine is saved as a part of the world. */
  save(): Snapshot {
    return this.hypervisor.save();
  }

  /** @throws DeviceError, HypervisorError bad-snapshot */
  restore(snapshot: Snapshot): void {
    this.hypervisor.restore(snapshot);
  }
}

/** A host without virtual machines. @throws MachineError bad-option; HypervisorError bad-option, bad-preset */
export async function createHost(options: HostOptions = {}): Promise<Host> {
  costPreset(options.preset ?? 'arm-board');
  const ram = parseSize(options.memory ?? '256MiB');
  if (ram <= 0 || ram % 4096 !== 0) {
    throw new MachineError('bad-option', `a host's RAM is a multiple of 4 KiB above 0, not ${ram} bytes`);
  }
  const memory = new HostMemory({ ram, reserve: RESERVE });
  const core = await RiscvCore.load(memory, { codePages: CODE_PAGES, jit: options.jit });
  return new Host(options, core);
}
