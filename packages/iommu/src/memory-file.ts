import { physical, UNMAPPABLE, type AddressSpace, type HostOffset } from '@vmloom/memory';

/** A place in a memory-resident interrupt file that a write was translated to (Advanced Interrupt Architecture, 9.5). */
export interface MemoryFile {
  readonly address: number;
  /** Where in the page of the virtual interrupt file the write goes. */
  readonly offset: number;
  readonly notice: number;
  readonly noticeId: number;
}

const IDENTITIES = 2048;

/**
 * Stores a message: sets the pending bit of its identity, then writes the notice. Data that is no identity and other
 * registers of the page are discarded. Answers what memory refused.
 */
export function storeMessage(
  space: AddressSpace,
  file: MemoryFile,
  value: number,
): 'done' | 'file' | 'notice' {
  if (file.offset !== 0 || value >= IDENTITIES) return 'done';
  const at =
    file.address === UNMAPPABLE
      ? UNMAPPABLE
      : physical(file.address + (value >>> 6) * 16 + ((value & 32) >>> 3));
  const offset = space.resolve(at, 4, true);
  if (offset < 0) return 'file';
  const { memory } = space;
  memory.writeU32(offset as HostOffset, (memory.view.getUint32(offset, true) | (1 << (value & 31))) >>> 0);
  const notice = physical(file.notice);
  return notice !== UNMAPPABLE && space.store(notice, 4, file.noticeId) ? 'done' : 'notice';
}
