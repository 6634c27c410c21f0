import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SHELL_PLAN } from '../boot/init-script.js';
import { debian, withPlan } from '../boot/initramfs.js';
import { GuestsError } from '../error.js';
import { KERNELS, type KernelSeries } from '../kernel.js';

/** The command line of `vmloom run`, built beside this one. */
const VMLOOM = fileURLToPath(new URL('../../../vmloom/dist/bin.js', import.meta.url));
const DEFAULTS = ['-m', '256', '-nic', 'user,model=e1000'];

const NEWEST: KernelSeries = '7.2';

/**
 * `debian [6.12|7.2] [--update] [options of vmloom run]`: that kernel (the newest unless told) to a shell with
 * networking; the exit status of the machine. @throws GuestsError
 */
export async function startDebian(argv: readonly string[]): Promise<number> {
  const words = [...argv];
  const series = isSeries(words[0]) ? (words.shift() as KernelSeries) : NEWEST;
  if (words[0] !== undefined && /^\d/.test(words[0])) {
    const known = Object.keys(KERNELS).join(', ');
    throw new GuestsError('bad-option', `there is no kernel ${words[0]} here; there are ${known}`);
  }
  const update = words.includes('--update');
  const options = words.filter((word) => word !== '--update');
  const { kernel, root } = debian(series, { update });
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  try {
    const kernelFile = join(folder, 'kernel');
    const initrdFile = join(folder, 'initrd');
    writeFileSync(kernelFile, kernel);
    writeFileSync(initrdFile, withPlan(root, SHELL_PLAN));
    const command = ['run', ...defaults(options), '-kernel', kernelFile, '-initrd', initrdFile];
    return await passOn([VMLOOM, ...command, '-append', 'earlycon=sbi console=ttyS0', ...options]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a person did not say: memory, and a network card when no option names a network. */
export function defaults(options: readonly string[]): string[] {
  const memory = options.includes('-m') ? [] : DEFAULTS.slice(0, 2);
  const network = options.some((word) => /^-(?:nic|net|netdev|device)$/.test(word)) ? [] : DEFAULTS.slice(2);
  return [...memory, ...network];
}

function isSeries(word: string | undefined): word is KernelSeries {
  return word !== undefined && Object.hasOwn(KERNELS, word);
}

/** Runs node with these arguments at this process's terminal, and passes on what it is told; the exit status. */
export function passOn(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    // The terminal sends its signals to both; the machine decides what they mean.
    const wait = (): void => undefined;
    process.on('SIGINT', wait);
    // Whoever ends this process ends the machine, and the folder goes too.
    const ends = (['SIGTERM', 'SIGHUP'] as const).map((signal) => {
      const end = (): void => void child.kill(signal);
      process.on(signal, end);
      return () => process.off(signal, end);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('SIGINT', wait);
      for (const off of ends) off();
      resolve(code ?? 1);
    });
  });
}
