/** Bus addresses from `start` up to, not including, `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What both lists cover; the pieces keep the order of `ranges`. */
export function intersect(ranges: readonly Range[], others: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges) {
    for (const other of others) {
      const start = Math.max(range.start, other.start);
      const end = Math.min(range.end, other.end);
      if (start < end) result.push({ start, end });
    }
  }
  return result;
}

/** `ranges` without what `taken` covers. */
export function subtract(ranges: readonly Range[], taken: readonly Range[]): Range[] {
  let left = [...ranges];
  for (const hole of taken) {
    if (!left.some((range) => range.start < hole.end && hole.start < range.end)) continue;
    left = left.flatMap((range) => {
      if (hole.end <= range.start || hole.start >= range.end) return [range];
      const pieces: Range[] = [];
      if (range.start < hole.start) pieces.push({ start: range.start, end: hole.start });
      if (hole.end < range.end) pieces.push({ start: hole.end, end: range.end });
      return pieces;
    });
  }
  return left;
}
