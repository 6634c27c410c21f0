/** Operands that reach the corners of floating-point arithmetic: every class, and seeded random ones. */
import type { Random } from './random.js';
import type { Format } from './float-reference.js';

/** A random integer of `count` bits, at most 64. */
export function randomInteger(random: Random, count: number): bigint {
  return BigInt.asUintN(count, random.u64());
}

function layout(format: Format) {
  const fraction = BigInt(format.precision - 1);
  const sign = 1n << BigInt(format.width - 1);
  return { fraction, sign, infinity: sign - (1n << fraction), bias: BigInt(format.emax) };
}

/** The encoding of `2^exponent`, a normal number. */
export function power(format: Format, exponent: number): bigint {
  const { fraction, bias } = layout(format);
  return (bias + BigInt(exponent)) << fraction;
}

/** Zeros, subnormal, normal and integral border numbers, infinities and NaNs, of both signs. */
export function everyClass(format: Format): bigint[] {
  const { fraction, sign, infinity } = layout(format);
  const one = power(format, 0);
  const least = 1n << fraction;
  const positive = [
    0n,
    1n,
    2n,
    3n,
    least >> 1n,
    least - 1n,
    least,
    least + 1n,
    2n * least,
    one - 1n,
    one,
    one + 1n,
    power(format, -1),
    power(format, -1) - 1n,
    power(format, -1) + 1n,
    one + (least >> 1n), // 1.5
    power(format, 1) + (least >> 2n), // 2.5
    power(format, 1) + (least >> 1n), // 3
    ...[format.precision - 1, format.precision, 31, 32, 63, 64].flatMap((exponent) => [
      power(format, exponent) - 1n,
      power(format, exponent),
      power(format, exponent) + 1n,
    ]),
    power(format, -format.precision),
    power(format, -format.precision + 1),
    power(format, format.emax),
    infinity - 2n,
    infinity - 1n,
    infinity,
    infinity + 1n,
    infinity + (least >> 1n) - 1n,
    infinity | (least >> 1n),
    sign - 1n,
  ];
  return positive.flatMap((bits) => [bits, bits | sign]);
}

/** Fewer of them, for operations of three operands. */
export function fewOfEveryClass(format: Format): bigint[] {
  const { fraction, sign, infinity } = layout(format);
  const least = 1n << fraction;
  const positive = [
    0n,
    1n,
    least - 1n,
    least,
    power(format, 0),
    power(format, 0) + 1n,
    power(format, -1) - 1n,
    power(format, -format.precision),
    infinity - 1n,
    infinity,
    infinity + 1n,
    infinity | (least >> 1n),
  ];
  return positive.flatMap((bits) => [bits, bits | sign]);
}

/** A significand field of one of several shapes: dense, few bits at either end, a run of ones. */
function randomFraction(format: Format, random: Random): bigint {
  const { fraction } = layout(format);
  const width = Number(fraction);
  const all = (1n << fraction) - 1n;
  switch (random.below(6)) {
    case 0:
      return randomInteger(random, width) & (all << BigInt(random.below(width)));
    case 1:
      return randomInteger(random, width) >> BigInt(random.below(width));
    case 2:
      return (all << BigInt(random.below(width))) & all;
    case 3:
      return all >> BigInt(random.below(width));
    case 4:
      return (1n << BigInt(random.below(width))) ^ (1n << BigInt(random.below(width)));
    default:
      return randomInteger(random, width);
  }
}

/** A finite number whose exponent field lies in `[low, high]`, of random sign. */
export function randomNumber(format: Format, random: Random, low: number, high: number): bigint {
  const { fraction, sign } = layout(format);
  const field = BigInt(low + random.below(high - low + 1));
  const bits = (field << fraction) | randomFraction(format, random);
  return random.below(2) === 0 ? bits : bits | sign;
}

/** Any encoding at all, NaNs and infinities included. */
export function randomBits(format: Format, random: Random): bigint {
  return randomInteger(random, format.width);
}

const clamp = (value: number, most: number): number => Math.max(0, Math.min(most, value));

/**
 * Two operands: any; of nearby exponents; with a product or quotient at the underflow or overflow border;
 * with a sum at the latter; or nearly cancelling.
 */
export function randomPair(format: Format, random: Random): [bigint, bigint] {
  const most = 2 * format.emax;
  const bias = format.emax;
  const { sign } = layout(format);
  const first = random.below(most + 1);
  const near = (centre: number, spread: number): bigint => {
    const low = clamp(centre - spread, most);
    return randomNumber(format, random, low, Math.max(low, clamp(centre + spread, most)));
  };
  const a = near(first, 0);
  switch (random.below(9)) {
    case 0:
      return [randomBits(format, random), randomBits(format, random)];
    case 1:
      return [a, near(first, format.precision + 3)];
    case 2: // product near the least normal number, or far into the subnormal ones
      return [a, near(bias + 1 - first - random.below(2) * random.below(format.precision), 2)];
    case 3: // quotient there
      return [a, near(first + bias - 1, 2)];
    case 4: // product near the largest number
      return [a, near(bias + most - first, 2)];
    case 5: // quotient there
      return [a, near(first - bias, 2)];
    case 6: // sum there
      return [near(most, 1), near(most - random.below(format.precision + 3), 1)];
    case 7: {
      const b = a ^ BigInt(random.below(16));
      return [a, random.below(4) === 0 ? b : b ^ sign];
    }
    default:
      return [near(bias, 3), near(bias, 3)];
  }
}

/**
 * Three operands for `a * b + c`: pairs with an addend that is any, near the product, or the negative of
 * the rounded product within a few units of its last place.
 */
export function randomTriple(
  format: Format,
  random: Random,
  roundedProduct: (a: bigint, b: bigint) => bigint,
): [bigint, bigint, bigint] {
  const { sign, fraction, infinity } = layout(format);
  const [a, b] = randomPair(format, random);
  const product = roundedProduct(a, b);
  const magnitude = product & (sign - 1n);
  if (magnitude >= infinity || random.below(6) === 0) return [a, b, randomBits(format, random)];
  if (random.below(2) === 0) {
    const moved = magnitude + BigInt(random.below(5)) - 2n;
    const addend = moved < 0n ? 0n : moved;
    return [a, b, (product & sign) === 0n ? addend | sign : addend];
  }
  const field = Number(magnitude >> fraction);
  const distance = random.below(2 * format.precision + 6) - format.precision - 3;
  const spread = clamp(field + (random.below(3) === 0 ? 2 * distance : distance), 2 * format.emax);
  return [a, b, randomNumber(format, random, spread, spread)];
}
