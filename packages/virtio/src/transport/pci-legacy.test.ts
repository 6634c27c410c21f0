import { registers as R } from '@vmloom/pci';
import { FakeHost } from '@vmloom/pci/testing';
import { describe, expect, it } from 'vitest';
import * as F from '../features.js';
import * as L from '../layout-offsets.js';
import {
  EchoDevice,
  GuestMemory,
  LegacyDriverTransport,
  MockDriver,
  PciDriverTransport,
} from '../testing/index.js';
import { VirtioPci, type VirtioPciOptions } from './virtio-pci.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

function legacyBench(options: Partial<VirtioPciOptions> = {}) {
  const host = new FakeHost({ reserve: 0x10_0000 });
  const device = new EchoDevice({ type: 1 });
  const fn = host.install(new VirtioPci({ legacy: true, ...options, device }));
  const transport = new LegacyDriverTransport(host, fn);
  return { host, device, fn, transport, driver: new MockDriver(transport, new GuestMemory(host.memory)) };
}

describe('the legacy interface', () => {
  it('4.1.4.10: a driver of before 1.0 moves chains, in the pages where it lays them', () => {
    const { host, device, driver, transport } = legacyBench();
    expect(driver.start({ legacy: true })).toBe(true);
    expect(device.log).toContain('started');
    expect(transport.queueLimit(0)).toBe(256);
    driver.submit(0, { out: [text('old')], in: [3] });
    host.run();
    expect(decode(driver.poll(0)?.bytes)).toBe('old');
    expect(host.lines.includes(true)).toBe(true);
    expect(transport.isr()).toBe(1);
    expect(transport.read(L.PCI_LEGACY_QUEUE_ADDRESS, 4)).toBe(driver.queues[0].descriptors / 4096);
  });

  it('2.2.3: features above 31 and rings of 1.0 are not offered', () => {
    const { transport, fn } = legacyBench({ packed: true, inOrder: true });
    expect(transport.offered() >> 32n).toBe(0n);
    expect(F.hasFeature(transport.offered(), F.VIRTIO_F_ANY_LAYOUT)).toBe(true);
    expect(F.hasFeature(fn.endpoint.offered(), F.VIRTIO_F_ANY_LAYOUT)).toBe(false);
  });

  it('6.1: a device behind an IOMMU has no legacy interface', () => {
    const device = new EchoDevice({ type: 1 });
    expect(new VirtioPci({ device, accessPlatform: true }).legacy).toBe(false);
    expect(() => new VirtioPci({ device, accessPlatform: true, legacy: true })).toThrow(/IOMMU/);
  });

  it('4.1.4.10: configuration space follows the header, behind two vectors while MSI-X is enabled', () => {
    const { host, fn, transport } = legacyBench();
    expect(transport.read(20, 4)).toBe(0x0403_0201);
    new PciDriverTransport(host, fn).enableMsix(3);
    expect(transport.read(24, 4)).toBe(0x0403_0201);
    transport.write(L.PCI_LEGACY_CONFIG_MSIX_VECTOR, 2, 2);
    expect(transport.read(L.PCI_LEGACY_CONFIG_MSIX_VECTOR, 2)).toBe(2);
    transport.write(L.PCI_LEGACY_QUEUE_MSIX_VECTOR, 2, 9);
    expect(transport.read(L.PCI_LEGACY_QUEUE_MSIX_VECTOR, 2)).toBe(0xffff);
  });

  it('4.1.4.10: page 0 gives a queue back; status 0 resets', () => {
    const { transport, driver } = legacyBench();
    driver.start({ legacy: true });
    transport.queueLimit(1);
    transport.write(L.PCI_LEGACY_QUEUE_ADDRESS, 4, 0);
    expect(transport.read(L.PCI_LEGACY_QUEUE_ADDRESS, 4)).toBe(0);
    transport.writeStatus(0);
    expect(transport.readStatus()).toBe(0);
    transport.queueLimit(0);
    expect(transport.read(L.PCI_LEGACY_QUEUE_ADDRESS, 4)).toBe(0);
  });

  it('4.1.4.10: a device may have the legacy interface alone', () => {
    const host = new FakeHost({ reserve: 0x10_0000 });
    const fn = host.install(new VirtioPci({ device: new EchoDevice({ type: 2 }), modern: false }));
    expect(host.findCapability(fn, R.CAPABILITY_VENDOR)).toBe(0);
    const driver = new MockDriver(new LegacyDriverTransport(host, fn), new GuestMemory(host.memory));
    driver.start({ legacy: true });
    driver.submit(0, { out: [text('x')], in: [1] });
    host.run();
    expect(driver.poll(0)).toBeDefined();
  });
});
