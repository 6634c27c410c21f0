import { decodeSnapshot, encodeSnapshot, type Snapshot } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { VIRTIO_F_EVENT_IDX, features } from '../features.js';
import { DeviceBench, EchoDevice, type DeviceBenchOptions } from '../testing/index.js';

const ONE = new Uint8Array(1);

function bench(options: DeviceBenchOptions = {}): DeviceBench {
  const made = new DeviceBench(new EchoDevice(), options);
  made.start();
  return made;
}

/** Submits a chain every `gap` nanoseconds and takes back what is done; the doorbells it took. */
function traffic(made: DeviceBench, chains: number, gap: number): number {
  const before = made.count('doorbell');
  const { mark } = made.memory;
  for (let index = 0; index < chains; index++) {
    made.memory.mark = mark;
    made.submit(0, { out: [ONE], in: [1] });
    made.run(gap);
    while (made.queues[0].poll() !== undefined);
  }
  return made.count('doorbell') - before;
}

describe.each([false, true])('suppression, packed %s', (packed) => {
  it.each([
    ['without EVENT_IDX', features(VIRTIO_F_EVENT_IDX)],
    ['with EVENT_IDX', 0n],
  ])('2.7.7, 2.8.10: a driver that wants no interrupts gets none, %s', (_name, without) => {
    const made = new DeviceBench(new EchoDevice(), { packed });
    made.start(without);
    made.queues[0].wantInterrupts(false);
    for (let round = 0; round < 3; round++) made.request(0, { out: [ONE], in: [1] });
    expect(made.interrupts[0]).toBe(0);
    expect(made.count('interrupt-spared')).toBe(3);
    made.queues[0].wantInterrupts(true);
    made.request(0, { out: [ONE], in: [1] });
    expect(made.interrupts[0]).toBe(1);
  });

  it('2.7.7.2, 2.8.10: with EVENT_IDX one interrupt comes for the entry the driver named', () => {
    const made = new DeviceBench(new EchoDevice(), { packed, size: 8 });
    made.start();
    for (let round = 0; round < 50; round++) {
      made.queues[0].wantInterrupts(true);
      const before = made.interrupts[0];
      for (let index = 0; index < 3; index++) {
        made.submit(0, { out: [ONE], in: [1] });
        made.run();
      }
      expect(made.interrupts[0] - before).toBe(1);
      while (made.queues[0].poll() !== undefined);
    }
  });

  it('2.7.10, 2.8.10: chains that come while the device looks need no doorbell', () => {
    for (const without of [0n, features(VIRTIO_F_EVENT_IDX)]) {
      const made = new DeviceBench(new EchoDevice(), { packed });
      made.start(without);
      const queue = made.endpoint.queues[0];
      const driver = made.queues[0];
      driver.add({ out: [ONE], in: [1] });
      expect(driver.needsDoorbell()).toBe(true);
      queue.disableNotifications();
      queue.pop();
      driver.add({ out: [ONE], in: [1] });
      expect(driver.needsDoorbell()).toBe(false);
      // The device asks again and hears of the chain.
      expect(queue.enableNotifications()).toBe(true);
      queue.pop();
      expect(queue.enableNotifications()).toBe(false);
      driver.add({ out: [ONE], in: [1] });
      expect(driver.needsDoorbell()).toBe(true);
    }
  });
});

