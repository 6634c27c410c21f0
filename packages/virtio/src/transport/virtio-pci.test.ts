import { encodeSnapshot, decodeSnapshot } from '@vmloom/device';
import { registers as R, type PciFunction } from '@vmloom/pci';
import { FakeHost } from '@vmloom/pci/testing';
import { describe, expect, it } from 'vitest';
import * as F from '../features.js';
import * as L from '../layout-offsets.js';
import * as S from '../status.js';
import { EchoDevice, GuestMemory, MockDriver, PciDriverTransport } from '../testing/index.js';
import { VirtioPci, type VirtioPciOptions } from './virtio-pci.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

interface Bench {
  readonly host: FakeHost;
  readonly device: EchoDevice;
  readonly fn: VirtioPci<EchoDevice>;
  readonly transport: PciDriverTransport;
  readonly driver: MockDriver;
}

function plug(options: Partial<VirtioPciOptions> = {}, device = new EchoDevice()): Bench {
  const host = new FakeHost({ reserve: 0x10_0000 });
  const fn = host.install(new VirtioPci({ ...options, device }));
  const transport = new PciDriverTransport(host, fn);
  const driver = new MockDriver(transport, new GuestMemory(host.memory));
  return { host, device, fn, transport, driver };
}

const identity = (host: FakeHost, fn: PciFunction): number[] => [
  host.configRead(fn, R.VENDOR_ID, 2),
  host.configRead(fn, R.DEVICE_ID, 2),
  host.configRead(fn, R.REVISION_ID, 1),
  host.configRead(fn, R.REVISION_ID, 4) >>> 8,
  host.configRead(fn, R.SUBSYSTEM_VENDOR_ID, 2),
  host.configRead(fn, R.SUBSYSTEM_ID, 2),
];

describe('virtio over PCI', () => {
  it.each([
    [1, {}, [0x1af4, 0x1000, 0, 0x02_00_00, 0x1af4, 1]],
    [1, { legacy: false }, [0x1af4, 0x1041, 1, 0x02_00_00, 0x1af4, 0x1100]],
    [2, {}, [0x1af4, 0x1001, 0, 0x01_00_00, 0x1af4, 2]],
    [3, {}, [0x1af4, 0x1003, 0, 0x07_80_00, 0x1af4, 3]],
    [4, { express: true }, [0x1af4, 0x1044, 1, 0x00_ff_00, 0x1af4, 0x1100]],
    [9, {}, [0x1af4, 0x1009, 0, 0x00_02_00, 0x1af4, 9]],
    [19, {}, [0x1af4, 0x1053, 1, 0x07_80_00, 0x1af4, 0x1100]],
  ])('4.1.2.1: type %i with %o is known by %o', (type, options, expected) => {
    const { host, fn } = plug(options, new EchoDevice({ type }));
    expect(identity(host, fn)).toEqual(expected);
  });

  it('4.1.2.1: a type that came with 1.0 has no legacy interface', () => {
    expect(() => new VirtioPci({ device: new EchoDevice({ type: 19 }), legacy: true })).toThrow(
      /before virtio 1.0/,
    );
    expect(() => new VirtioPci({ device: new EchoDevice({ type: 19 }), modern: false })).toThrow(/neither/);
  });

  it('4.1.4.2: every structure has a capability, and lies inside its BAR', () => {
    const { transport, fn } = plug();
    expect([...transport.structures.keys()].sort()).toEqual([1, 2, 3, 4, 5]);
    for (const type of [1, 2, 3, 4]) {
      const { bar, offset, length } = transport.structure(type);
      expect(offset % 4).toBe(0);
      expect(offset + length).toBeLessThanOrEqual(fn.bar(bar).size);
    }
  });

  it('4.1.4: capabilities lie where those of QEMU lie on a root bus', () => {
    const { host, fn, transport } = plug();
    expect([1, 3, 4, 2, 5].map((type) => transport.structure(type).at)).toEqual([
      0x40, 0x50, 0x60, 0x70, 0x84,
    ]);
    expect(host.findCapability(fn, R.CAPABILITY_MSIX)).toBe(0x98);
  });

  it.each([false, true])('3.1.1: a driver brings the device up and moves chains, packed %s', (packed) => {
    const { host, device, driver, transport } = plug({ packed });
    expect(driver.start()).toBe(true);
    expect(device.log).toContain('started');
    expect(driver.queues.length).toBe(2);
    driver.submit(1, { out: [text('over the bus')], in: [20] });
    expect(driver.poll(1)).toBeUndefined();
    host.run();
    expect(decode(driver.poll(1)?.bytes)).toBe('over the bus');
    expect(transport.isr()).toBe(1);
  });

  it('contract: a doorbell never delivers, the event does', () => {
    const { host, driver } = plug();
    driver.start();
    driver.submit(0, { out: [text('x')], in: [1] });
    expect(driver.poll(0)).toBeUndefined();
    expect(host.lines.includes(true)).toBe(false);
    host.run();
    expect(driver.poll(0)).toBeDefined();
  });
});

