import { physical, type AddressSpace } from '@vmloom/memory';
import { MachineError } from '../error.js';

/** The RAM that images are loaded into. Addresses are physical, sizes in bytes. */
export interface RamWindow {
  readonly base: number;
  readonly size: number;
}

/** A range of addresses that is in use; `end` is the address behind its last byte. */
export interface Placement {
  readonly start: number;
  readonly end: number;
}

/** What a kernel or firmware loader answers. */
export interface LoadedImage extends Placement {
  readonly kind: 'elf' | 'image' | 'raw';
  /** Where the first instruction is. */
  readonly entry: number;
}

export const hex = (address: number | bigint): string => `0x${address.toString(16)}`;

/** Refuses a range that does not lie in RAM. @throws MachineError does-not-fit */
export function expectInRam(what: string, { start, end }: Placement, ram: RamWindow): void {
  if (start >= ram.base && end <= ram.base + ram.size && end >= start) return;
  throw new MachineError(
    'does-not-fit',
    `${what} needs the addresses ${hex(start)} to ${hex(end)}, but RAM is ${hex(ram.base)} to ` +
      `${hex(ram.base + ram.size)}; give the machine more memory or link the image elsewhere`,
  );
}

/** Refuses two ranges that share an address. @throws MachineError does-not-fit */
export function expectApart(a: Placement & { what: string }, b: Placement & { what: string }): void {
  if (a.start >= b.end || b.start >= a.end) return;
  throw new MachineError(
    'does-not-fit',
    `${a.what} (${hex(a.start)} to ${hex(a.end)}) and ${b.what} (${hex(b.start)} to ${hex(b.end)}) overlap; ` +
      'give the machine more memory',
  );
}

/** Writes an image's bytes, then zeros up to `size`. The range must be in RAM. */
export function put(space: AddressSpace, address: number, bytes: Uint8Array, size = bytes.length): void {
  space.writeBytes(physical(address), bytes);
  const ZEROS = 0x1_0000;
  for (let at = bytes.length; at < size; at += ZEROS) {
    space.writeBytes(physical(address + at), new Uint8Array(Math.min(ZEROS, size - at)));
  }
}
