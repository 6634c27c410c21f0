import { Clock, OutsideIo } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { DeviceBench } from '../testing/device-bench.js';
import { SeededEntropy, type EntropySource } from './entropy-source.js';
import { VirtioRng } from './rng.js';

const ask = (bench: DeviceBench, ...room: number[]): Uint8Array | undefined =>
  bench.request(0, { in: room })?.bytes;

const started = (rng: VirtioRng, options = {}): DeviceBench => {
  const bench = new DeviceBench(rng, options);
  bench.start();
  return bench;
};

describe('a source that answers at once', () => {
  it.each([false, true])('5.4.6: buffers are filled with random bytes; packed: %s', (packed) => {
    const bench = started(new VirtioRng(), { packed });
    const bytes = ask(bench, 1000, 24)!;
    expect(bytes).toHaveLength(1024);
    expect(new Set(bytes).size).toBeGreaterThan(200);
    expect(ask(bench, 1024)).not.toEqual(bytes);
    expect(bench.count('bytes', 'entropy')).toBe(2048);
  });

  it('equal seeds give equal bytes, others do not', () => {
    const bytes = (seed: number) => ask(started(new VirtioRng({ source: new SeededEntropy(seed) })), 64);
    expect(bytes(5)).toEqual(bytes(5));
    expect(bytes(5)).not.toEqual(bytes(6));
  });

  it('5.4.6.2: a huge buffer gets some bytes, not all', () => {
    expect(ask(started(new VirtioRng()), 1024 * 1024)).toHaveLength(65_536);
  });

  it('5.4.6.1: a buffer that cannot be written comes back with 0 bytes', () => {
    const bench = started(new VirtioRng());
    expect(bench.request(0, { out: [new Uint8Array(8)] })?.written).toBe(0);
    expect(ask(bench, 8)).toHaveLength(8);
  });

  it('a restored machine goes on with the same bytes', () => {
    const bench = started(new VirtioRng());
    ask(bench, 8);
    const saved = bench.endpoint.save();
    const other = new DeviceBench(new VirtioRng());
    other.endpoint.restore(saved);
    other.start();
    expect(ask(other, 8)).toEqual(ask(bench, 8));
  });
});

describe('a source outside', () => {
  const setUp = () => {
    const waiting: { target: Uint8Array; resolve: () => void; reject: (error: Error) => void }[] = [];
    const source: EntropySource = {
      outside: true,
      fill: (target) => new Promise((resolve, reject) => waiting.push({ target, resolve, reject })),
    };
    const clock = new Clock();
    const io = new OutsideIo(clock);
    const bench = started(new VirtioRng({ source, io }), { clock });
    const answer = async (value: number): Promise<void> => {
      for (const { target, resolve } of waiting.splice(0)) {
        target.fill(value);
        resolve();
      }
      await new Promise((resolve) => setTimeout(resolve));
      io.deliver();
      bench.run();
    };
    return { bench, waiting, io, answer };
  };

  it('answers by an event', async () => {
    const { bench, answer } = setUp();
    expect(bench.request(0, { in: [4] })).toBeUndefined();
    await answer(7);
    expect(bench.queues[0].poll()?.bytes).toEqual(Uint8Array.of(7, 7, 7, 7));
  });

  it('2.4: what is asked for at a reset is not answered', async () => {
    const { bench, answer } = setUp();
    bench.request(0, { in: [4] });
    bench.start();
    await answer(7);
    expect(bench.queues[0].poll()).toBeUndefined();
    bench.request(0, { in: [4] });
    await answer(8);
    expect(bench.queues[0].poll()?.bytes).toEqual(Uint8Array.of(8, 8, 8, 8));
  });

  it('a failing source is asked again', async () => {
    const { bench, waiting, answer } = setUp();
    bench.request(0, { in: [4] });
    waiting.splice(0)[0].reject(new Error('no entropy'));
    await answer(0);
    expect(bench.queues[0].poll()).toBeUndefined();
    expect(bench.count('error', 'source')).toBe(1);
    bench.run(2_000_000_000);
    await answer(9);
    expect(bench.queues[0].poll()?.bytes).toEqual(Uint8Array.of(9, 9, 9, 9));
  });

  it('a buffer in flight is filled in the restored machine', async () => {
    const { bench, answer, io } = setUp();
    bench.request(0, { in: [4] });
    bench.endpoint.restore(bench.endpoint.save());
    io.deliver();
    bench.run();
    await answer(3);
    expect(bench.queues[0].poll()?.bytes).toEqual(Uint8Array.of(3, 3, 3, 3));
    await answer(4);
    expect(bench.queues[0].poll()).toBeUndefined();
  });

  it('needs the io of its machine', () => {
    expect(() => new VirtioRng({ source: { outside: true, fill: () => undefined } })).toThrow('io');
  });
});
