import { expect, it } from 'vitest';
import { lanOf } from './lan.js';

const commands = {
  a: ['wait-link', 'ping -c 3 -i 1 10.0.0.2', 'udp-stream -n 500 -s 1000 10.0.0.2', 'stats', 'poweroff'],
  b: ['wait-link', 'udp-sink -w', 'stats', 'poweroff'],
};

async function run(quantum: number) {
  const { world, a, b, frames } = await lanOf(commands, { quantum });
  a.powerOn();
  b.powerOn();
  await world.run();
  expect([a.exit, b.exit]).toEqual([
    { reason: 'power-off', code: 0 },
    { reason: 'power-off', code: 0 },
  ]);
  return {
    retired: [a.retired, b.retired],
    time: world.clock.now,
    consoles: [a.console.text, b.console.text],
    frames: Buffer.from(frames.toBytes()).toString('base64'),
    ledger: world.ledger
      .select()
      .map(({ owner, event, reason, value }) => `${owner} ${event} ${reason} ${value}`),
  };
}

it('contract Clock: two runs are identical: instructions, consoles, ledger and every captured byte', async () => {
  const first = await run(20_000);
  const second = await run(20_000);
  expect(first.consoles[0]).toMatch(/500 delivered, 0 lost/);
  expect(first.frames.length).toBeGreaterThan(500 * 1000);
  expect(second).toEqual(first);
});
