import { DMA_ABORT, DMA_OK } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import type { PciFunction } from './function.js';
import { ConventionalBridge, RootPort, SwitchDownstreamPort, SwitchUpstreamPort } from './port.js';
import * as R from './registers.js';
import { FakeFunction, FakeHost, FakeRegisters, RAM_BASE } from './testing/index.js';

function below(): { host: FakeHost; port: RootPort; fn: FakeFunction } {
  const host = new FakeHost();
  const port = host.root.plug(new RootPort());
  const fn = port.plug(new FakeFunction());
  return { host, port, fn };
}

function number(
  host: FakeHost,
  bridge: PciFunction,
  primary: number,
  secondary: number,
  subordinate: number,
): void {
  host.configWrite(bridge, R.PRIMARY_BUS, 4, primary | (secondary << 8) | (subordinate << 16));
}

function openMemory(host: FakeHost, bridge: PciFunction, first: number, last: number): void {
  host.configWrite(bridge, R.MEMORY_BASE, 4, ((first >>> 16) & 0xfff0) | (last & 0xfff0_0000));
  host.configWrite(bridge, R.COMMAND, 2, R.COMMAND_MEMORY | R.COMMAND_IO | R.COMMAND_BUS_MASTER);
}

describe('bus numbers', () => {
  it('PCIe 7.3.3: a request goes down through every bridge whose range holds the bus, and no other', () => {
    const host = new FakeHost();
    const upstream = host.root.plug(new RootPort()).plug(new SwitchUpstreamPort());
    const down = [1, 2].map((slot) => upstream.plug(new SwitchDownstreamPort(), { slot }));
    const fns = down.map((port, index) => port.plug(new FakeFunction({ device: 0x10 + index })));
    host.enumerate();
    expect(fns.map((fn) => fn.address)).toEqual(['03:00.0', '04:00.0']);
    expect(host.root.configRead(4, 0, R.DEVICE_ID, 2)).toBe(0x11);
    expect(host.root.configRead(5, 0, R.DEVICE_ID, 2)).toBe(0xffff);
    number(host, upstream, 1, 2, 3);
    expect(host.root.configRead(4, 0, R.DEVICE_ID, 2)).toBe(0xffff);
    expect(host.root.configRead(3, 0, R.DEVICE_ID, 2)).toBe(0x10);
  });

  it('PCIe 7.5.1.3.2 to 7.5.1.3.4: the three registers hold what was written; the secondary latency timer is 0', () => {
    const { host, port } = below();
    host.configWrite(port, R.PRIMARY_BUS, 4, 0xffff_ffff);
    expect(host.configRead(port, R.PRIMARY_BUS, 4)).toBe(0x00ff_ffff);
  });

  it('PCIe 2.2.6.2: requester IDs follow the bus number', () => {
    const { host, port, fn } = below();
    expect(fn.dma.requester).toBe(0);
    number(host, port, 0, 9, 9);
    expect(fn.dma.requester).toBe(0x0900);
    expect(host.root.configRead(9, 0, 0, 2)).toBe(0x1b36);
  });

  it('numbers that make no sense lead nowhere and do no harm', () => {
    const { host, port } = below();
    for (const [secondary, subordinate] of [
      [0, 0],
      [5, 4],
      [0, 255],
    ] as const) {
      number(host, port, 0, secondary, subordinate);
      for (let bus = 1; bus < 256; bus++) expect(host.root.configRead(bus, 0, 0, 4)).toBe(0xffff_ffff);
      expect(host.root.configRead(0, 0, 0, 2)).toBe(0x1b36);
    }
  });
});

