import { SYSCON_ACTIONS } from '@vmloom/platform';
import { MachineError } from '../error.js';
import { aiaNodes, checkGuests, type Aia } from './aia-nodes.js';
import { functionIommu, iommuMap } from './iommu-nodes.js';
import { node, type DeviceTreeNode } from './node.js';
import {
  PHANDLE_IMSICS_SUPERVISOR,
  PHANDLE_IOMMU,
  PHANDLE_TEST,
  PHANDLE_WIRED,
  phandleCpu,
  phandleIntc,
  reg,
  toHarts,
} from './phandles.js';
import { rngSeed } from './rng-seed.js';

/** Addresses of the `virt` board, the same as QEMU's. Sizes in bytes. */
export const VIRT = {
  test: { base: 0x0010_0000, size: 0x1000 },
  rtc: { base: 0x0010_1000, size: 0x1000, irq: 11 },
  clint: { base: 0x0200_0000, size: 0x1_0000 },
  sswi: { base: 0x02f0_0000, size: 0x4000 },
  pcieIo: { base: 0x0300_0000, size: 0x1_0000 },
  /** One wire for each cause. */
  iommu: { base: 0x0301_0000, size: 0x1000, irqs: [36, 37, 38, 39] },
  plic: { base: 0x0c00_0000, size: 0x60_0000 },
  uart: { base: 0x1000_0000, size: 0x100, irq: 10, frequency: 3_686_400 },
  /** Eight windows of virtio-mmio. */
  virtio: { base: 0x1000_1000, stride: 0x1000, size: 0x1000, irqs: [1, 2, 3, 4, 5, 6, 7, 8] },
  pcieEcam: { base: 0x3000_0000, size: 0x1000_0000 },
  pcieMmio32: { base: 0x4000_0000, size: 0x4000_0000 },
  pcieMmio64: { base: 0x4_0000_0000, size: 0x4_0000_0000 },
  /** PLIC sources of INTA to INTD of device 0. */
  pcieIrq: 32,
  ram: { base: 0x8000_0000 },
  plicSources: 95,
  timebase: 10_000_000,
} as const;

/** What a `virt` board has, as far as its device tree tells. */
export interface VirtBoardDescription {
  /** Harts, ids 0 to harts - 1; 1 to 512. */
  readonly harts: number;
  /** Bytes of RAM at {@link VIRT}.ram. */
  readonly memory: number;
  /** Extensions of one letter, `imafdc` unless told. */
  readonly baseIsa?: string;
  /** Further extensions, for example `zicsr`, `sstc`. */
  readonly extensions?: readonly string[];
  /** `riscv,sv39` or another of the binding; `none` leaves it out. `riscv,sv39` unless told. */
  readonly mmuType?: string;
  readonly bootargs?: string;
  /** Where the initial RAM disk lies: `end` is the address behind its last byte. */
  readonly initrd?: { readonly start: number; readonly end: number };
  /** 32 bytes are made of it; none unless told. */
  readonly rngSeed?: number | bigint;
  /** Whether there is a PCI Express host bridge; true unless told. */
  readonly pcie?: boolean;
  /** Whether there are windows for virtio-mmio; true unless told. */
  readonly virtio?: boolean;
  /** Whether there is an ACLINT SSWI; false unless told. */
  readonly sswi?: boolean;
  /** What is in the place of the PLIC; `none`, the PLIC, unless told. */
  readonly aia?: Aia;
  /** Guest interrupt files of each hart, 0 to 7, with `aplic-imsic`; 0 unless told. */
  readonly aiaGuests?: number;
  /**
   * The IOMMU before the PCI Express host bridge: that of the board, or the function of the root bus with this device
   * and function number. None unless told.
   */
  readonly iommu?: 'board' | number | undefined;
  /** The tree is for S-mode software, the firmware below it runs already. False unless told. */
  readonly supervisor?: boolean;
  /** Further nodes below `/soc`. */
  readonly devices?: readonly DeviceTreeNode[];
}

// Interrupt numbers at a hart's own controller (Privileged 3.1.9, mip).
const SUPERVISOR_SOFTWARE = 1;
const MACHINE_SOFTWARE = 3;
const MACHINE_TIMER = 7;
const SUPERVISOR_EXTERNAL = 9;
const MACHINE_EXTERNAL = 11;

// Second cell of an interrupt at an APLIC.
const LEVEL_HIGH = 4;

// PCI bus binding: space codes of the first cell of a PCI address.
const PCI_IO = 0x0100_0000;
const PCI_MEMORY32 = 0x0200_0000;
const PCI_MEMORY64 = 0x0300_0000;
const PCI_INTERRUPT_PINS = 4;

/**
 * The device tree of a `virt` board, with the nodes, names and addresses of QEMU's, so that one image runs
 * on both. @throws MachineError bad-board
 */
