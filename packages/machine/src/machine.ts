import { expectSnapshot, type Counter, type Snapshot } from '@vmloom/device';
import { PciIommu } from '@vmloom/iommu';
import { AddressSpace, hostOffset, HostMemory, type HostOffset } from '@vmloom/memory';
import type { RootComplex } from '@vmloom/pci';
import type { FinishRequest } from '@vmloom/platform';
import { Hart, RiscvCore, type CoreOptions } from '@vmloom/riscv';
import { loadBoot, ROM, type Firmware } from './boot.js';
import { RAM_BASE, VirtBoard, type HartInputs } from './board.js';
import { Console } from './console.js';
import { MachineError } from './error.js';
import { checkGuests, VIRT, type Aia } from './device-tree/index.js';
import { parseSize } from './memory-size.js';
import { restoreRam, saveRam, type RamPlace } from './ram-image.js';
import type { RunnableHart, Runner } from './runner.js';
import { Sbi } from './sbi/index.js';
import type { VirtioSlots } from './virtio-slots.js';
import { World, type WorldPart } from './world.js';

export interface MachineOptions {
  /** Unique in its world. `machine` unless told. */
  readonly name?: string;
  /** The clock, ledger and door to the outside that machines share; one of its own unless told. */
  readonly world?: World;
  /** RAM: bytes, or a size such as '128MiB', in whole pages. 128 MiB unless told. */
  readonly memory?: number | string;
  /** 1 to 8; 1 unless told. */
  readonly harts?: number;
  /** ELF file, Linux Image or raw program. */
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  /** The built-in SBI unless told. */
  readonly firmware?: Firmware;
  readonly bootArguments?: string;
  /** In place of the board's own. */
  readonly deviceTree?: Uint8Array;
  /** What a reset that the guest asks for does: boot again (unless told), or end the machine. */
  readonly onReset?: 'boot' | 'end';
  /** Nanoseconds since 1970 at the start of the clock, for the RTC. 0 unless told: wall time is the caller's. */
  readonly epoch?: bigint;
  /** Makes the device tree's random seed. 1 unless told. */
  readonly seed?: number | bigint;
  /**
   * Virtual picoseconds of one instruction; unless told 1000, or 100 in a realtime world, where a hart waits for the
   * wall clock as soon as it is faster than that, and takes the wall's time when it is slower.
   */
  readonly picosecondsPerInstruction?: number;
  /** How hot code is compiled; false: it is all interpreted. The guest cannot tell. */
  readonly jit?: CoreOptions['jit'];
  /**
   * What brings interrupts to the harts: `none`, the PLIC; `aplic`, an APLIC; `aplic-imsic`, an APLIC and for each hart
   * an IMSIC, which MSI and MSI-X need. `none` unless told.
   */
  readonly aia?: Aia;
  /** Guest interrupt files of each IMSIC, 0 to 7; 0 unless told. */
  readonly aiaGuests?: number;
  /**
   * The board's own RISC-V IOMMU stands between PCI Express and memory. False unless told; an IOMMU that is a PCI
   * function is plugged in like any other (`machine.pcie.plug(new PciIommu())`).
   */
  readonly iommu?: boolean;
}

/** How a machine ended. */
export interface MachineExit {
  readonly reason: 'power-off' | 'reset' | 'failure' | 'fatal';
  /** 0 for a good end; a failure's code otherwise. */
  readonly code: number;
}

/** What a debugger decides for the harts of a machine. */
export interface HartDebugger {
  /** False: the hart stands still. */
  runs(hart: Hart): boolean;
  /** Runs the hart for at most so many instructions. */
  run(hart: Hart, instructions: number): void;
}

const POWER_OFF: MachineExit = { reason: 'power-off', code: 0 };
const MAX_HARTS = 8;
const PICOSECONDS = { virtual: 1000, realtime: 100 };
/** Pages of guest code kept decoded: 4 MiB of it, in 32 MiB of the reserve. */
const CODE_PAGES = 1024;
/** State of harts and devices. Only what is touched costs memory. */
const RESERVE = 96 * 2 ** 20;
// NS16550A registers, as the firmware's console reads them.
const UART_DATA = 0;
const UART_LSR = 5;
const LSR_DATA_READY = 1;
const ISA_EXTENSIONS = ['zicntr', 'zicsr', 'zifencei', 'zba', 'zbb', 'zbs', 'sstc', 'svadu'];
/** With an IMSIC, as QEMU's board: an APLIC alone needs nothing of the harts. */
const AIA_EXTENSIONS = ['smaia', 'ssaia'];

