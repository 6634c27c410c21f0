import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export { median } from './figures.mjs';

export const VMLOOM = [process.execPath, 'apps/vmloom/dist/bin.js', 'run'];
export const QEMU = ['qemu-system-riscv64'];

/** The first line of QEMU's version; undefined where it is not installed. */
export function qemuVersion({ command, environment } = { command: QEMU }) {
  const [program, ...before] = command;
  const env = { ...process.env, ...environment };
  const { status, stdout } = spawnSync(program, [...before, '--version'], { encoding: 'utf8', env });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}

/** Ticks of a second in /proc, which Linux has the same everywhere. */
const TICKS = 100;

/**
 * What a process and its threads have been on a processor; 0 where the system does not tell. proc_pid_stat(5), 14 and 15
 */
export function processorSeconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may have spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return 0;
  }
}

/**
 * Runs a machine to its end.
 * @returns {Promise<{ at: number, text: string }[]>} the lines of its console, each with the seconds from the start of
 *   the process to its arrival: of the wall clock, or those that the process was on a processor, which a busy machine
 *   does not change much
 */
export function timedLines({ command, environment }, args, { patience = 900, clock = 'wall' } = {}) {
  const [program, ...before] = command;
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const env = { ...process.env, ...environment };
    const child = spawn(program, [...before, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    const timer = setTimeout(() => child.kill('SIGKILL'), patience * 1000);
    const lines = [];
    let line = '';
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const at = (performance.now() - began) / 1000;
      const processor = processorSeconds(child.pid);
      const pieces = (line + text).split(/\r*\n/);
      line = pieces.pop();
      for (const piece of pieces) lines.push({ at: clock === 'processor' ? processor : at, text: piece });
    });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      if (status === 0) return resolve(lines);
      const last = lines.slice(-5).map(({ text }) => text);
      reject(new Error(`${program} ended with ${signal ?? status}: ${[...last, errors].join('\n')}`));
    });
  });
}

/** The first line that matches. @throws Error with the end of the console */
export function lineOf(lines, pattern) {
  const found = lines.find(({ text }) => pattern.test(text));
  if (found !== undefined) return found;
  const last = lines.slice(-10).map(({ text }) => text);
  throw new Error(`no ${pattern} on the console, which ends so:\n${last.join('\n')}`);
}

/** Runs vmloom to its end: its lines, and what the run cost. */
export async function timedVmloom(args, options) {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  try {
    const file = join(folder, 'cost.json');
    const lines = await timedLines({ command: VMLOOM }, [...args, '-statistics', file], options);
    return { lines, cost: JSON.parse(readFileSync(file, 'utf8')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