describe('bridge windows', () => {
  it('PCIe 7.5.1.3.8: memory base and limit have a unit of 1 MiB; low bits are read-only 0', () => {
    const { host, port } = below();
    host.configWrite(port, R.MEMORY_BASE, 4, 0xffff_ffff);
    expect(host.configRead(port, R.MEMORY_BASE, 4)).toBe(0xfff0_fff0);
  });

  it('PCIe 7.5.1.3.9: the prefetchable window says that it has 64 bits, the I/O window that it has 16', () => {
    const { host, port } = below();
    expect(host.configRead(port, R.PREFETCHABLE_BASE, 4)).toBe(0x0001_0001);
    host.configWrite(port, R.PREFETCHABLE_BASE_UPPER, 4, 0xffff_ffff);
    expect(host.configRead(port, R.PREFETCHABLE_BASE_UPPER, 4)).toBe(0xffff_ffff);
    host.configWrite(port, R.IO_BASE, 2, 0xffff);
    expect(host.configRead(port, R.IO_BASE, 2)).toBe(0xf0f0);
  });

  it('PCIe 7.5.1.3.8: a BAR answers inside its bridge window only', () => {
    const { host, port, fn } = below();
    number(host, port, 0, 1, 1);
    openMemory(host, port, 0x4010_0000, 0x401f_ffff);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_MEMORY);
    host.configWrite(fn, R.BAR0, 4, 0x4010_0000);
    expect(host.load(0x4010_0000)).toBe(0);
    host.configWrite(fn, R.BAR0, 4, 0x4020_0000);
    expect(host.load(0x4020_0000)).toBe(0xffff_ffff);
    openMemory(host, port, 0x4010_0000, 0x402f_ffff);
    expect(host.load(0x4020_0000)).toBe(0);
    openMemory(host, port, 0x4030_0000, 0x402f_ffff);
    expect(host.load(0x4020_0000)).toBe(0xffff_ffff);
  });

  it('a BAR that reaches beyond its window answers inside it, at the right offsets', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort());
    const registers = new FakeRegisters(0x40_0000);
    registers.bytes.fill(0xa5, 0x10_0000, 0x20_0000);
    const fn = port.plug(new FakeFunction({ size: 0 }));
    fn.addBar(0, { kind: 'memory', size: 0x40_0000, regions: [{ name: 'large', handler: registers }] });
    number(host, port, 0, 1, 1);
    openMemory(host, port, 0x4010_0000, 0x401f_ffff);
    host.configWrite(fn, R.BAR0, 4, 0x4000_0000);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_MEMORY);
    expect(host.load(0x400f_fffc)).toBe(0xffff_ffff);
    expect(host.load(0x4010_0000)).toBe(0xa5a5_a5a5);
    expect(registers.accesses).toEqual([{ kind: 'read', offset: 0x10_0000, width: 4, value: 0xa5a5_a5a5 }]);
    expect(host.load(0x4020_0000)).toBe(0xffff_ffff);
  });

  it('PCIe 7.5.1.3.9: a 64-bit BAR answers through the prefetchable window above 4 GiB', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort());
    const fn = new FakeFunction({ size: 0 });
    const handler = new FakeRegisters(0x1000);
    fn.addBar(0, {
      kind: 'memory',
      size: 0x1000,
      bits: 64,
      prefetchable: true,
      regions: [{ name: 'high', handler }],
    });
    port.plug(fn);
    host.enumerate();
    host.enable(fn);
    expect(host.barAddress(fn, 0)).toBe(0x4_0000_0000);
    expect(host.write(fn, 0, 0x10, 0x1234)).toBe(true);
    expect(host.read(fn, 0, 0x10)).toBe(0x1234);
  });

  it('PCIe 7.5.1.3.6: an I/O BAR answers through the I/O window, unit 4 KiB', () => {
    const host = new FakeHost();
    const bridge = host.root.plug(new ConventionalBridge());
    const fn = new FakeFunction({ size: 0 });
    fn.addBar(2, { kind: 'io', size: 16, regions: [{ name: 'ports', handler: new FakeRegisters(16) }] });
    bridge.plug(fn);
    host.enumerate();
    host.enable(fn);
    expect(host.write(fn, 2, 4, 0xab, 1)).toBe(true);
    expect(host.read(fn, 2, 4, 1)).toBe(0xab);
    host.configWrite(bridge, R.IO_BASE, 2, 0x40f0);
    expect(host.read(fn, 2, 4, 1)).toBe(0xff);
  });

  it('PCIe 7.5.1.1.3: memory enable of the bridge opens and closes its windows', () => {
    const { host, port, fn } = below();
    host.enumerate();
    host.enable(fn);
    expect(host.read(fn, 0, 0)).toBe(0);
    host.configWrite(port, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
    expect(host.read(fn, 0, 0)).toBe(0xffff_ffff);
  });

  it('PCI-to-PCI Bridge 1.2, 3.2.5.7: a conventional bridge notes the master abort below it, a port does not', () => {
    for (const bridge of [new ConventionalBridge(), new RootPort()]) {
      const host = new FakeHost();
      host.root.plug(bridge);
      bridge.plug(new FakeFunction());
      host.enumerate();
      host.configWrite(bridge, R.SECONDARY_STATUS, 2, 0xffff);
      openMemory(host, bridge, 0x4010_0000, 0x401f_ffff);
      host.load(0x4018_0000);
      const noted = bridge instanceof ConventionalBridge ? R.STATUS_RECEIVED_MASTER_ABORT : 0;
      expect(host.configRead(bridge, R.SECONDARY_STATUS, 2)).toBe(noted);
    }
  });
});