/** What a machine stands on: a memory and the world's loop of its own, or a host that runs it as a virtual machine. */
export interface MachineGround {
  readonly core: RiscvCore;
  readonly space: AddressSpace;
  /** RAM, and the boot ROM behind it. */
  readonly ram: HostOffset;
  /** Bytes of RAM. */
  readonly ramSize: number;
  readonly countsExits: boolean;
  /** Has a hart run from now on; where the wires of its board lead, and what hears that it begins anew. */
  adopt(runner: Runner & { readonly hart: Hart }): HartInputs & { restarted(): void };
}

/** A `virt` board with its harts, memory, firmware and images, in a {@link World}. Made by {@link createMachine}. */
export class Machine implements WorldPart {
  readonly name: string;
  readonly world: World;
  readonly memory: HostMemory;
  readonly space: AddressSpace;
  readonly harts: readonly Hart[];
  readonly board: VirtBoard;
  readonly console: Console;
  /** Has a say in what the harts do, while there is one. */
  debugger: HartDebugger | undefined;
  /** Told when a hart leaves for a debugger. */
  onBreakpoint: ((hart: Hart) => void) | undefined;
  readonly #options: MachineOptions;
  readonly #ramSize: number;
  readonly #rom: Uint8Array;
  readonly #sbi: Sbi | undefined;
  readonly #sbiCalls: Counter;
  readonly #countsExits: boolean;
  readonly #aia: Aia;
  readonly #ram: RamPlace;
  readonly #seats: readonly ReturnType<MachineGround['adopt']>[];
  #state: 'off' | 'on' | 'paused' = 'off';
  #exit: MachineExit | undefined;
  #exited: Promise<MachineExit>;
  #resolveExit!: (exit: MachineExit) => void;

