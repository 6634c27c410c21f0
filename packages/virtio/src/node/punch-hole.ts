import { spawn, spawnSync } from 'node:child_process';

/**
 * Makes a hole in an open file with util-linux's `fallocate`, for Node has no call for it: worth its process for
 * megabytes only. False where there is no such program, or the file system cannot.
 */
export function punchHole(
  fd: number,
  at: number,
  length: number,
  blocking: boolean,
): boolean | Promise<boolean> {
  // The child has the file as its descriptor 3, whatever has become of the name.
  const args = ['--punch-hole', '--offset', String(at), '--length', String(length), '/proc/self/fd/3'];
  const stdio: ('ignore' | number)[] = ['ignore', 'ignore', 'ignore', fd];
  if (blocking) return spawnSync('fallocate', args, { stdio }).status === 0;
  return new Promise((resolve) => {
    const child = spawn('fallocate', args, { stdio });
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });
}
