declare const kind: unique symbol;

/** A number that cannot be passed where a number of another kind is expected. */
type Kind<Name extends string> = number & { readonly [kind]: Name };

/**
 * An address within an {@link AddressSpace}: guest-physical in the space of a VM, host-physical in the
 * space of a host. An integer from 0 to 2^53 - 1 (RISC-V physical addresses have at most 56 bits;
 * nothing is ever mapped at 2^53 or above, so such an address is an access fault before it gets here).
 */
export type PhysicalAddress = Kind<'PhysicalAddress'>;

/** A byte offset into the host's WebAssembly.Memory, 0 to 2^32 - 1. */
export type HostOffset = Kind<'HostOffset'>;

export const physical = (address: number): PhysicalAddress => address as PhysicalAddress;
export const hostOffset = (offset: number): HostOffset => offset as HostOffset;

/** What {@link joinAddress} answers for addresses that no space maps. */
export const UNMAPPABLE = physical(-1);

/** Joins two 32-bit halves; {@link UNMAPPABLE} when the address is 2^53 or more. */
export function joinAddress(low: number, high: number): PhysicalAddress {
  const upper = high >>> 0;
  return upper >= 0x20_0000 ? UNMAPPABLE : physical(upper * 0x1_0000_0000 + (low >>> 0));
}
export const lowHalf = (address: number): number => address >>> 0;
export const highHalf = (address: number): number => Math.floor(address / 0x1_0000_0000) >>> 0;
