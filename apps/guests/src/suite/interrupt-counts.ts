/** A line of /proc/interrupts: how often each CPU took it. */
export interface InterruptLine {
  readonly number: string;
  readonly counts: readonly number[];
  /** Chip, trigger and action. */
  readonly text: string;
}

/** Lines as /proc/interrupts has them, for so many CPUs; what is no such line is left out. */
export function interruptLines(text: string, cpus: number): InterruptLine[] {
  return text.split('\n').flatMap((line) => {
    const parts = /^\s*(\w+):((?:\s+\d+)+)\s+(\S.*)$/.exec(line);
    if (parts === null) return [];
    const counts = parts[2].trim().split(/\s+/).map(Number);
    return counts.length === cpus ? [{ number: parts[1], counts, text: parts[3] }] : [];
  });
}

/** How much each CPU took between two looks, over all lines whose text has `action` in it. */
export function taken(before: string, after: string, cpus: number, action: string): number[] {
  const sums = (text: string): number[] =>
    interruptLines(text, cpus)
      .filter((line) => line.text.includes(action))
      .reduce((sum, { counts }) => sum.map((count, cpu) => count + counts[cpu]), Array<number>(cpus).fill(0));
  const first = sums(before);
  return sums(after).map((count, cpu) => count - first[cpu]);
}

/** Of the same lines, what a single one at most took on other CPUs than `cpu`. */
export function elsewhere(before: string, after: string, cpus: number, action: string, cpu: number): number {
  const first = new Map(interruptLines(before, cpus).map((line) => [line.number, line.counts]));
  const others = interruptLines(after, cpus)
    .filter((line) => line.text.includes(action))
    .map(({ number, counts }) =>
      counts.reduce(
        (sum, count, other) => (other === cpu ? sum : sum + count - (first.get(number)?.[other] ?? 0)),
        0,
      ),
    );
  return Math.max(0, ...others);
}
