import { decodeSnapshot, encodeSnapshot } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { lanOf, type Lan } from './lan.js';

const commands = {
  a: ['wait-link', 'ping -c 1 10.0.0.2', 'udp-stream -n 2000 -s 1000 10.0.0.2', 'stats', 'poweroff'],
  b: ['wait-link', 'udp-sink -w', 'stats', 'poweroff'],
};

/** Runs into the middle of the stream. */
async function halfway(): Promise<Lan> {
  const lan = await lanOf(commands);
  lan.a.powerOn();
  lan.b.powerOn();
  const sink = lan.world.ledger.counter('b.e1000-0', 'rx', 'packets');
  while (sink.value < 700) await lan.world.run({ until: lan.world.clock.now + 1e5 });
  expect(sink.value).toBeLessThan(1900);
  return lan;
}

const outcome = ({ world, a, b }: Lan) => ({
  time: world.clock.now,
  retired: [a.retired, b.retired],
  exits: [a.exit, b.exit],
});

describe('a snapshot in the middle of a stream between two guests', () => {
  it('contract Snapshot: goes on in another world to the same end, to the instruction', async () => {
    const first = await halfway();
    const text = encodeSnapshot(first.world.save());
    const said = [first.a.console.text, first.b.console.text];
    await first.world.run();

    const second = await lanOf(commands);
    second.world.restore(decodeSnapshot(text));
    await second.world.run();
    expect(outcome(second)).toEqual(outcome(first));
    expect(said[0] + second.a.console.text).toBe(first.a.console.text);
    expect(said[1] + second.b.console.text).toBe(first.b.console.text);
    expect(second.a.console.text).toMatch(/2000 delivered, 0 lost/);
    const whole = Buffer.from(first.frames.toBytes());
    const rest = Buffer.from(second.frames.toBytes());
    const lastFrames = 50_000;
    expect(whole.subarray(-lastFrames).equals(rest.subarray(-lastFrames))).toBe(true);
  });

  it('refuses a snapshot of a machine of another shape', async () => {
    const { a, b, world } = await lanOf(commands);
    const snapshot = a.save();
    expect(() => b.restore({ ...snapshot, ramSize: 4096 })).toThrow(
      /16777216 bytes of RAM; the snapshot is of 1 and 4096/,
    );
    expect(() => a.restore({ type: 'switch', version: 1 })).toThrow(/expected machine/);
    expect(() => world.restore({ ...world.save(), parts: {} })).toThrow();
  });
});
