import { DeviceError, type SnapshotValue } from '@vmloom/device';
import { PAGE_SIZE, type HostMemory, type HostOffset } from '@vmloom/memory';

/** The RAM of a machine as runs of pages that are not all zero: `at` is the first page's number in RAM. */
export type RamImage = readonly { readonly at: number; readonly bytes: Uint8Array }[];

/** A copy of all RAM. */
export function saveRam(memory: HostMemory): RamImage {
  const runs: { at: number; bytes: Uint8Array }[] = [];
  const words = new BigUint64Array(memory.bytes.buffer, memory.ramOffset, memory.ramSize / 8);
  const pages = memory.ramSize / PAGE_SIZE;
  for (let page = 0; page < pages; page++) {
    const first = page;
    while (page < pages && !isZero(words, page)) page++;
    if (page === first) continue;
    const start = memory.ramOffset + first * PAGE_SIZE;
    runs.push({ at: first, bytes: memory.bytes.slice(start, start + (page - first) * PAGE_SIZE) });
  }
  return runs;
}

/** Makes RAM what the image says. @throws DeviceError bad-snapshot when a run lies outside RAM */
export function restoreRam(memory: HostMemory, image: SnapshotValue): void {
  const runs = image as unknown as RamImage;
  for (const { at, bytes } of runs) {
    if (!memory.holds(memory.ramOffset + at * PAGE_SIZE, bytes.length)) {
      throw new DeviceError('bad-snapshot', 'the snapshot is of a machine with more RAM');
    }
  }
  memory.fill(memory.ramOffset, memory.ramSize, 0);
  for (const { at, bytes } of runs) memory.write((memory.ramOffset + at * PAGE_SIZE) as HostOffset, bytes);
}

const WORDS = PAGE_SIZE / 8;

function isZero(words: BigUint64Array, page: number): boolean {
  for (let at = page * WORDS; at < (page + 1) * WORDS; at++) if (words[at] !== 0n) return false;
  return true;
}
