const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The Internet checksum's running sum (RFC 1071) over `length` bytes at `at`, added to `sum`. Words are
 * summed in the machine's own order (RFC 1071 2 B), so `at` must be even in the buffer behind `words`.
 */
export function sumWords(words: Uint16Array, bytes: Uint8Array, at: number, length: number, sum = 0): number {
  const end = (at + length) >> 1;
  for (let index = at >> 1; index < end; index++) sum += words[index];
  if ((length & 1) !== 0) sum += LITTLE_ENDIAN ? bytes[at + length - 1] : bytes[at + length - 1] << 8;
  return sum;
}

/** A 16-bit value of a packet as {@link sumWords} sees it. */
export function wordOf(value: number): number {
  return LITTLE_ENDIAN ? ((value & 0xff) << 8) | ((value >> 8) & 0xff) : value & 0xffff;
}

/** Folds a sum and complements it: the checksum in the packet's byte order, 0 when a packet that carries it is sound. */
export function finish(sum: number): number {
  // A sum of at most 2^16 words stays below 2^32: two folds of the unsigned value are enough.
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~wordOf(sum) & 0xffff;
}

/** The sum of the pseudo-header of TCP and UDP (RFC 9293 3.1, RFC 768). */
export function pseudoHeader(source: number, destination: number, protocol: number, length: number): number {
  return (
    wordOf(source >>> 16) +
    wordOf(source & 0xffff) +
    wordOf(destination >>> 16) +
    wordOf(destination & 0xffff) +
    wordOf(protocol) +
    wordOf(length)
  );
}

/** The checksum of a few bytes that lie anywhere. */
export function checksumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  if (bytes.length % 2 === 1) sum += bytes.at(-1)! << 8;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