export function buildVirtTree(board: VirtBoardDescription): DeviceTreeNode {
  const { harts, memory, initrd } = board;
  if (!Number.isInteger(harts) || harts < 1 || harts > 512) {
    throw new MachineError('bad-board', `a virt board has 1 to 512 harts, not ${harts}`);
  }
  if (!Number.isSafeInteger(memory) || memory <= 0 || memory % 4096 !== 0) {
    throw new MachineError('bad-board', `RAM is a multiple of 4 KiB above 0, not ${memory} bytes`);
  }
  if (board.bootargs?.includes('\0') === true) {
    throw new MachineError('bad-board', 'the boot arguments hold a NUL character');
  }
  checkGuests(board.aia ?? 'none', board.aiaGuests ?? 0);
  const ids = Array.from({ length: harts }, (_, hart) => hart);
  return node(
    '',
    { '#address-cells': 2, '#size-cells': 2, compatible: 'riscv-virtio', model: 'riscv-virtio,qemu' },
    [
      node('chosen', {
        bootargs: board.bootargs,
        'linux,initrd-start': initrd === undefined ? undefined : BigInt(initrd.start),
        'linux,initrd-end': initrd === undefined ? undefined : BigInt(initrd.end),
        'rng-seed': board.rngSeed === undefined ? undefined : rngSeed(board.rngSeed),
        'stdout-path': `/soc/serial@${VIRT.uart.base.toString(16)}`,
      }),
      node(`memory@${VIRT.ram.base.toString(16)}`, {
        device_type: 'memory',
        reg: [BigInt(VIRT.ram.base), BigInt(memory)],
      }),
      cpus(ids, board),
      ...SYSCON_ACTIONS.map(({ node: name, compatible, offset, value }) =>
        node(name, { compatible, regmap: PHANDLE_TEST, offset, value }),
      ),
      soc(ids, board),
    ],
  );
}

function cpus(ids: readonly number[], board: VirtBoardDescription): DeviceTreeNode {
  const letters = board.baseIsa ?? 'imafdc';
  const extensions = board.extensions ?? ['zicsr', 'zifencei'];
  const mmuType = board.mmuType ?? 'riscv,sv39';
  return node('cpus', { '#address-cells': 1, '#size-cells': 0, 'timebase-frequency': VIRT.timebase }, [
    ...ids.map((hart) =>
      node(
        `cpu@${hart.toString(16)}`,
        {
          phandle: phandleCpu(hart),
          device_type: 'cpu',
          reg: hart,
          status: 'okay',
          compatible: 'riscv',
          'riscv,isa': [`rv64${letters}`, ...extensions].join('_'),
          'riscv,isa-base': 'rv64i',
          'riscv,isa-extensions': [...letters, ...extensions],
          'mmu-type': mmuType === 'none' ? undefined : mmuType,
        },
        [
          node('interrupt-controller', {
            '#interrupt-cells': 1,
            'interrupt-controller': true,
            compatible: 'riscv,cpu-intc',
            phandle: phandleIntc(hart),
          }),
        ],
      ),
    ),
    node('cpu-map', {}, [
      node(
        'cluster0',
        {},
        ids.map((hart) => node(`core${hart}`, { cpu: phandleCpu(hart) })),
      ),
    ]),
  ]);
}

function soc(ids: readonly number[], board: VirtBoardDescription): DeviceTreeNode {
  const aia = board.aia ?? 'none';
  const children = [
    node(`test@${VIRT.test.base.toString(16)}`, {
      phandle: PHANDLE_TEST,
      reg: reg(VIRT.test),
      compatible: ['sifive,test1', 'sifive,test0', 'syscon'],
    }),
    node(`rtc@${VIRT.rtc.base.toString(16)}`, {
      interrupts: wired(aia, VIRT.rtc.irq),
      'interrupt-parent': PHANDLE_WIRED,
      reg: reg(VIRT.rtc),
      compatible: 'google,goldfish-rtc',
    }),
    node(`clint@${VIRT.clint.base.toString(16)}`, {
      'interrupts-extended': toHarts(ids, MACHINE_SOFTWARE, MACHINE_TIMER),
      reg: reg(VIRT.clint),
      compatible: ['sifive,clint0', 'riscv,clint0'],
    }),
    ...(aia === 'none'
      ? [plic(ids)]
      : aiaNodes(ids, { aia, guests: board.aiaGuests ?? 0, firmware: board.supervisor ?? false })),
    node(`serial@${VIRT.uart.base.toString(16)}`, {
      interrupts: wired(aia, VIRT.uart.irq),
      'interrupt-parent': PHANDLE_WIRED,
      'clock-frequency': VIRT.uart.frequency,
      reg: reg(VIRT.uart),
      compatible: 'ns16550a',
    }),
  ];
  if (board.sswi === true) {
    children.push(
      node(`sswi@${VIRT.sswi.base.toString(16)}`, {
        compatible: 'riscv,aclint-sswi',
        reg: reg(VIRT.sswi),
        'interrupts-extended': toHarts(ids, SUPERVISOR_SOFTWARE),
        'interrupt-controller': true,
        '#interrupt-cells': 0,
      }),
    );
  }
  if (board.virtio !== false) children.push(...virtioSlots(aia));
  if (board.iommu === 'board') children.push(boardIommu(aia));
  if (board.pcie !== false) children.push(pcieHost(aia, board.iommu));
  return node('soc', { '#address-cells': 2, '#size-cells': 2, compatible: 'simple-bus', ranges: true }, [
    ...children,
    ...(board.devices ?? []),
  ]);
}