describe('bus mastering', () => {
  const one = new Uint8Array(1);

  it('PCIe 7.5.1.1.3: DMA needs bus master enable of the function and of every bridge above', () => {
    const { host, port, fn } = below();
    host.enumerate();
    expect(fn.dma.read(RAM_BASE, 0, one)).toBe(DMA_ABORT);
    host.configWrite(fn, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
    expect(fn.dma.read(RAM_BASE, 0, one)).toBe(DMA_ABORT);
    host.configWrite(port, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
    expect(fn.dma.read(RAM_BASE, 0, one)).toBe(DMA_OK);
  });

  it('PCIe 7.5.1.1.4: a read that nobody answers sets received master abort; a posted write does not', () => {
    const { host, fn } = below();
    host.enumerate();
    host.enable(fn);
    expect(fn.dma.write(0x1000, 0, one)).toBe(DMA_ABORT);
    expect(host.configRead(fn, R.STATUS, 2) & R.STATUS_RECEIVED_MASTER_ABORT).toBe(0);
    expect(fn.dma.read(0x1000, 0, one)).toBe(DMA_ABORT);
    expect(host.configRead(fn, R.STATUS, 2) & R.STATUS_RECEIVED_MASTER_ABORT).toBe(
      R.STATUS_RECEIVED_MASTER_ABORT,
    );
  });

  it('DMA cannot make configuration requests', () => {
    const { host, fn } = below();
    host.enumerate();
    host.enable(fn);
    const before = host.root.configRead(0, 1 << 3, R.COMMAND, 2);
    expect(fn.dma.write(0x3000_8004, 0, new Uint8Array(4))).toBe(DMA_ABORT);
    expect(host.root.configRead(0, 1 << 3, R.COMMAND, 2)).toBe(before);
  });
});

describe('secondary bus reset', () => {
  it('PCIe 7.5.1.3.13 and 6.6.1: functions below are reset and cannot be reached while the bit is set', () => {
    const { host, port, fn } = below();
    host.enumerate();
    host.enable(fn);
    fn.interrupt.set(true);
    fn.told.length = 0;
    const before = host.barAddress(fn, 0);
    host.configWrite(port, R.BRIDGE_CONTROL, 2, R.BRIDGE_SECONDARY_RESET);
    expect(fn.told).toEqual(['reset: bus']);
    expect(host.configRead(fn, 0, 4)).toBe(0xffff_ffff);
    expect(host.load(before)).toBe(0xffff_ffff);
    expect(host.lines).toEqual([false, false, false, false]);
    host.configWrite(port, R.BRIDGE_CONTROL, 2, 0);
    expect(host.configRead(fn, R.COMMAND, 2)).toBe(0);
    expect(host.configRead(fn, R.BAR0, 4)).toBe(0);
    expect(host.configRead(port, R.SECONDARY_BUS, 1)).toBe(1);
    expect(fn.told).toEqual(['reset: bus']);
  });

  it('PCIe 6.6.1: the reset reaches everything below bridges below', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort());
    const bridge = port.plug(new ConventionalBridge());
    const fn = bridge.plug(new FakeFunction());
    host.enumerate();
    fn.told.length = 0;
    host.configWrite(port, R.BRIDGE_CONTROL, 2, R.BRIDGE_SECONDARY_RESET);
    host.configWrite(port, R.BRIDGE_CONTROL, 2, 0);
    expect(fn.told).toEqual(['reset: bus']);
    expect(host.configRead(bridge, R.SECONDARY_BUS, 1)).toBe(0);
  });

  it('PCIe 5.3.1.4: below a bridge in D3hot nothing is reached', () => {
    const { host, port, fn } = below();
    host.enumerate();
    host.enable(fn);
    const control = host.findCapability(port, R.CAPABILITY_POWER) + 4;
    host.configWrite(port, control, 2, 3);
    expect(host.configRead(fn, 0, 4)).toBe(0xffff_ffff);
    expect(host.read(fn, 0, 0)).toBe(0xffff_ffff);
    expect(fn.dma.read(RAM_BASE, 0, new Uint8Array(1))).toBe(DMA_ABORT);
    host.configWrite(port, control, 2, 0);
    expect(host.read(fn, 0, 0)).toBe(0);
  });
});
