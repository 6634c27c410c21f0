import type { AddressSpace } from '@vmloom/memory';
import { MachineError } from '../error.js';
import { expectInRam, hex, put, type LoadedImage, type RamWindow } from './ram.js';

// RISC-V boot image header (Linux, Documentation/arch/riscv/boot-image-header.rst), byte offsets.
const HEADER_SIZE = 64;
const TEXT_OFFSET = 8;
const IMAGE_SIZE = 16;
const FLAGS = 24;
const VERSION = 32;
const MAGIC2 = 56;
/** "RSC\x05", little-endian. */
const MAGIC2_VALUE = 0x0543_5352;
const FLAG_BIG_ENDIAN = 1n;

/** The text offset of an RV64 kernel: 2 MiB, for the kernel maps itself with megapages. */
const PAGE_2M = 0x20_0000;

export interface ImageHeader {
  /** Bytes from the start of RAM to where the image wants to be. */
  readonly textOffset: number;
  /** Bytes that the running kernel needs, its BSS included. */
  readonly imageSize: number;
  /** Major version in bits 31:16, minor in 15:0. */
  readonly version: number;
}

function refuse(sentence: string): never {
  throw new MachineError('bad-image', `the kernel image is not valid: ${sentence}`);
}

/** True when the bytes carry the RISC-V Image header ("RSC\x05" at byte 56). */
export function isLinuxImage(bytes: Uint8Array): boolean {
  return (
    bytes.length >= HEADER_SIZE &&
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC2, true) === MAGIC2_VALUE
  );
}

/** @throws MachineError bad-image */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  if (!isLinuxImage(bytes)) refuse('it has no RISC-V Image header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if ((view.getBigUint64(FLAGS, true) & FLAG_BIG_ENDIAN) !== 0n) refuse('the kernel is big-endian');
  const textOffset = view.getBigUint64(TEXT_OFFSET, true);
  const imageSize = view.getBigUint64(IMAGE_SIZE, true);
  if (textOffset > BigInt(Number.MAX_SAFE_INTEGER) || imageSize > BigInt(Number.MAX_SAFE_INTEGER)) {
    refuse(`it wants ${hex(imageSize)} bytes at offset ${hex(textOffset)}, which no machine has`);
  }
  if (Number(textOffset) % PAGE_2M !== 0) {
    refuse(`its text offset ${hex(textOffset)} is no multiple of 2 MiB, so an RV64 kernel cannot map itself`);
  }
  return {
    textOffset: Number(textOffset),
    imageSize: Number(imageSize),
    version: view.getUint32(VERSION, true),
  };
}

/**
 * Loads a Linux Image at RAM plus its text offset. The range that is taken covers its BSS too.
 * @throws MachineError bad-image, does-not-fit
 */
export function loadLinuxImage(space: AddressSpace, bytes: Uint8Array, ram: RamWindow): LoadedImage {
  const { textOffset, imageSize } = readImageHeader(bytes);
  const start = ram.base + textOffset;
  // A signed image is longer than the kernel in it; an image without a size says 0.
  const end = start + Math.max(imageSize, bytes.length);
  expectInRam('the kernel image', { start, end }, ram);
  put(space, start, bytes);
  return { kind: 'image', entry: start, start, end };
}
