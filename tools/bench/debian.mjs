import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GuestsError, peerQemu, smallDebian } from '@vmloom/guests';
import { profiledShares } from './profile.mjs';
import { qemuVersion, QEMU, timedLines, timedVmloom } from './processes.mjs';

const MEMORY = '128';

/**
 * The QEMU that Debian is measured beside: 11 of a private root, since 7.2 collapses on system calls and page faults.
 * Where that cannot be made, the machine's own, and its version tells; undefined without either.
 */
export function debianPeer() {
  try {
    const peer = peerQemu();
    const version = qemuVersion(peer);
    if (version !== undefined) return { ...peer, version };
    console.log('QEMU 11 of Debian forky does not start here.');
  } catch (error) {
    if (!(error instanceof GuestsError)) throw error;
    console.log(`QEMU 11 of Debian forky cannot be had. ${error.message}`);
  }
  const version = qemuVersion();
  if (version === undefined) return undefined;
  console.log(
    `In its place ${version} is the yardstick, which is several times slower on system calls and faults.`,
  );
  return { command: QEMU, environment: {}, version };
}

/**
 * Boots a small Debian on vmloom and its peer in turns.
 * @returns the lines of every run with the times of their arrival (`ours`, `theirs`), the `cost` of vmloom's last run, the
 *   `shares` of one more; undefined, with a sentence, on a machine that cannot fetch guests
 */
export async function debianInTurns({ series, init, files, runs, peer, clock }) {
  let debian;
  try {
    debian = smallDebian(series, init, files);
  } catch (error) {
    if (!(error instanceof GuestsError)) throw error;
    console.log(`left out. ${error.message}`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  try {
    const [kernel, initrd] = ['kernel', 'initrd'].map((name) => {
      writeFileSync(join(folder, name), debian[name]);
      return join(folder, name);
    });
    const images = ['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyS0'];
    const args = ['-M', 'virt', '-m', MEMORY, '-nographic', '-no-reboot', ...images];
    const result = { release: debian.release, ours: [], theirs: [], cost: undefined };
    for (let run = 0; run < runs; run++) {
      const { lines, cost } = await timedVmloom(args, { clock });
      result.ours.push(lines);
      result.cost = cost;
      if (peer !== undefined) result.theirs.push(await timedLines(peer, args, { clock }));
    }
    result.shares = profiledShares(args);
    return result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
