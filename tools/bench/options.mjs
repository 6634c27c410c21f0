/** What a number is for, and the least that makes sense. */
const NUMBERS = {
  runs: { otherwise: 3, least: 1 },
  /** Steady state, in short runs. */
  long: { otherwise: 10, least: 1 },
  /** Of each measurement of memory. */
  seconds: { otherwise: 120, least: 8 },
};
const TEXTS = ['only', 'html', 'clock', 'accel'];
const CLOCKS = ['wall', 'processor'];

export class UsageError extends Error {}

/**
 * Names of benchmarks and options behind them.
 * @throws UsageError with a sentence
 */
export function parseOptions(words, known) {
  const names = [];
  const options = {
    ...Object.fromEntries(Object.entries(NUMBERS).map(([key, { otherwise }]) => [key, otherwise])),
    only: undefined,
    html: undefined,
    clock: CLOCKS[0],
    accel: undefined,
  };
  for (let at = 0; at < words.length; at++) {
    const key = words[at].replace(/^--/, '');
    if (key === words[at]) {
      if (!known.includes(key)) throw new UsageError(`there is no ${key}; there are ${known.join(', ')}`);
      names.push(key);
      continue;
    }
    if (!TEXTS.includes(key) && !Object.hasOwn(NUMBERS, key))
      throw new UsageError(`there is no option --${key}`);
    const value = words[++at];
    if (value === undefined) throw new UsageError(`--${key} needs a value`);
    if (key === 'clock' && !CLOCKS.includes(value)) throw new UsageError(`--clock is ${CLOCKS.join(' or ')}`);
    options[key] = TEXTS.includes(key) ? value : number(key, value);
  }
  return {
    names: names.length === 0 ? [...known] : names,
    options: { ...options, only: options.only?.split(',') },
  };
}

function number(key, text) {
  const value = Number(text);
  const { least } = NUMBERS[key];
  if (Number.isFinite(value) && value >= least) return value;
  throw new UsageError(`--${key} is a number from ${least} on, not ${text}`);
}

/** Those that `--only` names, all without it. @throws UsageError when it names none of them */
export function chosen(all, only) {
  if (only === undefined) return all;
  const found = all.filter(({ name }) => only.includes(name));
  if (found.length > 0) return found;
  throw new UsageError(`--only knows ${all.map(({ name }) => name).join(', ')}, not ${only.join(', ')}`);
}
