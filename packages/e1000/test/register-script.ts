/** One 32-bit access to the card; a write has a value. */
export interface Access {
  /** The registers of BAR 0, the configuration space, or the guest's memory. */
  readonly space: 'registers' | 'config' | 'memory';
  readonly offset: number;
  readonly value?: number;
}

export const read = (offset: number): Access => ({ space: 'registers', offset });
export const write = (offset: number, value: number): Access => ({ space: 'registers', offset, value });
export const readConfig = (offset: number): Access => ({ space: 'config', offset });
export const writeConfig = (offset: number, value: number): Access => ({ space: 'config', offset, value });

export const store = (offset: number, value: number): Access => ({ space: 'memory', offset, value });

/** Where the guest's memory begins. */
export const RAM = 0x8000_0000;

/** A card that a script of accesses can be run on. */
export interface ScriptedCard {
  /** The values of the reads, in their order. */
  run(script: readonly Access[]): Promise<number[]>;
  close(): Promise<void>;
}

/** What was seen, by `<register>: <aspect>`. */
export type Observations = Map<string, string>;

export const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** Values in hexadecimal, repetitions as a count: `0x5, 0x0 x15`. */
export function listed(values: readonly number[]): string {
  const runs: { text: string; count: number }[] = [];
  for (const text of values.map(hex)) {
    const last = runs.at(-1);
    if (last?.text === text) last.count++;
    else runs.push({ text, count: 1 });
  }
  return runs.map(({ text, count }) => (count === 1 ? text : `${text} x${count}`)).join(', ');
}

/** Equal numbers for equal seeds, below a bound. */
export function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
