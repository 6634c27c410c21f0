/**
 * Error-free transformations: what a native binary64 operation rounded away, as a binary64 number.
 * Each is exact as long as nothing overflows and, for the product, its last bit is at least 2^-1074.
 */

/** `(x + y) - sum`, exactly, for `sum = x + y` (Knuth's TwoSum). */
// @ts-ignore: decorator
@inline
export function sumError(sum: f64, x: f64, y: f64): f64 {
  const yPart = sum - x;
  return x - (sum - yPart) + (y - yPart);
}

/** `x * y - product`, exactly, for `product = x * y` (Veltkamp's split, Dekker's product). */
// @ts-ignore: decorator
@inline
export function productError(product: f64, x: f64, y: f64): f64 {
  const xScaled = x * 134217729.0;
  const xHigh = xScaled - (xScaled - x);
  const xLow = x - xHigh;
  const yScaled = y * 134217729.0;
  const yHigh = yScaled - (yScaled - y);
  const yLow = y - yHigh;
  return xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow);
}

/**
 * `value + error` rounded to odd, where `value` is that sum rounded to nearest. Rounding the result
 * again to a format narrower by at least two bits equals rounding the exact sum once (Boldo and
 * Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
 */
// @ts-ignore: decorator
@inline
export function roundToOdd(value: f64, error: f64): f64 {
  if (error == 0) return value;
  const bits = reinterpret<u64>(value);
  if ((bits & 1) != 0) return value;
  return reinterpret<f64>(error < 0 == value < 0 ? bits + 1 : bits - 1);
}
