import type { AddressSpace } from '@vmloom/memory';
import { readFdt } from '../device-tree/fdt-reader.js';
import { MachineError } from '../error.js';
import { expectApart, expectInRam, put, type Placement, type RamWindow } from './ram.js';

const MIB = 1024 * 1024;
const PAGE = 4096;
/** A device tree goes below 3 GiB, where a kernel's first map finds it. */
const DTB_CEILING = 3 * 1024 * MIB;
const DTB_ALIGN = 2 * MIB;
const INITRD_MOST = 512 * MIB;

const alignDown = (value: number, unit: number): number => Math.floor(value / unit) * unit;
const alignUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/**
 * Where the device tree goes: as high in RAM as it can be below 3 GiB, at a multiple of 2 MiB, as QEMU
 * places it; in a RAM too small for that, at a multiple of 4 KiB. @throws MachineError does-not-fit when that
 * is not free of `occupied`
 */
export function placeDtb(
  size: number,
  ram: RamWindow,
  occupied: readonly (Placement & { what: string })[] = [],
): Placement {
  const top = Math.min(ram.base + ram.size, Math.max(DTB_CEILING, ram.base + DTB_ALIGN));
  const at = (unit: number): Placement => {
    const start = alignDown(top - size, unit);
    return { start, end: start + size };
  };
  const usual = at(DTB_ALIGN);
  const taken = occupied.some(({ start, end }) => start < usual.end && usual.start < end);
  const placement = taken || usual.start < ram.base ? at(PAGE) : usual;
  expectInRam('the device tree', placement, ram);
  for (const other of occupied) expectApart({ ...placement, what: 'the device tree' }, other);
  return placement;
}

/**
 * Where the initial RAM disk goes: behind the kernel by half the RAM, 512 MiB at most, so that a kernel
 * has room to unpack itself (as QEMU places it); where that leaves too little room, as high as it can be.
 * `below` is the address that it must not reach: the device tree's, or the end of RAM.
 * @throws MachineError does-not-fit
 */
export function placeInitrd(
  size: number,
  kernel: Placement,
  ram: RamWindow,
  below = ram.base + ram.size,
): Placement {
  const usual = alignUp(kernel.start + Math.min(ram.size / 2, INITRD_MOST), PAGE);
  const highest = alignDown(below - size, PAGE);
  const behind = alignUp(kernel.end, PAGE);
  const start = Math.max(behind, Math.min(usual, highest));
  if (start + size > below) {
    throw new MachineError(
      'does-not-fit',
      `the initial RAM disk has ${size} bytes, but only ${Math.max(0, below - behind)} are free behind the kernel; ` +
        'give the machine more memory',
    );
  }
  return { start, end: start + size };
}

/** Writes an initial RAM disk where {@link placeInitrd} said. @throws MachineError does-not-fit */
export function loadInitrd(
  space: AddressSpace,
  bytes: Uint8Array,
  kernel: Placement,
  ram: RamWindow,
  below?: number,
): Placement {
  const placement = placeInitrd(bytes.length, kernel, ram, below);
  put(space, placement.start, bytes);
  return placement;
}

/** Writes a device tree, checked, where {@link placeDtb} says. @throws MachineError bad-device-tree, does-not-fit */
export function loadDtb(
  space: AddressSpace,
  bytes: Uint8Array,
  ram: RamWindow,
  occupied: readonly (Placement & { what: string })[] = [],
): Placement {
  const { size } = readFdt(bytes);
  const placement = placeDtb(size, ram, occupied);
  put(space, placement.start, bytes.subarray(0, size));
  return placement;
}
