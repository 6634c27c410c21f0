import { describe, expect, it } from 'vitest';
import { DeviceBench, EchoDevice } from '../testing/index.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe.each([
  ['split', false],
  ['packed', true],
] as const)('a %s queue', (_name, packed) => {
  it('2.6: a chain comes back with what the device wrote', () => {
    const bench = new DeviceBench(new EchoDevice(), { packed });
    expect(bench.start()).toBe(true);
    const used = bench.request(0, { out: [text('hel'), text('lo')], in: [2, 10] });
    expect(used?.written).toBe(5);
    expect(used?.bytes).toEqual(text('hello'));
    expect(bench.interrupts[0]).toBe(1);
  });

  it('2.7.5.3, 2.8.7: indirect', () => {
    const bench = new DeviceBench(new EchoDevice(), { packed });
    bench.start();
    const used = bench.request(0, { out: [text('hel'), text('lo')], in: [2, 10], indirect: true });
    expect(used?.bytes).toEqual(text('hello'));
  });

  it('goes round many times, two queues', () => {
    const bench = new DeviceBench(new EchoDevice(), { packed, size: 8 });
    bench.start();
    const mark = bench.memory.mark;
    for (let round = 0; round < 1000; round++) {
      bench.memory.mark = mark;
      const message = text(`message ${round}`);
      const used = bench.request(round % 2, { out: [message], in: [4, 20] });
      expect(used?.bytes).toEqual(message);
    }
    expect(bench.count('chain')).toBe(1000);
  });

  it('held chains go back out of order', () => {
    const device = new EchoDevice();
    device.delay = 1000;
    device.reversed = true;
    const bench = new DeviceBench(device, { packed, size: 8 });
    bench.start();
    for (let round = 0; round < 10; round++) {
      for (const one of ['a', 'b', 'c']) bench.submit(0, { out: [text(one)], in: [1] });
      bench.run();
      const back = [0, 1, 2].map(() => new TextDecoder().decode(bench.queues[0].poll()?.bytes));
      expect(back).toEqual(['c', 'b', 'a']);
    }
  });
});