describe('common configuration', () => {
  it('4.1.4.3.1: features come 32 at a time, none above 127', () => {
    const { transport } = plug({ packed: true }, new EchoDevice({ features: 5n | (1n << 50n) }));
    const offered = transport.offered();
    expect(offered & 0xffn).toBe(5n);
    expect(F.hasFeature(offered, 50)).toBe(true);
    for (const bit of [F.VIRTIO_F_VERSION_1, F.VIRTIO_F_RING_PACKED, F.VIRTIO_F_RING_RESET]) {
      expect(F.hasFeature(offered, bit)).toBe(true);
    }
    for (const word of [4, 5, 0xffff_ffff]) {
      transport.setCommon(L.PCI_COMMON_DEVICE_FEATURE_SELECT, 4, word);
      expect(transport.common(L.PCI_COMMON_DEVICE_FEATURE, 4)).toBe(0);
    }
  });

  it('2.2.2: FEATURES_OK stays clear for what was not offered; 6.2: a driver may go without VERSION_1', () => {
    const { transport } = plug();
    const offered = transport.offered();
    for (const [set, ok] of [
      [offered | 1n, false],
      [offered & ~F.features(F.VIRTIO_F_VERSION_1), true],
      [offered, true],
    ] as const) {
      transport.writeStatus(0);
      transport.accept(set);
      transport.writeStatus(S.ACKNOWLEDGE | S.DRIVER | S.FEATURES_OK);
      expect((transport.readStatus() & S.FEATURES_OK) !== 0).toBe(ok);
      transport.writeStatus(S.ACKNOWLEDGE | S.DRIVER | S.FEATURES_OK | S.DRIVER_OK);
      expect((transport.readStatus() & S.DRIVER_OK) !== 0).toBe(ok);
    }
  });

  it('3.1.1: features are fixed once FEATURES_OK is set', () => {
    const { transport, driver, fn } = plug();
    driver.start();
    const { features } = fn.endpoint;
    transport.accept(0n);
    expect(fn.endpoint.features).toBe(features);
    transport.setCommon(L.PCI_COMMON_DRIVER_FEATURE_SELECT, 4, 1);
    expect(transport.common(L.PCI_COMMON_DRIVER_FEATURE, 4)).not.toBe(0);
  });

  it('4.1.4.3.1: writing 0 to device_status resets, and everything reads as after power-on', () => {
    const { transport, driver, device } = plug();
    driver.start();
    transport.mapVector(-1, 1);
    device.log.length = 0;
    transport.writeStatus(0);
    expect(transport.readStatus()).toBe(0);
    expect(device.log).toEqual(['reset']);
    expect(transport.common(L.PCI_COMMON_CONFIG_MSIX_VECTOR, 2)).toBe(0xffff);
    for (const index of [0, 1]) {
      expect(transport.queueLimit(index)).toBe([256, 64][index]);
      expect(transport.common(L.PCI_COMMON_QUEUE_ENABLE, 2)).toBe(0);
      expect(transport.common(L.PCI_COMMON_QUEUE_DESCRIPTORS, 4)).toBe(0);
    }
  });

  it('4.1.4.3.1: a queue that is not there has size 0, and writes to it are lost', () => {
    const { transport } = plug();
    expect(transport.queueLimit(2)).toBe(0);
    transport.setCommon(L.PCI_COMMON_QUEUE_SIZE, 2, 8);
    transport.setCommon(L.PCI_COMMON_QUEUE_DRIVER, 4, 0x1000);
    transport.setCommon(L.PCI_COMMON_QUEUE_ENABLE, 2, 1);
    expect(transport.queueLimit(2)).toBe(0);
    expect(transport.common(L.PCI_COMMON_QUEUE_ENABLE, 2)).toBe(0);
    expect(transport.common(L.PCI_COMMON_QUEUE_DRIVER, 4)).toBe(0);
    expect(transport.common(L.PCI_COMMON_NUM_QUEUES, 2)).toBe(2);
  });

  it('4.1.3.2: both halves of an address are reached by themselves', () => {
    const { transport } = plug();
    transport.setCommon(L.PCI_COMMON_QUEUE_SELECT, 2, 1);
    transport.setCommon(L.PCI_COMMON_QUEUE_DEVICE_HIGH, 4, 0x12);
    transport.setCommon(L.PCI_COMMON_QUEUE_DEVICE, 4, 0x8000_1000);
    expect(transport.common(L.PCI_COMMON_QUEUE_DEVICE_HIGH, 4)).toBe(0x12);
    expect(transport.common(L.PCI_COMMON_QUEUE_DEVICE, 4)).toBe(0x8000_1000);
  });

  it('4.1.4.3.1: queue_reset resets one queue, which may be enabled again', () => {
    const { host, transport, driver, device } = plug();
    driver.start();
    driver.submit(0, { out: [text('a')], in: [1] });
    transport.setCommon(L.PCI_COMMON_QUEUE_SELECT, 2, 0);
    transport.setCommon(L.PCI_COMMON_QUEUE_RESET, 2, 1);
    expect(transport.common(L.PCI_COMMON_QUEUE_RESET, 2)).toBe(0);
    expect(transport.common(L.PCI_COMMON_QUEUE_ENABLE, 2)).toBe(0);
    expect(device.log).toContain('reset queue 0');
    host.run();
    expect(driver.poll(0)).toBeUndefined();
    driver.queues[0] = driver.setUp(0, 16);
    driver.submit(0, { out: [text('again')], in: [5] });
    driver.submit(1, { out: [text('other')], in: [5] });
    host.run();
    expect(decode(driver.poll(0)?.bytes)).toBe('again');
    expect(decode(driver.poll(1)?.bytes)).toBe('other');
  });

  it('6.2: without RING_RESET queue_reset does nothing', () => {
    const { transport, driver } = plug({ ringReset: false });
    driver.start();
    transport.setCommon(L.PCI_COMMON_QUEUE_SELECT, 2, 0);
    transport.setCommon(L.PCI_COMMON_QUEUE_RESET, 2, 1);
    expect(transport.common(L.PCI_COMMON_QUEUE_ENABLE, 2)).toBe(1);
  });

  it('2.5.2, 4.1.4.3.1: config_generation differs after a read of what changed', () => {
    const { transport, driver, device } = plug();
    driver.start();
    const generation = (): number => transport.common(L.PCI_COMMON_CONFIG_GENERATION, 1);
    const before = generation();
    transport.read(4, 4, 1);
    expect(generation()).toBe(before);
    // As often as an 8-bit counter takes to come round.
    for (let change = 0; change < 256; change++) transport.write(4, 0, 1, 0xff);
    transport.read(4, 0, 1);
    expect(generation()).not.toBe(before);
    expect(device.config[0]).toBe(0xff);
  });

  it('4.1.4.6: configuration space in every width, zeros behind its end', () => {
    const { transport } = plug();
    expect(transport.read(4, 0, 4)).toBe(0x0403_0201);
    expect(transport.read(4, 2, 2)).toBe(0x0403);
    expect(transport.read(4, 7, 1)).toBe(8);
    expect(transport.read(4, 8, 4)).toBe(0);
    expect(transport.read(4, 0xffc, 4)).toBe(0);
    transport.write(4, 8, 4, 0xffff_ffff);
    transport.write(4, 4, 2, 0xabcd);
    expect(transport.read(4, 4, 4)).toBe(0x0807_abcd);
  });
});

