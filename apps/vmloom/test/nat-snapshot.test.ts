import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseCommandLine } from '../src/options/command-line.js';
import { Session } from '../src/run/session.js';

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url));
const tiny = fileURLToPath(new URL('../../../packages/guest/prebuilt/tiny.elf', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
});
const COUNT = 3000;

afterAll(() => rmSync(folder, { recursive: true }));

/** A UDP socket of the host that echoes and counts. */
async function echo(): Promise<{ socket: Socket; port: number; count: () => number }> {
  const socket = createSocket('udp4');
  let count = 0;
  socket.on('message', (bytes, peer) => {
    count++;
    socket.send(bytes, peer.port, peer.address);
  });
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  return { socket, port: socket.address().port, count: () => count };
}

it('contract Snapshot: a UDP exchange through the NAT, saved halfway, goes on in a new process', async () => {
  const { socket, port, count } = await echo();
  const file = join(folder, 'halfway.vmloom');
  const line = (append: string): string[] => [
    ...['-m', '16', '-kernel', tiny, '-append', append, '-serial', 'none'],
    ...['-netdev', 'user,id=n0', '-device', 'e1000,netdev=n0', '-time', 'virtual'],
  ];
  const append = `ip=dhcp quiet cmd="wait-link; udp-rr -n ${COUNT} -s 64 -t 5000 10.0.2.2 ${port}; poweroff"`;

  const first = await Session.create(parseCommandLine(line(append)));
  await first.begin();
  while (count() < COUNT / 3) await new Promise((turn) => setTimeout(turn, 5));
  first.stop();
  await first.saveSnapshot(file);
  first.close();
  const before = count();
  expect(before).toBeLessThan(COUNT);

  // The console of the new process shows only what comes after the snapshot.
  const options = [...line(append), '-loadvm', file, '-serial', 'stdio'];
  const { stdout } = await promisify(execFile)(process.execPath, [bin, 'run', ...options], {
    timeout: 60_000,
  });
  socket.close();
  expect(stdout).toMatch(new RegExp(`udp-rr: ${COUNT} sent, (${COUNT}|${COUNT - 1}) received`));
  expect(count()).toBeGreaterThanOrEqual(COUNT - 1);
}, 90_000);
