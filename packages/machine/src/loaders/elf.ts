import type { AddressSpace } from '@vmloom/memory';
import { MachineError } from '../error.js';
import { expectInRam, hex, put, type LoadedImage, type RamWindow } from './ram.js';

// ELF-64, System V gABI chapters 4 and 5: offsets and values.
const HEADER_SIZE = 64;
const MAGIC = 0x7f45_4c46;
const CLASS_64 = 2;
const DATA_LITTLE = 1;
const TYPE_EXECUTABLE = 2;
const TYPE_SHARED = 3;
const MACHINE_RISCV = 243;
const PROGRAM_HEADER_SIZE = 56;
const SEGMENT_LOAD = 1;
/** e_phnum of a file that keeps the count elsewhere. */
const COUNT_ELSEWHERE = 0xffff;

/** One loadable segment. Addresses and sizes in bytes. */
export interface ElfSegment {
  readonly physical: number;
  readonly virtual: bigint;
  readonly memorySize: number;
  readonly bytes: Uint8Array;
}

/** A file's loadable segments, checked, in the file's order. */
export interface ElfFile {
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
}

function refuse(sentence: string): never {
  throw new MachineError('bad-elf', `the ELF file is not valid: ${sentence}`);
}

/** True when the bytes begin as an ELF file. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === MAGIC;
}

/**
 * Reads the segments of a 64-bit little-endian RISC-V executable. Nothing the file says is believed unchecked.
 * @throws MachineError bad-elf
 */
export function readElf(bytes: Uint8Array): ElfFile {
  if (!isElf(bytes)) refuse('it does not begin with \\x7fELF');
  if (bytes.length < HEADER_SIZE) refuse('it is shorter than its header');
  if (bytes[4] !== CLASS_64) refuse('it is no 64-bit file; build it for rv64');
  if (bytes[5] !== DATA_LITTLE) refuse('it is not little-endian');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u16 = (at: number): number => view.getUint16(at, true);
  const u32 = (at: number): number => view.getUint32(at, true);
  const u64 = (at: number): bigint => view.getBigUint64(at, true);
  const type = u16(16);
  if (type !== TYPE_EXECUTABLE && type !== TYPE_SHARED)
    refuse(`type ${type} is no executable (is it linked?)`);
  if (u16(18) !== MACHINE_RISCV) refuse(`it is for machine ${u16(18)}, not for RISC-V (${MACHINE_RISCV})`);
  const count = u16(56);
  if (count === 0 || count === COUNT_ELSEWHERE) refuse('it has no program headers, so nothing can be loaded');
  if (u16(54) !== PROGRAM_HEADER_SIZE) {
    refuse(`its program headers have ${u16(54)} bytes, not ${PROGRAM_HEADER_SIZE}`);
  }
  const table = u64(32);
  if (table + BigInt(count * PROGRAM_HEADER_SIZE) > BigInt(bytes.length)) {
    refuse('its program headers lie outside the file');
  }
  const segments: ElfSegment[] = [];
  for (let index = 0; index < count; index++) {
    const at = Number(table) + index * PROGRAM_HEADER_SIZE;
    if (u32(at) !== SEGMENT_LOAD) continue;
    const [offset, virtual, address, fileSize, memorySize] = [8, 16, 24, 32, 40].map((field) =>
      u64(at + field),
    ) as [bigint, bigint, bigint, bigint, bigint];
    if (fileSize > memorySize) refuse(`segment ${index} has more bytes in the file than in memory`);
    if (memorySize === 0n) continue;
    if (offset + fileSize > BigInt(bytes.length)) refuse(`segment ${index} lies outside the file`);
    if (address + memorySize > BigInt(Number.MAX_SAFE_INTEGER)) {
      refuse(`segment ${index} ends at ${hex(address + memorySize)}, which no machine has`);
    }
    segments.push({
      physical: Number(address),
      virtual,
      memorySize: Number(memorySize),
      bytes: bytes.subarray(Number(offset), Number(offset + fileSize)),
    });
  }
  if (segments.length === 0) refuse('it has no loadable segment');
  expectNoOverlap(segments);
  return { entry: u64(24), segments };
}

function expectNoOverlap(segments: readonly ElfSegment[]): void {
  const sorted = [...segments].sort((a, b) => a.physical - b.physical);
  for (let index = 1; index < sorted.length; index++) {
    const previous = sorted[index - 1];
    if (previous.physical + previous.memorySize > sorted[index].physical) {
      refuse(`two segments overlap at ${hex(sorted[index].physical)}`);
    }
  }
}

/** The physical address of the entry, which may be told as a virtual one (Linux does). */
function physicalEntry({ entry, segments }: ElfFile): number {
  for (const { physical, memorySize } of segments) {
    if (entry >= BigInt(physical) && entry < BigInt(physical + memorySize)) return Number(entry);
  }
  for (const { physical, virtual, memorySize } of segments) {
    if (entry >= virtual && entry - virtual < BigInt(memorySize)) return physical + Number(entry - virtual);
  }
  return refuse(`its entry ${hex(entry)} lies in none of its segments`);
}

/**
 * Loads an ELF file at its physical addresses. Nothing is written unless all of it fits.
 * @throws MachineError bad-elf, does-not-fit
 */
export function loadElf(space: AddressSpace, bytes: Uint8Array, ram: RamWindow): LoadedImage {
  const file = readElf(bytes);
  const entry = physicalEntry(file);
  if (entry % 2 !== 0) refuse(`its entry ${hex(entry)} is odd`);
  for (const [index, { physical, memorySize }] of file.segments.entries()) {
    expectInRam(`segment ${index} of the ELF file`, { start: physical, end: physical + memorySize }, ram);
  }
  for (const segment of file.segments) put(space, segment.physical, segment.bytes, segment.memorySize);
  return {
    kind: 'elf',
    entry,
    start: Math.min(...file.segments.map(({ physical }) => physical)),
    end: Math.max(...file.segments.map(({ physical, memorySize }) => physical + memorySize)),
  };
}