describe('notifications over PCI', () => {
  it('4.1.4.4, 2.9: with NOTIFICATION_DATA a doorbell is 32 bits', () => {
    const { host, driver } = plug({ notificationData: true });
    driver.start();
    driver.submit(1, { out: [text('data')], in: [4] });
    host.run();
    expect(decode(driver.poll(1)?.bytes)).toBe('data');
  });

  it('4.1.4.4: a doorbell for a queue that is not there is lost', () => {
    const { host, driver, transport } = plug();
    driver.start();
    transport.write(2, 4 * 77, 2, 77);
    transport.write(2, 0xffc, 2, 0xffff);
    expect(() => host.run()).not.toThrow();
    expect(host.clock.nextEvent).toBe(Infinity);
  });

  it('2.1.2: nothing is taken from a queue before DRIVER_OK', () => {
    const { host, driver, transport } = plug();
    driver.start();
    transport.writeStatus(0);
    transport.accept(driver.features);
    transport.writeStatus(S.ACKNOWLEDGE | S.DRIVER | S.FEATURES_OK);
    driver.queues = [driver.setUp(0, 8)];
    driver.submit(0, { out: [text('early')], in: [5] });
    host.run();
    expect(driver.poll(0)).toBeUndefined();
    transport.writeStatus(S.ACKNOWLEDGE | S.DRIVER | S.FEATURES_OK | S.DRIVER_OK);
    host.run();
    expect(decode(driver.poll(0)?.bytes)).toBe('early');
  });

  it('4.1.4.5.1: ISR status says which, raises INTx, and a read clears both', () => {
    const { host, fn, driver, transport } = plug();
    driver.start();
    driver.submit(0, { out: [text('x')], in: [1] });
    transport.write(4, 0, 1, 0xff);
    host.run();
    expect(host.lines.includes(true)).toBe(true);
    expect(host.configRead(fn, R.STATUS, 2) & R.STATUS_INTERRUPT).not.toBe(0);
    expect(transport.isr()).toBe(3);
    expect(transport.isr()).toBe(0);
    expect(host.lines.includes(true)).toBe(false);
  });

  it('4.1.5.1.2.1: every event maps to every vector; one that is not there reads NO_VECTOR', () => {
    const { transport } = plug({ vectors: 3 });
    for (const index of [-1, 0, 1]) {
      for (const vector of [0, 1, 2]) expect(transport.mapVector(index, vector)).toBe(vector);
      expect(transport.mapVector(index, 3)).toBe(0xffff);
      expect(transport.mapVector(index, 0xffff)).toBe(0xffff);
    }
  });

  it('4.1.5.3, 4.1.5.4: with MSI-X each event is a message of its vector', () => {
    const { host, driver, transport } = plug();
    driver.start();
    transport.enableMsix(3);
    transport.mapVector(-1, 0);
    transport.mapVector(0, 1);
    transport.mapVector(1, 2);
    driver.submit(1, { out: [text('x')], in: [1] });
    host.run();
    transport.write(4, 0, 1, 0xff);
    host.run();
    expect(host.messages.map(({ data }) => data)).toEqual([0x102, 0x100]);
    expect(host.lines.includes(true)).toBe(false);
    // 4.1.4.5.1: the queue's bit is for INTx only.
    expect(transport.isr()).toBe(2);
  });

  it('4.1.5.3.1, 4.1.5.4.1: without a vector there is no interrupt', () => {
    const { host, driver, transport } = plug();
    driver.start();
    transport.enableMsix(3);
    driver.submit(0, { out: [text('x')], in: [1] });
    transport.write(4, 0, 1, 0xff);
    host.run();
    expect(host.messages).toEqual([]);
    expect(host.lines.includes(true)).toBe(false);
  });

  it('2.1.2: a broken ring sets DEVICE_NEEDS_RESET and interrupts; a reset mends it', () => {
    const { host, driver, transport } = plug();
    driver.start();
    driver.queues[0].addSegments([{ address: 0x10, length: 4, write: false }]);
    transport.ring(0, 0);
    host.run();
    expect(transport.readStatus() & S.DEVICE_NEEDS_RESET).not.toBe(0);
    expect(transport.isr()).toBe(2);
    expect(host.ledger.total({ event: 'fault', reason: 'address' })).toBe(1);
    // The neighbouring queue goes on.
    driver.submit(1, { out: [text('x')], in: [1] });
    host.run();
    expect(driver.poll(1)).toBeDefined();
    driver.submit(0, { out: [text('x')], in: [1] });
    transport.ring(0, 0);
    host.run();
    expect(driver.poll(0)).toBeUndefined();
    expect(driver.start()).toBe(true);
    driver.submit(0, { out: [text('x')], in: [1] });
    host.run();
    expect(driver.poll(0)).toBeDefined();
  });

  it('PCI 6.2.2: without bus mastering nothing moves, and nothing is wrong', () => {
    const { host, fn, driver, transport } = plug();
    driver.start();
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_MEMORY | R.COMMAND_IO);
    driver.submit(0, { out: [text('x')], in: [1] });
    host.run();
    expect(driver.poll(0)).toBeUndefined();
    expect(transport.readStatus() & S.DEVICE_NEEDS_RESET).toBe(0);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_MEMORY | R.COMMAND_IO | R.COMMAND_BUS_MASTER);
    transport.ring(0, 0);
    host.run();
    expect(driver.poll(0)).toBeDefined();
  });
});