  /** For {@link createMachine} and hosts, which have the core loaded. */
  constructor(options: MachineOptions, world: World, ground: MachineGround) {
    this.#options = options;
    this.#aia = options.aia ?? 'none';
    this.name = options.name ?? 'machine';
    this.world = world;
    const { core, ram } = ground;
    this.#countsExits = ground.countsExits;
    const { memory } = core;
    this.memory = memory;
    this.space = ground.space;
    this.#ramSize = ground.ramSize;
    this.#ram = { offset: ram, size: this.#ramSize + ROM.size };
    this.space.mapRam({ name: 'ram', base: RAM_BASE, size: this.#ramSize, offset: ram });
    const romOffset = hostOffset(ram + this.#ramSize);
    this.space.mapRam({ name: 'rom', ...ROM, offset: romOffset, readOnly: true });
    this.#rom = memory.bytes.subarray(romOffset, romOffset + ROM.size);
    const firmware = options.firmware ?? 'sbi';
    this.harts = Array.from(
      { length: options.harts ?? 1 },
      (_, id) =>
        new Hart({
          core,
          id,
          space: this.space,
          clock: this.world.clock,
          name: `${this.name}.hart${id}`,
          hostFirmware: firmware === 'sbi',
          picosecondsPerInstruction: options.picosecondsPerInstruction ?? PICOSECONDS[this.world.time],
        }),
    );
    const output = new Uint8Array(1);
    this.#seats = this.harts.map((hart) => ground.adopt(new HartRunner(this, hart)));
    this.console = new Console(this.world, `${this.name}.console`);
    const put = (byte: number): void => {
      output[0] = byte;
      this.console.write(output);
    };
    this.board = new VirtBoard({
      world: this.world,
      prefix: `${this.name}.`,
      space: this.space,
      aia: this.#aia,
      aiaGuests: options.aiaGuests ?? 0,
      iommu: options.iommu ?? false,
      harts: this.#seats,
      countsExits: ground.countsExits,
      epoch: options.epoch ?? 0n,
      serialOutput: put,
      finish: (request) => this.#finish(request),
    });
    this.console.connect(this.board.uart);
    this.#sbiCalls = this.world.ledger.counter(this.name, 'exit', 'sbi');
    if (firmware === 'sbi') this.#sbi = this.#makeSbi(put);
    this.#exited = this.#newExit();
    this.world.add(this);
  }

  /** The PCI Express fabric: `machine.pcie.plug(new E1000({ port }))`. */
  get pcie(): RootComplex {
    return this.board.pcie;
  }

  /** The virtio-mmio slots: `machine.virtio.plug(new VirtioBlk({ store }))`. */
  get virtio(): VirtioSlots {
    return this.board.virtio;
  }

  get state(): 'off' | 'on' | 'paused' {
    return this.#state;
  }

  /** How the machine ended last; undefined while it has not. */
  get exit(): MachineExit | undefined {
    return this.#exit;
  }

  /** Resolves when the guest powers off, or fails, or resets with `onReset: 'end'`. */
  get exited(): Promise<MachineExit> {
    return this.#exited;
  }

  /** Bytes of RAM that the guest sees. */
  get ramSize(): number {
    return this.#ramSize;
  }

  /** Instructions retired by all harts. */
  get retired(): number {
    return this.harts.reduce((sum, hart) => sum + hart.retired, 0);
  }

  /**
   * Loads the images and lets the harts go; the world's loop must run for anything to happen.
   * @throws MachineError when an image lies or does not fit, or the machine is on
   */
  powerOn(): void {
    if (this.#state !== 'off') throw new MachineError('already-running', `${this.name} is on already`);
    if (this.#exit !== undefined) this.#exited = this.#newExit();
    this.#exit = undefined;
    this.console.begin();
    this.#boot();
  }

  /** Powers on and has the world run in the background. */
  start(): void {
    this.powerOn();
    this.world.start();
  }

  /** Harts stand still; devices and the clock go on. */
  pause(): void {
    if (this.#state === 'on') this.#state = 'paused';
    for (const hart of this.harts) hart.requestStop();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'on';
    this.world.reconsider();
  }

  /** As the reset button: every device and hart to its defaults, the images loaded again. */
  reset(): void {
    if (this.#state === 'off') throw new MachineError('not-running', `${this.name} is off`);
    this.#boot();
  }

  /** As the power switch. */
  powerOff(): void {
    this.#end(POWER_OFF);
  }

  /** By the run loop, for a hart. */
  runs(hart: Hart): boolean {
    if (this.#state !== 'on' || this.debugger?.runs(hart) === false) return false;
    return this.#sbi === undefined || this.#sbi.runnable(hart);
  }

  /** By the run loop: a hart left its slice. */
  left(hart: Hart, exit: RunnableHart['exit']): void {
    if (exit === 'sbi') {
      if (this.#countsExits) this.#sbiCalls.value++;
      this.#sbi?.handle(hart);
    } else if (exit === 'fatal') this.#end({ reason: 'fatal', code: 1 });
    else if (exit === 'breakpoint') this.onBreakpoint?.(hart);
  }

  save(): Snapshot {
    const devices = Object.fromEntries(
      Object.entries(this.board.devices).map(([name, device]) => [name, device.save()]),
    );
    return {
      type: 'machine',
      version: 1,
      state: this.#state,
      ramSize: this.#ramSize,
      ram: saveRam(this.memory, this.#ram),
      harts: this.harts.map((hart) => hart.save()),
      sbi: this.#sbi?.save() ?? null,
      console: this.console.save(),
      devices,
    };
  }

  /** Into a machine made with the same options and the same functions plugged in. @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'machine', 1);
    const harts = snapshot['harts'] as unknown as Snapshot[];
    if (snapshot['ramSize'] !== this.#ramSize || harts.length !== this.harts.length) {
      throw new MachineError(
        'bad-snapshot',
        `${this.name} has ${this.harts.length} harts and ${this.#ramSize} bytes of RAM; ` +
          `the snapshot is of ${harts.length} and ${snapshot['ramSize'] as number}`,
      );
    }
    restoreRam(this.memory, snapshot['ram'], this.#ram);
    const devices = snapshot['devices'] as unknown as Record<string, Snapshot>;
    for (const [name, device] of Object.entries(this.board.devices)) device.restore(devices[name]);
    this.harts.forEach((hart, id) => hart.restore(harts[id]));
    if (this.#sbi !== undefined) this.#sbi.restore(snapshot['sbi'] as Snapshot);
    this.console.restore(snapshot['console'] as Snapshot);
    this.#state = snapshot['state'] as 'off' | 'on' | 'paused';
  }

  #boot(): void {
    for (const device of Object.values(this.board.devices)) device.reset();
    this.#sbi?.reset();
    if (this.#sbi !== undefined) this.board.interrupts.handToSupervisor();
    const options = this.#options;
    const entry = loadBoot(this.space, this.#rom, {
      firmware: options.firmware ?? 'sbi',
      harts: this.harts.length,
      memory: this.#ramSize,
      isaExtensions: this.#aia === 'aplic-imsic' ? [...ISA_EXTENSIONS, ...AIA_EXTENSIONS] : ISA_EXTENSIONS,
      aia: this.#aia,
      aiaGuests: options.aiaGuests ?? 0,
      iommu: this.board.iommu === undefined ? this.#functionIommu() : 'board',
      rngSeed: options.seed ?? 1,
      ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
      ...(options.initrd === undefined ? {} : { initrd: options.initrd }),
      ...(options.bootArguments === undefined ? {} : { bootArguments: options.bootArguments }),
      ...(options.deviceTree === undefined ? {} : { deviceTree: options.deviceTree }),
    });
    for (const [id, hart] of this.harts.entries()) {
      hart.reset({
        pc: BigInt(entry.pc),
        privilege: entry.privilege,
        a0: BigInt(id),
        a1: BigInt(entry.deviceTree),
      });
    }
    this.#state = 'on';
    for (const seat of this.#seats) seat.restarted();
  }

  /** Device and function number of an IOMMU on the root bus. */
  #functionIommu(): number | undefined {
    return this.pcie.rootBus.functions.find((fn) => fn instanceof PciIommu)?.devfn;
  }

  #finish(request: FinishRequest): void {
    if (request.kind === 'reset') this.#guestReset();
    else if (request.kind === 'fail') this.#end({ reason: 'failure', code: request.code });
    else this.#end(POWER_OFF);
  }

  #guestReset(): void {
    if (this.#options.onReset === 'end') this.#end({ reason: 'reset', code: 0 });
    else this.#boot();
  }

  #end(exit: MachineExit): void {
    if (this.#state === 'off') return;
    this.#state = 'off';
    this.#exit = exit;
    this.console.end(`${this.name} ended (${exit.reason})`);
    this.#resolveExit(exit);
    this.world.breathe();
  }

  #newExit(): Promise<MachineExit> {
    return new Promise((resolve) => (this.#resolveExit = resolve));
  }

  #makeSbi(write: (byte: number) => void): Sbi {
    const { uart } = this.board;
    return new Sbi({
      name: `${this.name}.sbi`,
      clock: this.world.clock,
      space: this.space,
      harts: this.harts,
      sstc: true,
      frequency: VIRT.timebase,
      console: {
        write,
        read: () => ((uart.read(UART_LSR, 1) & LSR_DATA_READY) === 0 ? -1 : uart.read(UART_DATA, 1)),
      },
      onReset: ({ type, reason }) => {
        if (type === 'shutdown') this.#end(reason === 'none' ? POWER_OFF : { reason: 'failure', code: 1 });
        else this.#guestReset();
      },
    });
  }
}

/** One hart of a machine in the world's loop. */
class HartRunner implements Runner {
  constructor(
    readonly machine: Machine,
    readonly hart: Hart,
  ) {}

  get runnable(): boolean {
    return this.machine.runs(this.hart);
  }

  run(instructions: number): void {
    if (this.machine.debugger === undefined) this.hart.run(instructions);
    else this.machine.debugger.run(this.hart, instructions);
  }

  left(exit: RunnableHart['exit']): void {
    this.machine.left(this.hart, exit);
  }
}

/** A machine, off. @throws MachineError bad-option */
export async function createMachine(options: MachineOptions = {}): Promise<Machine> {
  const ramSize = checkedSize(options);
  const world = options.world ?? new World();
  const memory = new HostMemory({ ram: ramSize + ROM.size, reserve: RESERVE });
  const core = await RiscvCore.load(memory, { codePages: CODE_PAGES, jit: options.jit });
  return new Machine(options, world, {
    core,
    space: new AddressSpace(memory, options.name ?? 'machine'),
    ram: memory.ramOffset,
    ramSize,
    countsExits: true,
    adopt(runner) {
      world.addRunner(runner);
      return {
        setInterrupt: (bit, level, priority) => runner.hart.setInterrupt(bit, level, priority),
        connectImsic: (imsic) => runner.hart.connectImsic(imsic),
        restarted: () => world.restarted(runner),
      };
    },
  });
}

/** Bytes of RAM of a machine with these options. @throws MachineError bad-option */
export function checkedSize(options: Pick<MachineOptions, 'harts' | 'memory' | 'aia' | 'aiaGuests'>): number {
  const harts = options.harts ?? 1;
  if (!Number.isInteger(harts) || harts < 1 || harts > MAX_HARTS) {
    throw new MachineError('bad-option', `a machine has 1 to ${MAX_HARTS} harts, not ${harts}`);
  }
  checkGuests(options.aia ?? 'none', options.aiaGuests ?? 0);
  const ram = parseSize(options.memory ?? '128MiB');
  if (ram <= 0 || ram % 4096 !== 0) {
    throw new MachineError('bad-option', `RAM is a multiple of 4 KiB above 0, not ${ram} bytes`);
  }
  return ram;
}
