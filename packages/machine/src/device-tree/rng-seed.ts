/**
 * 32 bytes of `/chosen/rng-seed` from a number: a run repeats when its seed does. (splitmix64, which is
 * no secret: the guest's randomness is for repeatable runs, not for keys.)
 */
export function rngSeed(seed: number | bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  let state = BigInt.asUintN(64, BigInt(seed));
  for (let at = 0; at < bytes.length; at += 8) {
    state = BigInt.asUintN(64, state + 0x9e37_79b9_7f4a_7c15n);
    let mixed = state;
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d0_49bb_1331_11ebn);
    view.setBigUint64(at, mixed ^ (mixed >> 31n));
  }
  return bytes;
}