describe('configuration access capability', () => {
  it('4.1.4.9.1: reads and writes registers through configuration space', () => {
    const { host, fn, transport } = plug();
    const { at } = transport.structure(5);
    const select = (type: number, offset: number, length: number): void => {
      const { bar, offset: start } = transport.structure(type);
      host.configWrite(fn, at + L.PCI_CAPABILITY_BAR, 1, bar);
      host.configWrite(fn, at + L.PCI_CAPABILITY_BAR_OFFSET, 4, start + offset);
      host.configWrite(fn, at + L.PCI_CAPABILITY_BAR_LENGTH, 4, length);
    };
    select(1, L.PCI_COMMON_NUM_QUEUES, 2);
    expect(host.configRead(fn, at + 16, 2)).toBe(2);
    select(1, L.PCI_COMMON_DEVICE_STATUS, 1);
    host.configWrite(fn, at + 16, 1, S.ACKNOWLEDGE);
    expect(transport.readStatus()).toBe(S.ACKNOWLEDGE);
    select(4, 0, 4);
    expect(host.configRead(fn, at + 16, 4)).toBe(0x0403_0201);
  });

  it.each([
    [4, 0, 3],
    [4, 2, 4],
    [4, 0x4000, 4],
    [4, 0xffff_fffc, 4],
    [7, 0, 4],
    [1, 0, 4],
  ])('4.1.4.9.2: BAR %i, offset %i, length %i reaches nothing', (bar, offset, length) => {
    const { host, fn, transport } = plug();
    const { at } = transport.structure(5);
    host.configWrite(fn, at + L.PCI_CAPABILITY_BAR, 1, bar);
    host.configWrite(fn, at + L.PCI_CAPABILITY_BAR_OFFSET, 4, offset);
    host.configWrite(fn, at + L.PCI_CAPABILITY_BAR_LENGTH, 4, length);
    host.configWrite(fn, at + 16, 4, 0x5a5a_5a5a);
    expect(host.configRead(fn, at + 16, 4)).toBe(0x5a5a_5a5a);
  });
});