describe('doorbells', () => {
  it('2.7.10.2: spurious doorbells are taken', () => {
    const made = bench();
    for (let index = 0; index < 5; index++) made.endpoint.ring(0);
    made.run();
    expect(made.count('doorbell')).toBe(5);
    expect(made.count('doorbell-shared')).toBe(4);
    expect(made.interrupts[0]).toBe(0);
  });

  it('batched: one look serves the doorbells of a while', () => {
    const made = bench({ notification: { doorbells: { kind: 'batched', delay: 5000 } } });
    made.queues[0].add({ out: [ONE], in: [1] });
    made.endpoint.ring(0);
    made.run(4999);
    expect(made.queues[0].poll()).toBeUndefined();
    made.queues[0].add({ out: [ONE], in: [1] });
    made.endpoint.ring(0);
    made.run(1);
    expect(made.queues[0].poll()).toBeDefined();
    expect(made.queues[0].poll()).toBeDefined();
    expect(made.interrupts[0]).toBe(1);
  });

  it.each([false, true])('polled: no doorbell is asked for, chains are found, packed %s', (packed) => {
    const made = bench({ packed, notification: { doorbells: { kind: 'polled', interval: 1000 } } });
    expect(traffic(made, 100, 1000)).toBe(0);
    expect(made.count('chain')).toBe(100);
    expect(made.count('poll', 'chains')).toBeGreaterThan(90);
  });

  it.each([false, true])(
    'adaptive: many chains begin polling, few end it, none is lost, packed %s',
    (packed) => {
      const made = bench({ packed, notification: { doorbells: { kind: 'adaptive' } } });
      expect(traffic(made, 20, 1_000_000)).toBe(20);
      expect(made.count('notification-mode')).toBe(0);
      const many = traffic(made, 2000, 5_000);
      expect(many).toBeLessThan(50);
      expect(made.count('notification-mode', 'to polling')).toBe(1);
      made.run(5_000_000);
      expect(made.count('notification-mode', 'to doorbells')).toBe(1);
      expect(made.clock.nextEvent).toBe(Infinity);
      expect(traffic(made, 10, 1_000_000)).toBe(10);
      expect(made.count('chain')).toBe(2030);
    },
  );

  it('adaptive: a rate between the thresholds does not flutter', () => {
    const made = bench({ notification: { doorbells: { kind: 'adaptive', enter: 32, leave: 8 } } });
    traffic(made, 200, 10_000);
    const changes = made.count('notification-mode');
    traffic(made, 500, 70_000);
    expect(made.count('notification-mode')).toBe(changes);
  });

  it('a queue that breaks while it is polled leaves nothing on the clock', () => {
    const made = bench({ notification: { doorbells: { kind: 'polled', interval: 1000 } } });
    for (const driver of made.queues) driver.addSegments([{ address: 0, length: 1, write: false }]);
    made.run(10_000);
    expect(made.clock.nextEvent).toBe(Infinity);
    expect(made.start()).toBe(true);
    expect(traffic(made, 10, 1000)).toBe(0);
  });
});

describe('interrupts', () => {
  const moderated = { notification: { interrupts: { chains: 4, delay: 10_000 } } };

  it('moderated: one for so many chains', () => {
    const made = new DeviceBench(new EchoDevice(), moderated);
    made.start(features(VIRTIO_F_EVENT_IDX));
    for (let index = 0; index < 8; index++) {
      made.submit(0, { out: [ONE], in: [1] });
      made.run(100);
    }
    expect(made.interrupts[0]).toBe(2);
    made.run(20_000);
    expect(made.interrupts[0]).toBe(2);
  });

  it('moderated: the delay after the first chain is not exceeded', () => {
    const made = bench(moderated);
    made.submit(0, { out: [ONE], in: [1] });
    made.run(9_999);
    expect(made.interrupts[0]).toBe(0);
    made.run(1);
    expect(made.interrupts[0]).toBe(1);
  });

  it('a device changes it at run time; what was owed comes at once', () => {
    const made = bench(moderated);
    made.submit(0, { out: [ONE], in: [1] });
    made.run(100);
    made.endpoint.moderate(made.endpoint.queues[0], { chains: 0, delay: 0 });
    expect(made.interrupts[0]).toBe(1);
  });

  it('contract snapshot: an interrupt that is held comes after a restore', () => {
    const made = bench(moderated);
    made.submit(0, { out: [ONE], in: [1] });
    made.run(100);
    const saved = decodeSnapshot(
      encodeSnapshot({ type: 't', version: 1, endpoint: made.endpoint.save(), clock: made.clock.save() }),
    );
    made.run(50_000);
    expect(made.interrupts[0]).toBe(1);
    made.endpoint.restore(saved['endpoint'] as Snapshot);
    made.clock.restore(saved['clock'] as Snapshot);
    made.run(50_000);
    expect(made.interrupts[0]).toBe(2);
  });
});
