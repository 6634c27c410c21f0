import { DeviceError, type SnapshotValue } from '@vmloom/device';
import { PAGE_SIZE, type HostMemory, type HostOffset } from '@vmloom/memory';

/** The RAM of a machine as runs of pages that are not all zero: `at` is the first page's number in RAM. */
export type RamImage = readonly { readonly at: number; readonly bytes: Uint8Array }[];

/** Where a machine's RAM lies in its host's memory. */
export interface RamPlace {
  readonly offset: number;
  /** Bytes, a multiple of 4 KiB. */
  readonly size: number;
}

/** All RAM of a memory. */
const whole = (memory: HostMemory): RamPlace => ({ offset: memory.ramOffset, size: memory.ramSize });

/** A copy of all RAM, or of a machine's part of it. */
export function saveRam(memory: HostMemory, place: RamPlace = whole(memory)): RamImage {
  const runs: { at: number; bytes: Uint8Array }[] = [];
  const words = new BigUint64Array(memory.bytes.buffer, place.offset, place.size / 8);
  const pages = place.size / PAGE_SIZE;
  for (let page = 0; page < pages; page++) {
    const first = page;
    while (page < pages && !isZero(words, page)) page++;
    if (page === first) continue;
    const start = place.offset + first * PAGE_SIZE;
    runs.push({ at: first, bytes: memory.bytes.slice(start, start + (page - first) * PAGE_SIZE) });
  }
  return runs;
}

/** Makes RAM what the image says. @throws DeviceError bad-snapshot when a run lies outside RAM */
export function restoreRam(memory: HostMemory, image: SnapshotValue, place: RamPlace = whole(memory)): void {
  const runs = image as unknown as RamImage;
  for (const { at, bytes } of runs) {
    if (at < 0 || at * PAGE_SIZE + bytes.length > place.size) {
      throw new DeviceError('bad-snapshot', 'the snapshot is of a machine with more RAM');
    }
  }
  memory.fill(place.offset as HostOffset, place.size, 0);
  for (const { at, bytes } of runs) memory.write((place.offset + at * PAGE_SIZE) as HostOffset, bytes);
}

const WORDS = PAGE_SIZE / 8;

function isZero(words: BigUint64Array, page: number): boolean {
  for (let at = page * WORDS; at < (page + 1) * WORDS; at++) if (words[at] !== 0n) return false;
  return true;
}
