import type { AddressSpace } from '@vmloom/memory';
import type { HartState } from './hart-state.js';
import { RAM_ENTRIES, RAM_ENTRY_SIZE, S_RAM_COUNT, S_RAM_MAP } from './layout.js';

/**
 * Tells the core where an address space has RAM and ROM. Where there are too many pieces it learns of the
 * largest ones; the rest is reached as MMIO is: loads and stores work, code and atomics fault there.
 */
export function writeRamMap(state: HartState, space: AddressSpace): void {
  const pieces = [...space.regions()].flatMap(({ base, size }) => {
    const kind = space.describe(base)?.kind;
    return kind === 'ram' || kind === 'rom'
      ? [{ base, size, readOnly: kind === 'rom', offset: space.resolve(base, 1) }]
      : [];
  });
  pieces.sort((a, b) => b.size - a.size);
  pieces.length = Math.min(pieces.length, RAM_ENTRIES);
  pieces.forEach(({ base, size, readOnly, offset }, index) => {
    const entry = S_RAM_MAP + index * RAM_ENTRY_SIZE;
    state.setCount(entry, base);
    state.setCount(entry + 8, base + size);
    state.setU32(entry + 16, offset);
    state.setU32(entry + 20, readOnly ? 1 : 0);
  });
  state.setU32(S_RAM_COUNT, pieces.length);
}
