/** What other nodes of the tree refer to. */
export const PHANDLE_WIRED = 1;
export const PHANDLE_TEST = 2;
export const PHANDLE_APLIC_MACHINE = 0x800;
export const PHANDLE_IMSICS_MACHINE = 0x801;
export const PHANDLE_IMSICS_SUPERVISOR = 0x802;
export const PHANDLE_IOMMU = 0x803;
export const phandleCpu = (hart: number): number => 3 + 2 * hart;
export const phandleIntc = (hart: number): number => 4 + 2 * hart;

export const reg = ({ base, size }: { base: number; size: number }): bigint[] => [BigInt(base), BigInt(size)];

/** Wires to interrupt inputs of all harts, as the bits of mip count them. */
export const toHarts = (ids: readonly number[], ...bits: number[]): number[] =>
  ids.flatMap((hart) => bits.flatMap((bit) => [phandleIntc(hart), bit]));
