import { SECTOR } from './block-store.js';
import * as R from './registers.js';

/** What configuration space says of a disk (5.2.4). */
export interface BlkTopology {
  /** Bytes of a logical block: a power of two from 512 on. 512 unless told. */
  readonly logicalBlockSize?: number;
  /** Bytes of a physical block: a power of two. That of a logical block unless told. */
  readonly physicalBlockSize?: number;
  /** Logical blocks before the first one that begins a physical block. 0 unless told. */
  readonly alignmentOffset?: number;
  /** Bytes of the smallest request that is fast; 0, no hint, unless told. */
  readonly minIoSize?: number;
  /** Bytes of the best request; 0, no hint, unless told. */
  readonly optIoSize?: number;
}

/** Sectors that one segment of a discard or of write zeroes names at most. */
export const MAX_RANGE_SECTORS = 0x40_0000;
/** Segments of a discard or of write zeroes. */
export const MAX_RANGES = 16;
/** Data descriptors of a request, so that with header and status it is no longer than a queue of 256. */
export const SEG_MAX = 254;

const HEADS = 16;
const TRACK = 63;

/** Configuration space as it is before a driver comes, but for `writeback`. */
export function configSpace(parts: {
  readonly topology: BlkTopology;
  readonly size: number;
  readonly queues: number;
  readonly segMax: number;
  readonly deallocates: boolean;
}): Uint8Array {
  const bytes = new Uint8Array(R.CONFIG_SIZE);
  const view = new DataView(bytes.buffer);
  const { logicalBlockSize = SECTOR, alignmentOffset = 0, minIoSize = 0, optIoSize = 0 } = parts.topology;
  const { physicalBlockSize = logicalBlockSize } = parts.topology;
  setCapacity(bytes, parts.size);
  view.setUint32(R.CONFIG_SEG_MAX, parts.segMax, true);
  view.setUint32(R.CONFIG_BLK_SIZE, logicalBlockSize, true);
  bytes[R.CONFIG_PHYSICAL_BLOCK_EXP] = Math.log2(physicalBlockSize / logicalBlockSize);
  bytes[R.CONFIG_ALIGNMENT_OFFSET] = alignmentOffset;
  view.setUint16(R.CONFIG_MIN_IO_SIZE, minIoSize / logicalBlockSize, true);
  view.setUint32(R.CONFIG_OPT_IO_SIZE, optIoSize / logicalBlockSize, true);
  view.setUint16(R.CONFIG_NUM_QUEUES, parts.queues, true);
  view.setUint32(R.CONFIG_MAX_DISCARD_SECTORS, MAX_RANGE_SECTORS, true);
  view.setUint32(R.CONFIG_MAX_DISCARD_SEG, MAX_RANGES, true);
  view.setUint32(R.CONFIG_DISCARD_SECTOR_ALIGNMENT, logicalBlockSize / SECTOR, true);
  view.setUint32(R.CONFIG_MAX_WRITE_ZEROES_SECTORS, MAX_RANGE_SECTORS, true);
  view.setUint32(R.CONFIG_MAX_WRITE_ZEROES_SEG, MAX_RANGES, true);
  bytes[R.CONFIG_WRITE_ZEROES_MAY_UNMAP] = Number(parts.deallocates);
  return bytes;
}

/** `capacity`, and the geometry that follows from it. */
export function setCapacity(config: Uint8Array, size: number): void {
  const view = new DataView(config.buffer, config.byteOffset, config.length);
  const sectors = Math.floor(size / SECTOR);
  view.setUint32(R.CONFIG_CAPACITY, sectors >>> 0, true);
  view.setUint32(R.CONFIG_CAPACITY + 4, Math.floor(sectors / 0x1_0000_0000), true);
  view.setUint16(R.CONFIG_CYLINDERS, Math.min(0xffff, Math.floor(sectors / (HEADS * TRACK))), true);
  config[R.CONFIG_HEADS] = HEADS;
  config[R.CONFIG_SECTORS] = TRACK;
}
