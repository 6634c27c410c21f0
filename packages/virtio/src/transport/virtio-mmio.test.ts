import { Ledger } from '@vmloom/device';
import { FakeHost, FakeLine } from '@vmloom/device/testing';
import { describe, expect, it } from 'vitest';
import * as F from '../features.js';
import * as L from '../layout-offsets.js';
import * as S from '../status.js';
import { EchoDevice, GuestMemory, MmioDriverTransport, MockDriver } from '../testing/index.js';
import { VirtioMmio, type VirtioMmioOptions } from './virtio-mmio.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function bench(options: Partial<VirtioMmioOptions> = {}) {
  const host = new FakeHost();
  const line = new FakeLine();
  const ledger = new Ledger();
  const device = new EchoDevice({ type: 2 });
  const { clock, dma } = host;
  const mmio = new VirtioMmio({ name: 'virtio-mmio0', clock, ledger, dma, line, device, ...options });
  const transport = new MmioDriverTransport(mmio);
  const driver = new MockDriver(transport, new GuestMemory(host.memory));
  const run = (time = 0): void => void clock.runUntil(clock.now + time);
  return { host, line, ledger, device, mmio, transport, driver, run };
}

describe('virtio over MMIO', () => {
  it('4.2.2.1: magic value, version 2, device ID', () => {
    const { transport } = bench();
    expect(transport.read(L.MMIO_MAGIC_VALUE)).toBe(0x7472_6976);
    expect(transport.read(L.MMIO_VERSION)).toBe(2);
    expect(transport.read(L.MMIO_DEVICE_ID)).toBe(2);
  });

  it('4.2.2: a window without a device has ID 0 and takes nothing', () => {
    const { clock, dma } = new FakeHost();
    const line = new FakeLine();
    const empty = new VirtioMmio({ name: 'empty', clock, ledger: new Ledger(), dma, line });
    expect(empty.read(L.MMIO_MAGIC_VALUE, 4)).toBe(0x7472_6976);
    expect(empty.read(L.MMIO_DEVICE_ID, 4)).toBe(0);
    for (let offset = 0; offset < VirtioMmio.size; offset += 4) empty.write(offset, 4, 0xffff_ffff);
    expect(empty.read(L.MMIO_STATUS, 4)).toBe(0);
  });

  it.each([false, true])('4.2.3: a driver brings the device up and moves chains, packed %s', (packed) => {
    const { driver, transport, line, run } = bench({ packed });
    expect(driver.start()).toBe(true);
    driver.submit(0, { out: [text('mmio')], in: [4] });
    expect(line.level).toBe(false);
    run();
    expect(driver.poll(0)?.bytes).toEqual(text('mmio'));
    expect(line.level).toBe(true);
    expect(transport.read(L.MMIO_INTERRUPT_STATUS)).toBe(1);
    transport.write(L.MMIO_INTERRUPT_ACK, 1);
    expect(transport.read(L.MMIO_INTERRUPT_STATUS)).toBe(0);
    expect(line.level).toBe(false);
  });

  it('4.2.2.1: each event stays in InterruptStatus until its own bit is acknowledged', () => {
    const { driver, transport, mmio, line, run } = bench();
    driver.start();
    driver.submit(0, { out: [text('x')], in: [1] });
    run();
    mmio.write(0x100, 1, 0xff);
    expect(transport.read(L.MMIO_INTERRUPT_STATUS)).toBe(3);
    transport.write(L.MMIO_INTERRUPT_ACK, 1);
    expect(transport.read(L.MMIO_INTERRUPT_STATUS)).toBe(2);
    expect(line.level).toBe(true);
    transport.write(L.MMIO_INTERRUPT_ACK, 2);
    expect(line.level).toBe(false);
  });

  it('4.2.2.1: a reset clears InterruptStatus and every QueueReady', () => {
    const { driver, transport, line, run } = bench();
    driver.start();
    driver.submit(0, { out: [text('x')], in: [1] });
    run();
    transport.write(L.MMIO_STATUS, 0);
    expect(transport.read(L.MMIO_INTERRUPT_STATUS)).toBe(0);
    expect(line.level).toBe(false);
    for (const index of [0, 1]) {
      transport.write(L.MMIO_QUEUE_SEL, index);
      expect(transport.read(L.MMIO_QUEUE_READY)).toBe(0);
    }
    expect(transport.read(L.MMIO_STATUS)).toBe(0);
  });

  it('4.2.2.1: a queue whose QueueReady is 0 is not touched', () => {
    const { driver, transport, run } = bench();
    driver.start();
    transport.write(L.MMIO_QUEUE_SEL, 0);
    transport.write(L.MMIO_QUEUE_READY, 0);
    expect(transport.read(L.MMIO_QUEUE_READY)).toBe(0);
    driver.submit(0, { out: [text('x')], in: [1] });
    transport.ring(0, 0);
    run();
    expect(driver.poll(0)).toBeUndefined();
    expect(transport.readStatus() & S.DEVICE_NEEDS_RESET).toBe(0);
  });

  it('4.2.2.1: QueueReset resets one queue, which may be enabled again', () => {
    const { driver, transport, device, run } = bench();
    driver.start();
    transport.write(L.MMIO_QUEUE_SEL, 0);
    transport.write(L.MMIO_QUEUE_RESET, 1);
    expect(transport.read(L.MMIO_QUEUE_RESET)).toBe(0);
    expect(transport.read(L.MMIO_QUEUE_READY)).toBe(0);
    expect(device.log).toContain('reset queue 0');
    driver.queues[0] = driver.setUp(0, 4);
    driver.submit(0, { out: [text('again')], in: [5] });
    run();
    expect(driver.poll(0)?.bytes).toEqual(text('again'));
  });

  it('4.2.3.3: with NOTIFICATION_DATA the queue is the lower half', () => {
    const { driver, run } = bench({ notificationData: true });
    driver.start();
    driver.submit(1, { out: [text('x')], in: [1] });
    driver.submit(1, { out: [text('y')], in: [1] });
    run();
    expect(driver.poll(1)?.bytes).toEqual(text('x'));
  });

  it('2.2.2: what this transport has no register for is not offered', () => {
    const { transport } = bench({ notifyConfigData: true, notificationData: true });
    expect(F.hasFeature(transport.offered(), F.VIRTIO_F_NOTIFICATION_DATA)).toBe(true);
    expect(F.hasFeature(transport.offered(), F.VIRTIO_F_NOTIF_CONFIG_DATA)).toBe(false);
  });

  it('4.2.2.2: control registers are words; other widths read 0 and write nothing', () => {
    const { mmio } = bench();
    expect(mmio.read(L.MMIO_MAGIC_VALUE, 2)).toBe(0);
    mmio.write(L.MMIO_STATUS, 1, S.ACKNOWLEDGE);
    expect(mmio.read(L.MMIO_STATUS, 4)).toBe(0);
    expect(mmio.read(0x102, 2)).toBe(0x0403);
    expect(mmio.read(0x104, 1)).toBe(5);
  });

  it('4.2.2.1: ConfigGeneration differs after a read of what changed', () => {
    const { mmio, transport, driver } = bench();
    driver.start();
    const before = transport.read(L.MMIO_CONFIG_GENERATION);
    mmio.write(0x100, 1, 0xff);
    mmio.read(0x100, 1);
    expect(transport.read(L.MMIO_CONFIG_GENERATION)).not.toBe(before);
  });

  it('2.10, 4.2.2: shared memory regions do not exist', () => {
    const { transport } = bench();
    for (const register of [
      L.MMIO_SHM_LEN_LOW,
      L.MMIO_SHM_LEN_HIGH,
      L.MMIO_SHM_BASE_LOW,
      L.MMIO_SHM_BASE_HIGH,
    ]) {
      expect(transport.read(register)).toBe(0xffff_ffff);
    }
  });

  it('contract snapshot: registers and queues go on', () => {
    const { mmio, driver, host, line, run } = bench();
    driver.start();
    driver.submit(0, { out: [text('x')], in: [1] });
    run();
    const saved = mmio.save();
    line.set(false);
    mmio.reset();
    mmio.restore(saved);
    expect(line.level).toBe(true);
    driver.poll(0);
    driver.submit(0, { out: [text('after')], in: [5] });
    run();
    expect(driver.poll(0)?.bytes).toEqual(text('after'));
    expect(host.clock.nextEvent).toBe(Infinity);
  });
});
