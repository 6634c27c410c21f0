import { WiredOr, type Counter, type Device, type Ledger } from '@vmloom/device';
import { Iommu } from '@vmloom/iommu';
import { physical, type AddressSpace, type MmioHandler, type MmioRegion } from '@vmloom/memory';
import { RootComplex } from '@vmloom/pci';
import { Aclint, GoldfishRtc, TestFinisher, Uart16550, type FinishRequest } from '@vmloom/platform';
import type { Hart } from '@vmloom/riscv';
import { VIRT, type Aia } from './device-tree/index.js';
import { InterruptControllers } from './interrupt-controllers.js';
import { VirtioSlots } from './virtio-slots.js';
import type { World } from './world.js';

export interface BoardOptions {
  readonly world: World;
  /** Before the names of the board's devices, so that several boards share a clock. */
  readonly prefix: string;
  readonly space: AddressSpace;
  /** Where the wires of the interrupt controllers lead. */
  readonly harts: readonly HartInputs[];
  readonly aia: Aia;
  /** Guest interrupt files of each hart. */
  readonly aiaGuests: number;
  /** An IOMMU of the board stands between PCI Express and memory. */
  readonly iommu: boolean;
  /** Nanoseconds since 1970 at the start of the clock. */
  readonly epoch: bigint;
  readonly serialOutput: (byte: number) => void;
  readonly finish: (request: FinishRequest) => void;
  /** Counts each access to a register as an exit of the machine. True unless told. */
  readonly countsExits?: boolean;
}

/** The interrupt inputs of a hart. */
export type HartInputs = Pick<Hart, 'setInterrupt' | 'connectImsic'>;

/** The devices of the `virt` board, wired as QEMU wires them. */
export class VirtBoard {
  readonly uart: Uart16550;
  readonly interrupts: InterruptControllers;
  readonly aclint: Aclint;
  readonly rtc: GoldfishRtc;
  readonly finisher: TestFinisher;
  readonly pcie: RootComplex;
  readonly virtio: VirtioSlots;
  readonly iommu: Iommu | undefined;

  constructor(options: BoardOptions) {
    const { world, prefix, space, harts } = options;
    const { clock, ledger } = world;
    const exitOwner = options.countsExits === false ? undefined : prefix.replace(/\.$/, '');
    const line = (source: number): WiredOr => {
      const wire = new WiredOr();
      this.interrupts.connect(source, wire);
      return wire;
    };
    this.interrupts = new InterruptControllers({
      aia: options.aia,
      guests: options.aiaGuests,
      clock,
      ledger,
      space,
      harts,
      prefix,
    });
    this.aclint = new Aclint({
      clock,
      name: `${prefix}aclint`,
      harts: harts.map((hart) => ({
        software: { set: (level: boolean) => hart.setInterrupt(3, level) },
        timer: { set: (level: boolean) => hart.setInterrupt(7, level) },
      })),
    });
    const serialLine = line(VIRT.uart.irq);
    serialLine.onComplete(() => this.uart.interruptCompleted());
    this.uart = new Uart16550({
      clock,
      name: `${prefix}uart0`,
      frequency: VIRT.uart.frequency,
      eightBits: true,
      line: serialLine.input(),
      output: options.serialOutput,
    });
    this.rtc = new GoldfishRtc({
      clock,
      name: `${prefix}rtc`,
      epoch: options.epoch,
      line: line(VIRT.rtc.irq).input(),
    });
    this.finisher = new TestFinisher({ clock, name: `${prefix}test`, finish: options.finish });
    this.pcie = new RootComplex({
      space,
      clock,
      ledger,
      name: `${prefix}pcie`,
      functionPrefix: prefix,
      ...(exitOwner === undefined ? {} : { exitOwner }),
    });
    this.pcie.intx.forEach((wire, pin) => this.interrupts.connect(VIRT.pcieIrq + pin, wire));
    if (options.iommu) {
      const lines = VIRT.iommu.irqs.map((source) => line(source).input());
      this.iommu = new Iommu({ name: `${prefix}iommu`, clock, ledger, space, lines });
      this.pcie.translator = this.iommu.translator;
    }

    this.virtio = new VirtioSlots({
      space,
      clock,
      ledger,
      prefix,
      lines: VIRT.virtio.irqs.map((source) => line(source).input()),
    });

    const map = (name: string, { base, size }: { base: number; size: number }, device: Registers): void => {
      const widths = (device.constructor as { WIDTHS?: MmioRegion['widths'] }).WIDTHS;
      const handler = exitOwner === undefined ? device : counted(device, ledger, exitOwner, name);
      space.mapMmio({ name, base, size, handler, ...(widths === undefined ? {} : { widths }) });
    };
    map('uart', VIRT.uart, this.uart);
    for (const { name, base, size, handler, widths, direct } of this.interrupts.registers) {
      if (direct) space.mapMmio({ name, base, size, handler, widths, access: 'direct' });
      else if (exitOwner === undefined) space.mapMmio({ name, base, size, handler, widths });
      else space.mapMmio({ name, base, size, handler: counted(handler, ledger, exitOwner, name), widths });
    }
    map('aclint', VIRT.clint, this.aclint);
    map('rtc', VIRT.rtc, this.rtc);
    map('test', VIRT.test, this.finisher);
    if (this.iommu !== undefined) map('iommu', VIRT.iommu, this.iommu);
    for (let slot = 0; slot < this.virtio.count; slot++) {
      const { base, stride, size } = VIRT.virtio;
      map(`virtio-mmio.${slot}`, { base: base + slot * stride, size }, this.virtio.window(slot));
    }
  }

  /** All devices; the PCIe fabric and the virtio slots hold what is plugged into them, by the name each has in a snapshot. */
  get devices(): Readonly<Record<string, Omit<Device, 'name'>>> {
    const { uart, interrupts, aclint, rtc, finisher, pcie, virtio } = this;
    const iommu: Readonly<Record<string, Device>> = this.iommu === undefined ? {} : { iommu: this.iommu };
    return { uart, ...interrupts.devices, aclint, rtc, finisher, ...iommu, pcie, virtio };
  }
}

type Registers = MmioHandler & object;

/** Counts each access as an exit with the region's name as its reason. */
function counted(handler: MmioHandler, ledger: Ledger, owner: string, name: string): MmioHandler {
  const counter: Counter = ledger.counter(owner, 'exit', name);
  return {
    read: (offset, width) => {
      counter.value++;
      return handler.read(offset, width);
    },
    write: (offset, width, value) => {
      counter.value++;
      handler.write(offset, width, value);
    },
  };
}

/** The address of RAM on the board. */
export const RAM_BASE = physical(VIRT.ram.base);
