import { describe, expect, it } from 'vitest';
import { VirtioEndpoint } from './endpoint.js';
import * as F from './features.js';
import * as S from './status.js';
import { DeviceBench, EchoDevice } from './testing/index.js';

const X = { out: [Uint8Array.of(1)], in: [1] };

class Picky extends EchoDevice {
  constructor() {
    super({ features: 7n });
  }

  override acceptsFeatures(features: bigint): boolean {
    return (features & 3n) !== 1n;
  }
}

describe('features', () => {
  it('2.2.2: a valid subset is accepted, again after a reset; what the device cannot do is refused', () => {
    const bench = new DeviceBench(new Picky());
    for (const without of [0n, 7n, 1n, 4n, 0n]) expect(bench.start(without)).toBe(true);
    expect(bench.start(2n)).toBe(false);
    expect(bench.start()).toBe(true);
    expect(bench.endpoint.features).toBe(bench.endpoint.offered());
  });

  it.each([
    ['packed', F.VIRTIO_F_RING_PACKED, false],
    ['indirect', F.VIRTIO_F_INDIRECT_DESC, true],
    ['eventIndex', F.VIRTIO_F_EVENT_IDX, true],
    ['inOrder', F.VIRTIO_F_IN_ORDER, false],
    ['notificationData', F.VIRTIO_F_NOTIFICATION_DATA, false],
    ['notifyConfigData', F.VIRTIO_F_NOTIF_CONFIG_DATA, false],
    ['ringReset', F.VIRTIO_F_RING_RESET, true],
    ['accessPlatform', F.VIRTIO_F_ACCESS_PLATFORM, false],
    ['orderPlatform', F.VIRTIO_F_ORDER_PLATFORM, false],
  ] as const)('6: option %s offers bit %i, %s unless told', (option, bit, usual) => {
    const offers = (options: object): boolean =>
      F.hasFeature(new DeviceBench(new EchoDevice(), options).endpoint.offered(), bit);
    expect(offers({})).toBe(usual);
    expect(offers({ [option]: true })).toBe(true);
    expect(offers({ [option]: false })).toBe(false);
  });

  it('2.2: bits of a device type reach up to 127', () => {
    const bench = new DeviceBench(new EchoDevice({ features: 1n << 127n }));
    expect(bench.endpoint.offeredWord(3)).toBe(0x8000_0000);
    expect(bench.start()).toBe(true);
    expect(F.hasFeature(bench.endpoint.features, 127)).toBe(true);
  });
});

describe('status', () => {
  it('2.1.1: bits are added, never taken away but by a reset', () => {
    const { endpoint } = new DeviceBench(new EchoDevice());
    endpoint.setStatus(S.ACKNOWLEDGE);
    endpoint.setStatus(S.DRIVER);
    expect(endpoint.status).toBe(S.ACKNOWLEDGE | S.DRIVER);
    endpoint.setStatus(S.FAILED | S.DEVICE_NEEDS_RESET | 0x30);
    expect(endpoint.status).toBe(S.ACKNOWLEDGE | S.DRIVER | S.FAILED);
    endpoint.setStatus(0);
    expect(endpoint.status).toBe(0);
  });

  it('2.1.2: a device that gives up stops all its queues and tells the driver once', () => {
    const bench = new DeviceBench(new EchoDevice());
    bench.start();
    bench.endpoint.needsReset('out of ideas');
    bench.endpoint.needsReset('out of ideas');
    expect(bench.endpoint.status & S.DEVICE_NEEDS_RESET).not.toBe(0);
    expect(bench.configInterrupts).toBe(1);
    expect(bench.count('fault', 'out of ideas')).toBe(2);
    expect(bench.request(0, X)).toBeUndefined();
    expect(bench.request(1, X)).toBeUndefined();
    expect(bench.start()).toBe(true);
    expect(bench.request(0, X)).toBeDefined();
  });

  it('2.1.2: before DRIVER_OK a device that gives up interrupts nobody', () => {
    const bench = new DeviceBench(new EchoDevice());
    bench.endpoint.needsReset('early');
    expect(bench.configInterrupts).toBe(0);
    expect(bench.endpoint.status).toBe(S.DEVICE_NEEDS_RESET);
  });

  it('2.4.1: after a reset no event of before touches queues or driver', () => {
    const device = Object.assign(new EchoDevice(), { delay: 1000 });
    const bench = new DeviceBench(device);
    bench.start();
    bench.submit(0, X);
    bench.run(10);
    bench.submit(1, X);
    bench.endpoint.setStatus(0);
    const before = bench.interrupts.slice();
    bench.run(10_000);
    expect(bench.interrupts).toEqual(before);
    expect(bench.queues[0].poll()).toBeUndefined();
    expect(bench.count('fault')).toBe(0);
  });

  it('2.5.2: configuration space is read before FEATURES_OK', () => {
    const { endpoint } = new DeviceBench(new EchoDevice());
    expect(endpoint.readConfig(0, 4)).toBe(0x0403_0201);
  });
});

describe('queues', () => {
  it('2.6.1.1: a queue that was reset is not served until it is enabled again', () => {
    const bench = new DeviceBench(new EchoDevice());
    bench.start();
    bench.submit(0, X);
    bench.endpoint.resetQueue(bench.endpoint.queues[0]);
    bench.run();
    bench.endpoint.ring(0);
    bench.run();
    expect(bench.queues[0].poll()).toBeUndefined();
    expect(bench.interrupts[0]).toBe(0);
    bench.queues[0] = bench.setUpQueue(0, 8);
    expect(bench.endpoint.queues[0].size).toBe(8);
    expect(bench.request(0, X)).toBeDefined();
    expect(bench.request(1, X)).toBeDefined();
  });

  it('contract: a kick has the device look without a doorbell', () => {
    const bench = new DeviceBench(new EchoDevice());
    bench.start();
    bench.queues[0].add(X);
    bench.endpoint.kick(bench.endpoint.queues[0]);
    bench.run();
    expect(bench.queues[0].poll()).toBeDefined();
    expect(bench.count('doorbell')).toBe(0);
  });

  it.each([0, 3, 65_536])('2.7: a device does not offer a queue of %i descriptors', (size) => {
    const device = new EchoDevice({ queues: [{ size }] });
    const link = { queueInterrupt: () => undefined, configInterrupt: () => undefined };
    expect(() => new VirtioEndpoint({ device }, link)).toThrow(/power of two/);
  });
});
