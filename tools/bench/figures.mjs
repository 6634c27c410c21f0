/** The middle of an odd number of values, the upper middle of an even one. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** The mean of ratios, in which none counts more than `most`. */
export function geometricMean(ratios, most = Infinity) {
  const logarithms = ratios.map((ratio) => Math.log(Math.min(ratio, most)));
  return Math.exp(logarithms.reduce((sum, one) => sum + one, 0) / ratios.length);
}

/** Peer time by our time, pair by pair: above 1 we are faster. The median, and the least and most. */
export function ratioOf(theirs, ours) {
  const ratios = theirs.map((seconds, run) => seconds / ours[run]);
  return { ratio: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/**
 * How much a series of samples grows: the mean of its last quarter by that of its second. The first quarter is left
 * out, in which everything grows.
 */
export function growth(samples) {
  const quarter = Math.floor(samples.length / 4);
  const mean = (from) => samples.slice(from, from + quarter).reduce((sum, one) => sum + one, 0) / quarter;
  if (quarter === 0) throw new Error('four samples are the least that can be told to grow');
  return mean(samples.length - quarter) / mean(quarter);
}

/** `key=value` words of a line, numbers as such. A checksum stays a text. */
export function wordsOf(line) {
  const words = [...line.matchAll(/([\w.]+)=(\S+)/g)];
  return Object.fromEntries(
    words.map(([, key, value]) => [key, key !== 'checksum' && /^\d+$/.test(value) ? Number(value) : value]),
  );
}
