import { joinAddress, type AddressSpace, type PhysicalAddress } from '@vmloom/memory';

/**
 * The physical address that (low, high) name when `size` bytes of RAM are there (writable ones, for a
 * store), in one region; undefined otherwise. Arguments are unsigned and may be anything (SBI 3.2).
 */
export function guestRange(
  space: AddressSpace,
  low: bigint,
  high: bigint,
  size: bigint,
  forStore: boolean,
): PhysicalAddress | undefined {
  // On RV64 the low word holds the whole address; a high part would lie beyond any physical address.
  if (high !== 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const address = joinAddress(Number(low & 0xffff_ffffn), Number(low >> 32n));
  if (size > BigInt(space.contiguous(address))) return undefined;
  return space.resolve(address, Math.max(1, Number(size)), forStore) < 0 ? undefined : address;
}
