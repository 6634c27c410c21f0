import type { AddressSpace } from '@vmloom/memory';
import { MachineError } from '../error.js';
import { isGzip, isZboot } from './compressed.js';
import { isElf, loadElf } from './elf.js';
import { isLinuxImage, loadLinuxImage } from './linux-image.js';
import { expectInRam, put, type LoadedImage, type RamWindow } from './ram.js';

/**
 * Loads a kernel or firmware by what its first bytes say: an ELF file at its physical addresses, a Linux
 * Image at its text offset, anything else raw at `rawBase` (the start of RAM unless told). Compressed files
 * go through {@link unpackImage} first.
 * @throws MachineError bad-elf, bad-image, does-not-fit, unsupported-image
 */
export function loadImage(
  space: AddressSpace,
  bytes: Uint8Array,
  ram: RamWindow,
  rawBase = ram.base,
): LoadedImage {
  if (isElf(bytes)) return loadElf(space, bytes, ram);
  if (isLinuxImage(bytes)) return loadLinuxImage(space, bytes, ram);
  if (isGzip(bytes) || isZboot(bytes)) {
    throw new MachineError(
      'unsupported-image',
      'the image is compressed; pass it through unpackImage() first',
    );
  }
  return loadRaw(space, bytes, ram, rawBase);
}

/** Loads bytes as they are; their first one is the entry. @throws MachineError bad-image, does-not-fit */
export function loadRaw(
  space: AddressSpace,
  bytes: Uint8Array,
  ram: RamWindow,
  base = ram.base,
): LoadedImage {
  if (bytes.length === 0)
    throw new MachineError('bad-image', 'the image file is empty, so there is nothing to run');
  const end = base + bytes.length;
  expectInRam('the raw image', { start: base, end }, ram);
  put(space, base, bytes);
  return { kind: 'raw', entry: base, start: base, end };
}
