import type { SbiHart } from './sbi-hart.js';

const ALL = 0xffff_ffff_ffff_ffffn;

/**
 * The harts that (hart_mask, hart_mask_base) name (SBI 3.1): every one when the base is -1; undefined when
 * the mask names a hart that is not there.
 */
export function hartsOfMask(harts: readonly SbiHart[], mask: bigint, base: bigint): SbiHart[] | undefined {
  if (base === ALL) return [...harts];
  if (base >= BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const named: SbiHart[] = [];
  const first = Number(base);
  for (let bit = 0; bit < 64; bit++) {
    if (((mask >> BigInt(bit)) & 1n) === 0n) continue;
    const hart = harts.find(({ id }) => id === first + bit);
    if (hart === undefined) return undefined;
    named.push(hart);
  }
  return named;
}
