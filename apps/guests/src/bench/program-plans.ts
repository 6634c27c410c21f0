import type { CpioEntry } from '../cpio.js';

/** Work inside Debian that is timed from outside, by the lines around it. */
export interface ProgramPlan {
  readonly name: string;
  /** Of the shell; its output counts as the result. */
  readonly command: string;
}

/** Where the static program of `@vmloom/guest` lies. */
export const LINUXBENCH_PATH = 'usr/bin/linuxbench';
const TEXT_PATH = 'text';
const TEXT_SIZE = 4 * 2 ** 20;

/** `/init` that says so and ends the machine. */
export const BOOT_INIT = `#!/usr/bin/busybox sh
echo "@@ init"
exec /usr/bin/busybox poweroff -f
`;

const repeated = (word: string, times: number): string => Array<string>(times).fill(word).join(' ');

/** About a second of QEMU each. */
export const PROGRAM_PLANS: readonly ProgramPlan[] = [
  { name: 'sha256', command: `sha256sum ${repeated(`/${TEXT_PATH}`, 6)}` },
  { name: 'gzip', command: `gzip -c /${TEXT_PATH}` },
  {
    name: 'awk',
    command: `awk 'BEGIN { for (i = 0; i < 60000; i++) { s = s * 3 % 65521 + i; a[s % 999] = a[s % 999] + i % 7 }; print s, a[7] }'`,
  },
  { name: 'fork-exec', command: 'i=0; while [ $i -lt 200 ]; do /usr/bin/busybox true; i=$((i + 1)); done' },
  { name: 'syscalls', command: 'linuxbench syscalls 800000' },
  { name: 'page-faults', command: 'linuxbench faults 100' },
];

/** `/init` that runs the plans, each between lines `@@ start NAME` and `@@ stop NAME STATUS`, with `@@ sum NAME` behind. */
export function programsInit(plans: readonly ProgramPlan[]): string {
  const runs = plans.map(
    ({ name, command }) => `echo "@@ start ${name}"
{ ${command}; } > /run/out
echo "@@ stop ${name} $?"
echo "@@ sum ${name} $(sha256sum < /run/out)"
`,
  );
  return `#!/usr/bin/busybox sh
export PATH=/usr/bin:/applets
/usr/bin/busybox --install -s /applets
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
# A line of the kernel in the middle of one of ours would hide it.
echo 1 > /proc/sys/kernel/printk
${runs.join('')}poweroff -f
`;
}

/** What the plans read: a text that is the same every time, and the program. */
export function programFiles(linuxbench: Uint8Array): CpioEntry[] {
  return [
    { kind: 'file', path: TEXT_PATH, bytes: plainText(TEXT_SIZE) },
    { kind: 'file', path: LINUXBENCH_PATH, bytes: linuxbench, mode: 0o755 },
  ];
}

/** Lines of words and numbers, about as compressible as a log. */
export function plainText(size: number): Uint8Array {
  const words =
    'the of hart page fault and to store in load is a that for it trap branch with as memory on be by'.split(
      ' ',
    );
  const bytes = new Uint8Array(size);
  let random = 1;
  let at = 0;
  while (at < size) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    const index = random >>> 24;
    const word = index < 16 ? String(random & 0xffff) : words[index % words.length];
    const line = `${word}${(random & 0xf00) === 0 ? '\n' : ' '}`;
    for (let i = 0; i < line.length && at < size; i++) bytes[at++] = line.charCodeAt(i);
  }
  return bytes;
}

/** One program's run, as the console told it. */
export interface ProgramRun {
  readonly seconds: number;
  readonly status: number;
  /** Of its output. */
  readonly sum: string;
}

/** Lines of the console with the second at which each came, into runs by name. A run without an end is left out. */
export function programRuns(
  lines: readonly { readonly at: number; readonly text: string }[],
): Map<string, ProgramRun> {
  const runs = new Map<string, ProgramRun>();
  const starts = new Map<string, number>();
  const stops = new Map<string, { seconds: number; status: number }>();
  for (const { at, text } of lines) {
    const [, verb, name, rest] = /^@@ (start|stop|sum) (\S+) ?(.*)$/.exec(text) ?? [];
    if (verb === 'start') starts.set(name, at);
    if (verb === 'stop') stops.set(name, { seconds: at - (starts.get(name) ?? NaN), status: Number(rest) });
    const stop = stops.get(name);
    if (verb === 'sum' && stop !== undefined) runs.set(name, { ...stop, sum: rest });
  }
  return runs;
}
