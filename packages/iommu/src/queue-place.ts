import { joinAddress, physical, UNMAPPABLE, type AddressSpace, type PhysicalAddress } from '@vmloom/memory';
import type { RegisterFile } from './register-file.js';

/** Entries of the queue whose base register (cqb, fqb, pqb) is at `offset`: 2 to 2^32 (6.6). */
export function queueEntries(registers: RegisterFile, offset: number): number {
  return 2 ** ((registers.get(offset) & 31) + 1);
}

/** The index after `index`, which wraps at the end of the queue. */
export function nextIndex(registers: RegisterFile, offset: number, index: number): number {
  const next = index + 1;
  return next === queueEntries(registers, offset) ? 0 : next;
}

/** Bits of an index that the queue has. */
export function maskIndex(registers: RegisterFile, offset: number, index: number): number {
  return index % queueEntries(registers, offset);
}

/** The address of an entry; UNMAPPABLE above 2^53. */
export function entryAddress(
  registers: RegisterFile,
  offset: number,
  index: number,
  bytes: number,
): PhysicalAddress {
  // PPN is in bits 53:10, so that the base is the register's value times 4 without its low bits.
  const low = registers.get(offset) & ~0x3ff;
  const high = registers.get(offset + 4) & 0x3f_ffff;
  const base = joinAddress((low << 2) >>> 0, (high << 2) | (low >>> 30));
  return base === UNMAPPABLE ? base : physical(base + index * bytes);
}

/** Stores doublewords, given as pairs of words, low first; false is an access fault, and nothing was stored. */
export function storeWords(
  space: AddressSpace,
  address: PhysicalAddress,
  words: readonly number[],
  bigEndian: boolean,
): boolean {
  const offset = address === UNMAPPABLE ? -1 : space.resolve(address, words.length * 4, true);
  if (offset < 0) return false;
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < words.length; index += 2) {
    const [first, second] = bigEndian ? [index + 1, index] : [index, index + 1];
    view.setUint32(index * 4, words[first], !bigEndian);
    view.setUint32(index * 4 + 4, words[second], !bigEndian);
  }
  space.writeBytes(address, bytes);
  return true;
}
