import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where everything that is fetched or built stays: outside of any work tree. Made when it is not there. */
export function cacheFolder(...parts: readonly string[]): string {
  const base = process.env['XDG_CACHE_HOME'];
  const home = base === undefined || base === '' ? join(homedir(), '.cache') : base;
  const folder = join(home, 'vmloom', 'guests', ...parts);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Digest in lower-case hexadecimal, as apt's indexes have it. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