describe('snapshot', () => {
  it.each([false, true])(
    'contract snapshot: requests in flight go on in another machine, packed %s',
    (packed) => {
      const device = new EchoDevice();
      device.delay = 1000;
      const one = plug({ packed }, device);
      one.driver.start();
      one.transport.enableMsix(3);
      one.transport.mapVector(0, 1);
      one.driver.submit(0, { out: [text('before')], in: [6] });
      one.host.run(10);
      one.driver.submit(0, { out: [text('doorbell')], in: [8] });
      const saved = decodeSnapshot(
        encodeSnapshot({
          type: 'test',
          version: 1,
          root: one.host.root.save(),
          clock: one.host.clock.save(),
        }),
      );
      const other = plug({ packed }, Object.assign(new EchoDevice(), { delay: 1000 }));
      const { ramOffset, ramSize, bytes } = one.host.memory;
      other.host.memory.bytes.set(
        bytes.subarray(ramOffset, ramOffset + ramSize),
        other.host.memory.ramOffset,
      );
      other.host.root.restore(saved['root'] as never);
      other.host.clock.restore(saved['clock'] as never);
      const queues = one.driver.queues;
      one.host.run(10_000);
      other.host.run(10_000);
      expect(other.host.messages).toEqual(one.host.messages);
      expect(other.host.messages.length).toBeGreaterThan(0);
      const results = [0, 1].map(() => decode(queues[0].poll()?.bytes));
      expect(results).toEqual(['before', 'doorbell']);
      const end = (host: FakeHost): Uint8Array =>
        host.memory.bytes.slice(host.memory.ramOffset, host.memory.ramOffset + host.memory.ramSize);
      const expected = end(one.host);
      expect(end(other.host).every((byte, at) => byte === expected[at])).toBe(true);
    },
  );
});
