/** The operand fields of a 32-bit instruction: how each letter of the table is read, written and encoded. */

/** Integer register names of the calling convention, by number. */
export const X_NAMES: readonly string[] =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(
    ' ',
  );
/** Floating-point register names, by number. */
export const F_NAMES: readonly string[] = (
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 ' +
  'fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'
).split(' ');
/** Rounding modes, by number; 5 and 6 are reserved. */
export const ROUNDING_MODES: readonly string[] = ['rne', 'rtz', 'rdn', 'rup', 'rmm', 'rm5', 'rm6', 'dyn'];

export const rdOf = (word: number): number => (word >>> 7) & 31;
export const rs1Of = (word: number): number => (word >>> 15) & 31;
export const rs2Of = (word: number): number => (word >>> 20) & 31;
export const rs3Of = (word: number): number => word >>> 27;
export const immediateI = (word: number): number => word >> 20;
export const immediateS = (word: number): number => ((word >> 25) << 5) | rdOf(word);
export const immediateB = (word: number): number =>
  ((word >> 31) << 12) |
  (((word >>> 7) & 1) << 11) |
  (((word >>> 25) & 63) << 5) |
  (((word >>> 8) & 15) << 1);
export const immediateU = (word: number): number => word >>> 12;
export const immediateJ = (word: number): number =>
  ((word >> 31) << 20) | (word & 0xff000) | (((word >>> 20) & 1) << 11) | (((word >>> 21) & 0x3ff) << 1);

/** Places a value in the field of a letter; the inverse of reading it. */
export const FIELD_ENCODERS: Readonly<Record<string, (value: number) => number>> = {
  d: (value) => value << 7,
  D: (value) => value << 7,
  s: (value) => value << 15,
  S: (value) => value << 15,
  z: (value) => value << 15,
  t: (value) => value << 20,
  T: (value) => value << 20,
  R: (value) => value << 27,
  i: (value) => (value & 0xfff) << 20,
  c: (value) => (value & 0xfff) << 20,
  h: (value) => value << 20,
  b: (value) => ((value & 31) << 7) | (((value >> 5) & 0x7f) << 25),
  p: (value) =>
    (((value >> 11) & 1) << 7) |
    (((value >> 1) & 15) << 8) |
    (((value >> 5) & 63) << 25) |
    (((value >> 12) & 1) << 31),
  u: (value) => (value & 0xfffff) << 12,
  j: (value) =>
    (value & 0xff000) |
    (((value >> 11) & 1) << 20) |
    (((value >> 1) & 0x3ff) << 21) |
    (((value >> 20) & 1) << 31),
  m: (value) => value << 12,
  q: (value) => value << 25,
  f: (value) => value << 20,
};
