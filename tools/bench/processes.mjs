import { spawnSync } from 'node:child_process';

export const VMLOOM = [process.execPath, 'apps/vmloom/dist/bin.js', 'run'];
export const QEMU = ['qemu-system-riscv64'];

/** The first line of QEMU's version; undefined where it is not installed. */
export function qemuVersion() {
  const { status, stdout } = spawnSync(QEMU[0], ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}

/** Runs a machine to its end; its console. */
export function consoleOf(program, args) {
  const [command, ...before] = program;
  const { status, stdout, stderr } = spawnSync(command, [...before, ...args], {
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return stdout;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
