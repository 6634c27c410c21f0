import { encodeSnapshot } from '@vmloom/device';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, expect, it } from 'vitest';
import { lanOf } from './lan.js';

const source = fileURLToPath(new URL('./lan.ts', import.meta.url));
// Inside the workspace, so that the other process finds the built packages.
const folder = fileURLToPath(new URL(`../.cache/resume-${process.pid}`, import.meta.url));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const commands = {
  a: ['wait-link', 'udp-stream -n 2000 -s 1000 10.0.0.2', 'poweroff'],
  b: ['wait-link', 'udp-sink -w', 'poweroff'],
};

/** Makes the same LAN in a process of its own, restores it and runs it to its end. */
const RESUME = `
import { readFileSync } from 'node:fs';
import { decodeSnapshot } from '@vmloom/device';
import { lanOf } from './lan.mjs';
const { world, a, b } = await lanOf(${JSON.stringify(commands)});
world.restore(decodeSnapshot(readFileSync('snapshot', 'utf8')));
await world.run();
console.log(JSON.stringify({ time: world.clock.now, retired: [a.retired, b.retired], said: a.console.text }));
`;

it('contract Snapshot: a stream between two guests goes on in a new process, to the same instruction', async () => {
  const { world, a, b } = await lanOf(commands);
  a.powerOn();
  b.powerOn();
  const sink = world.ledger.counter('b.e1000-0', 'rx', 'packets');
  while (sink.value < 700) await world.run({ until: world.clock.now + 1e5 });
  expect(sink.value).toBeLessThan(1900);
  mkdirSync(folder, { recursive: true });
  const options = { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } };
  writeFileSync(
    join(folder, 'lan.mjs'),
    ts.transpileModule(readFileSync(source, 'utf8'), options).outputText,
  );
  writeFileSync(join(folder, 'snapshot'), encodeSnapshot(world.save()));
  writeFileSync(join(folder, 'resume.mjs'), RESUME);
  const output = execFileSync(process.execPath, ['resume.mjs'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  await world.run();
  const there = JSON.parse(output) as { time: number; retired: number[]; said: string };
  expect(there).toMatchObject({ time: world.clock.now, retired: [a.retired, b.retired] });
  expect(there.said).toMatch(/2000 delivered, 0 lost/);
}, 90_000);
