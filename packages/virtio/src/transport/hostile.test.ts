import { Ledger } from '@vmloom/device';
import { FakeHost as DmaHost, FakeLine } from '@vmloom/device/testing';
import type { HandlerWidth } from '@vmloom/memory';
import { registers as R } from '@vmloom/pci';
import { FakeHost } from '@vmloom/pci/testing';
import { describe, expect, it } from 'vitest';
import * as L from '../layout-offsets.js';
import {
  EchoDevice,
  GuestMemory,
  MmioDriverTransport,
  MockDriver,
  PciDriverTransport,
} from '../testing/index.js';
import { Random } from '../testing/random.js';
import { VirtioMmio } from './virtio-mmio.js';
import { VirtioPci } from './virtio-pci.js';

const ACCESSES = 20_000;
const WIDTHS: readonly HandlerWidth[] = [1, 2, 4];
const X = { out: [Uint8Array.of(42)], in: [1] };

/** Values that mean something in some register, and any others. */
function value(random: Random): number {
  const some = [0, 1, 2, 4, 8, 0xf, 16, 64, 128, 256, 0x8000, 0xffff, 0x8000_0000, 0x8000_1000, 0xffff_ffff];
  return random.below(2) === 0 ? random.pick(some) : random.word();
}

const OPTIONS = { packed: true, inOrder: true, notificationData: true, notifyConfigData: true };

describe('hostile register accesses', () => {
  it.each([0x1001, 0x1002, 0x1003])('4.1: any access to any register of virtio-pci, seed %i', (seed) => {
    const random = new Random(seed);
    const host = new FakeHost({ reserve: 0x10_0000 });
    const device = Object.assign(new EchoDevice({ type: 1 }), { delay: 50 });
    const fn = host.install(new VirtioPci({ device, ...OPTIONS }));
    const access = (bar: number, limit: number): void => {
      const width = random.pick(WIDTHS);
      const offset = random.below(limit / width) * width;
      if (random.below(3) === 0) host.read(fn, bar, offset, width);
      else host.write(fn, bar, offset, value(random), width);
    };
    const capability = new PciDriverTransport(host, fn).structure(5).at;
    for (let count = 0; count < ACCESSES; count++) {
      const kind = random.below(12);
      if (kind < 5) access(4, 64);
      else if (kind < 6) access(4, 0x4000);
      else if (kind < 8) access(0, fn.bar(0).size);
      else if (kind < 9) access(1, 0x1000);
      else if (kind < 10) {
        const at = capability + 4 * random.below(5);
        if (random.below(2) === 0) host.configRead(fn, at, random.pick(WIDTHS));
        else
          host.configWrite(
            fn,
            at,
            random.pick(WIDTHS),
            random.below(2) === 0 ? random.below(0x4000) : value(random),
          );
      } else if (kind < 11)
        host.configWrite(fn, host.findCapability(fn, R.CAPABILITY_MSIX) + 2, 2, random.word() & 0xffff);
      else host.run(random.below(100));
    }
    host.run(1000);
    expect(host.clock.nextEvent).toBe(Infinity);
    // What it went through leaves a reset device as good as new.
    host.enable(fn);
    host.configWrite(fn, host.findCapability(fn, R.CAPABILITY_MSIX) + 2, 2, 0);
    device.delay = 0;
    const driver = new MockDriver(new PciDriverTransport(host, fn), new GuestMemory(host.memory));
    expect(driver.start()).toBe(true);
    driver.submit(0, X);
    host.run();
    expect(driver.poll(0)?.bytes).toEqual(X.out[0]);
  });

  it.each([0x2001, 0x2002])('4.2: any access to any register of virtio-mmio, seed %i', (seed) => {
    const random = new Random(seed);
    const { clock, dma, memory } = new DmaHost();
    const device = Object.assign(new EchoDevice(), { delay: 50 });
    const line = new FakeLine();
    const mmio = new VirtioMmio({ name: 'mmio', clock, ledger: new Ledger(), dma, line, device, ...OPTIONS });
    for (let count = 0; count < ACCESSES; count++) {
      const width = random.pick(WIDTHS);
      const offset = random.below(VirtioMmio.size / width) * width;
      if (random.below(3) === 0) mmio.read(offset, width);
      else mmio.write(offset, width, value(random));
      if (random.below(8) === 0) clock.runUntil(clock.now + random.below(100));
    }
    clock.runUntil(clock.now + 1000);
    expect(clock.nextEvent).toBe(Infinity);
    device.delay = 0;
    const driver = new MockDriver(new MmioDriverTransport(mmio), new GuestMemory(memory));
    expect(driver.start()).toBe(true);
    expect(line.level).toBe(false);
    driver.submit(0, X);
    clock.runUntil(clock.now);
    expect(driver.poll(0)?.bytes).toEqual(X.out[0]);
    expect(mmio.read(L.MMIO_INTERRUPT_STATUS, 4)).toBe(1);
  });
});