function boardIommu(aia: Aia): DeviceTreeNode {
  const { base, size, irqs } = VIRT.iommu;
  return node(`iommu@${base.toString(16)}`, {
    compatible: 'riscv,iommu',
    '#iommu-cells': 1,
    phandle: PHANDLE_IOMMU,
    reg: reg({ base, size }),
    'interrupt-parent': PHANDLE_WIRED,
    interrupts: irqs.flatMap((source) => wired(aia, source)),
    'msi-parent': aia === 'aplic-imsic' ? PHANDLE_IMSICS_SUPERVISOR : undefined,
  });
}

function plic(ids: readonly number[]): DeviceTreeNode {
  return node(`plic@${VIRT.plic.base.toString(16)}`, {
    phandle: PHANDLE_WIRED,
    'riscv,ndev': VIRT.plicSources,
    reg: reg(VIRT.plic),
    'interrupts-extended': toHarts(ids, MACHINE_EXTERNAL, SUPERVISOR_EXTERNAL),
    'interrupt-controller': true,
    compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
    '#address-cells': 0,
    '#interrupt-cells': 1,
  });
}

/** A wire to the controller of the board: an APLIC is told of each that it is high while it asks. */
const wired = (aia: Aia, source: number): number[] => (aia === 'none' ? [source] : [source, LEVEL_HIGH]);

function virtioSlots(aia: Aia): DeviceTreeNode[] {
  const { base, stride, size, irqs } = VIRT.virtio;
  return irqs.map((source, slot) =>
    node(`virtio_mmio@${(base + slot * stride).toString(16)}`, {
      interrupts: wired(aia, source),
      'interrupt-parent': PHANDLE_WIRED,
      reg: reg({ base: base + slot * stride, size }),
      compatible: 'virtio,mmio',
    }),
  );
}

function pcieHost(aia: Aia, iommu: VirtBoardDescription['iommu']): DeviceTreeNode {
  const { pcieIo, pcieMmio32, pcieMmio64, pcieEcam } = VIRT;
  const children = typeof iommu === 'number' ? [functionIommu(iommu)] : [];
  return node(
    `pci@${pcieEcam.base.toString(16)}`,
    {
      '#address-cells': 3,
      '#interrupt-cells': 1,
      '#size-cells': 2,
      compatible: 'pci-host-ecam-generic',
      device_type: 'pci',
      'linux,pci-domain': 0,
      'bus-range': [0, 0xff],
      'dma-coherent': true,
      reg: reg(pcieEcam),
      ranges: [
        ...[PCI_IO, 0n, BigInt(pcieIo.base), BigInt(pcieIo.size)],
        ...[PCI_MEMORY32, BigInt(pcieMmio32.base), BigInt(pcieMmio32.base), BigInt(pcieMmio32.size)],
        ...[PCI_MEMORY64, BigInt(pcieMmio64.base), BigInt(pcieMmio64.base), BigInt(pcieMmio64.size)],
      ],
      'interrupt-map': interruptMap(aia),
      'msi-parent': aia === 'aplic-imsic' ? PHANDLE_IMSICS_SUPERVISOR : undefined,
      'interrupt-map-mask': [(PCI_INTERRUPT_PINS - 1) << 11, 0, 0, 7],
      'iommu-map': iommuMap(iommu),
    },
    children,
  );
}

/** INTA to INTD of devices 0 to 3, swizzled over four sources (PCI-to-PCI bridge 9.1). */
function interruptMap(aia: Aia): number[] {
  const map: number[] = [];
  for (let device = 0; device < PCI_INTERRUPT_PINS; device++) {
    for (let pin = 1; pin <= PCI_INTERRUPT_PINS; pin++) {
      const source = VIRT.pcieIrq + ((pin - 1 + device) % PCI_INTERRUPT_PINS);
      map.push(device << 11, 0, 0, pin, PHANDLE_WIRED, ...wired(aia, source));
    }
  }
  return map;
}
