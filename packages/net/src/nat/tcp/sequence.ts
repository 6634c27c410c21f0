/** A sequence number, 0 to 2^32 - 1, compared modulo 2^32 (RFC 9293 3.4). */
export type Sequence = number;

/** How far `a` is ahead of `b`, -2^31 to 2^31 - 1. */
export const distance = (a: Sequence, b: Sequence): number => (a - b) | 0;

export const advance = (sequence: Sequence, by: number): Sequence => (sequence + by) >>> 0;
