import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { GuestsError } from '../error.js';

/** Output of one program is at most this; the largest is a kernel module, decompressed. */
const MAX_OUTPUT = 256 * 2 ** 20;

export interface RunOptions {
  readonly input?: Uint8Array;
  readonly cwd?: string;
  /** Milliseconds; two minutes unless told. */
  readonly timeout?: number;
}

/** True when a program of that name is on the path. */
export function hasTool(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a program to its end; what it wrote. @throws GuestsError tool-failed with its complaint, hosts left out */
export function runTool(name: string, args: readonly string[], options: RunOptions = {}): Uint8Array {
  const { status, signal, error, stdout, stderr } = spawnSync(name, args, {
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    maxBuffer: MAX_OUTPUT,
    timeout: options.timeout ?? 120_000,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (error !== undefined || status !== 0) {
    const why = error?.message ?? (signal === null ? `exit code ${status}` : `it was ended by ${signal}`);
    const complaint = withoutHosts(stderr?.toString() ?? '')
      .trim()
      .split('\n')
      .slice(-5)
      .join('\n');
    throw new GuestsError(
      'tool-failed',
      `${name} failed (${why})${complaint === '' ? '' : `:\n${complaint}`}`,
    );
  }
  return stdout;
}

/** Text with the hosts of its URIs left out, so that no message names a mirror. */
export function withoutHosts(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s'"]+/gi, '$1mirror')
    .replace(/'[^'\s]+\.[^'\s]+'/g, "'mirror'")
    .replace(/\b(connect to|resolving|resolve) \S+/gi, '$1 the mirror');
}
