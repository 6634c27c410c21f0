import type { AddressSpace } from '@vmloom/memory';
import { buildVirtTree, VIRT, writeFdt, type Aia } from './device-tree/index.js';
import { loadDtb, loadImage, loadInitrd, type LoadedImage } from './loaders/index.js';

/** What runs first. `sbi`: the built-in firmware; `none`: the kernel itself, in M-mode; bytes: M-mode firmware. */
export type Firmware = 'sbi' | 'none' | Uint8Array;

export interface BootOptions {
  readonly firmware: Firmware;
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly bootArguments?: string;
  /** In place of the board's own device tree. */
  readonly deviceTree?: Uint8Array;
  readonly harts: number;
  /** Bytes of RAM. */
  readonly memory: number;
  readonly isaExtensions: readonly string[];
  readonly aia: Aia;
  readonly aiaGuests: number;
  /** As `VirtBoardDescription.iommu`. */
  readonly iommu?: 'board' | number | undefined;
  readonly rngSeed: number | bigint;
}

/** Where a hart begins. */
export interface Entry {
  readonly pc: number;
  readonly privilege: 1 | 3;
  /** Physical address of the device tree. */
  readonly deviceTree: number;
}

/** The boot ROM of the virt board. */
export const ROM = { base: 0x1000, size: 0xf000 } as const;

/** A raw kernel without firmware in M-mode lies here, where firmware would hand over to it. */
const KERNEL_OFFSET = 0x20_0000;
const FW_DYNAMIC_MAGIC = 0x4942_534fn;
const FW_DYNAMIC_VERSION = 2n;
const SUPERVISOR = 1n;

// The reset vector: a0 = hart ID, a1 = device tree, a2 = what OpenSBI's fw_dynamic wants to know, then the
// entry. The code is followed by its data.
const RESET_VECTOR = [
  0x0000_0297, // auipc t0, 0
  0xf140_2573, // csrr a0, mhartid
  0x0202_b583, // ld a1, 32(t0)
  0x0302_8613, // addi a2, t0, 48
  0x0182_b283, // ld t0, 24(t0)
  0x0002_8067, // jr t0
];
const ROM_ENTRY = 24;
const ROM_DEVICE_TREE = 32;
const ROM_FW_DYNAMIC = 48;

/**
 * Loads firmware, kernel, initial RAM disk and device tree into RAM, writes the boot ROM, and says where
 * hart 0 begins. @throws MachineError for every image that lies or does not fit
 */
export function loadBoot(space: AddressSpace, rom: Uint8Array, options: BootOptions): Entry {
  const ram = { base: VIRT.ram.base, size: options.memory };
  const placed: { what: string; start: number; end: number }[] = [];
  let firmware: LoadedImage | undefined;
  if (options.firmware instanceof Uint8Array) {
    firmware = loadImage(space, options.firmware, ram);
    placed.push({ what: 'the firmware', start: firmware.start, end: firmware.end });
  }
  let kernel: LoadedImage | undefined;
  if (options.kernel !== undefined) {
    // Without firmware below it, a raw program begins where RAM does, as bare-metal programs expect.
    const rawBase = options.firmware === 'none' ? ram.base : ram.base + KERNEL_OFFSET;
    kernel = loadImage(space, options.kernel, ram, rawBase);
    placed.push({ what: 'the kernel', start: kernel.start, end: kernel.end });
  }
  let initrd: { start: number; end: number } | undefined;
  const describe = (): Uint8Array =>
    options.deviceTree ??
    writeFdt(
      buildVirtTree({
        harts: options.harts,
        memory: options.memory,
        extensions: options.isaExtensions,
        aia: options.aia,
        aiaGuests: options.aiaGuests,
        iommu: options.iommu,
        supervisor: options.firmware === 'sbi',
        mmuType: 'riscv,sv48',
        rngSeed: options.rngSeed,
        ...(options.bootArguments === undefined ? {} : { bootargs: options.bootArguments }),
        ...(initrd === undefined ? {} : { initrd }),
      }),
    );
  let deviceTree = loadDtb(space, describe(), ram, placed);
  if (options.initrd !== undefined) {
    const below = deviceTree.start;
    const behind = kernel ?? firmware ?? { start: ram.base, end: ram.base };
    initrd = loadInitrd(space, options.initrd, behind, ram, below);
    placed.push({ what: 'the initial RAM disk', ...initrd });
    deviceTree = loadDtb(space, describe(), ram, placed);
  }
  const first = firmware?.entry ?? kernel?.entry ?? ram.base;
  const next = kernel?.entry ?? ram.base + KERNEL_OFFSET;
  writeRom(rom, first, deviceTree.start, next);
  const supervisor = options.firmware === 'sbi';
  return {
    pc: supervisor ? first : ROM.base,
    privilege: supervisor ? 1 : 3,
    deviceTree: deviceTree.start,
  };
}

function writeRom(rom: Uint8Array, entry: number, deviceTree: number, next: number): void {
  const view = new DataView(rom.buffer, rom.byteOffset, rom.length);
  RESET_VECTOR.forEach((word, index) => view.setUint32(index * 4, word, true));
  view.setBigUint64(ROM_ENTRY, BigInt(entry), true);
  view.setBigUint64(ROM_DEVICE_TREE, BigInt(deviceTree), true);
  const anyHart = 0xffff_ffff_ffff_ffffn;
  [FW_DYNAMIC_MAGIC, FW_DYNAMIC_VERSION, BigInt(next), SUPERVISOR, 0n, anyHart].forEach((value, index) =>
    view.setBigUint64(ROM_FW_DYNAMIC + index * 8, value, true),
  );
}
