import { DMA_ABORT, DMA_OK } from '@vmloom/device';
import { ExpressCapability, PciError, RootPort, dumpConfiguration, registers as R } from '@vmloom/pci';
import { FakeFunction, FakeHost, RAM_BASE } from '@vmloom/pci/testing';
import { describe, expect, it } from 'vitest';
import { AriCapability } from './ari.js';
import { SriovCapability } from './sriov.js';
import { FakePhysicalFunction, SriovDriver, type FakePhysicalOptions } from './testing/index.js';

const one = new Uint8Array(4);

function setup(options: FakePhysicalOptions = {}) {
  const host = new FakeHost();
  const pf = host.root.plug(new RootPort()).plug(new FakePhysicalFunction(options));
  host.enumerate();
  host.enable(pf);
  const driver = new SriovDriver(host, pf);
  driver.enable(pf.functions.length);
  return { host, pf, vf: pf.functions[1], driver };
}

describe('configuration space of a virtual function', () => {
  it('PCIe 9.3.4.1: vendor and device ID read FFFFh; identity is that of the physical function', () => {
    const { host, pf, driver } = setup();
    expect(driver.configRead(0, R.VENDOR_ID, 4)).toBe(0xffff_ffff);
    for (const [at, width] of [
      [R.REVISION_ID, 4],
      [R.SUBSYSTEM_VENDOR_ID, 4],
    ] as const) {
      expect(driver.configRead(0, at, width)).toBe(host.configRead(pf, at, width));
    }
    expect(dumpConfiguration([pf.functions[0]])).toContain('00ff: 1b36:00f5');
  });

  it('PCIe 9.3.4.1.3: of the command register bus master enable alone is there', () => {
    const { driver } = setup();
    driver.configWrite(0, R.COMMAND, 2, 0xffff);
    expect(driver.configRead(0, R.COMMAND, 2)).toBe(R.COMMAND_BUS_MASTER);
  });

  it('PCIe 9.3.4.1: BARs, ROM, INTx, cache line size and interrupt line read 0 and stay so', () => {
    const { host, vf, driver } = setup();
    for (let at = R.BAR0; at < 0x28; at += 4) driver.configWrite(1, at, 4, 0xffff_ffff);
    for (const at of [R.EXPANSION_ROM, R.INTERRUPT_LINE, R.CACHE_LINE_SIZE & ~3]) {
      driver.configWrite(1, at, 4, 0xffff_ffff);
    }
    for (let at = R.BAR0; at < 0x28; at += 4) expect(driver.configRead(1, at, 4)).toBe(0);
    expect(driver.configRead(1, R.EXPANSION_ROM, 4)).toBe(0);
    expect(driver.configRead(1, R.INTERRUPT_LINE, 2)).toBe(0);
    expect(driver.configRead(1, R.CACHE_LINE_SIZE, 2)).toBe(0);
    vf.interrupt.set(true);
    expect(host.lines).toEqual([false, false, false, false]);
    expect(driver.configRead(1, R.STATUS, 2) & R.STATUS_INTERRUPT).toBe(0);
  });

  it('PCIe 9.3.4.1.3: bus master enable is each function’s own', () => {
    const { host, pf, vf, driver } = setup();
    driver.configWrite(1, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
    host.configWrite(pf, R.COMMAND, 2, 0);
    expect(vf.dma.read(RAM_BASE, 0, one)).toBe(DMA_OK);
    expect(pf.functions[0].dma.read(RAM_BASE, 0, one)).toBe(DMA_ABORT);
    expect(pf.dma.read(RAM_BASE, 0, one)).toBe(DMA_ABORT);
  });

  it('PCIe 9.3.5: device and link capabilities are those of the physical function, control is not there', () => {
    const { host, pf, vf } = setup({ express: { speed: 2, width: 4, maxPayload: 512 } });
    const at = host.findCapability(vf, R.CAPABILITY_EXPRESS);
    const of = host.findCapability(pf, R.CAPABILITY_EXPRESS);
    for (const register of [0x02, 0x04, 0x0c, 0x24, 0x2c]) {
      expect(host.configRead(vf, at + register, 4)).toBe(host.configRead(pf, of + register, 4));
    }
    for (const register of [0x08, 0x10, 0x28, 0x30]) {
      host.configWrite(vf, at + register, 2, 0x7fff);
      expect(host.configRead(vf, at + register, 4)).toBe(0);
    }
  });

  it('PCIe 9.3.7: physical and virtual functions have ARI; the next function is named in the first alone', () => {
    const { host, pf, vf } = setup();
    for (const fn of [pf, vf]) {
      const at = host.findExtendedCapability(fn, R.EXTENDED_ARI);
      host.configWrite(fn, at + 4, 4, 0xffff_ffff);
      expect(host.configRead(fn, at + 4, 4)).toBe(0);
    }
    expect(host.findExtendedCapability(vf, R.EXTENDED_SRIOV)).toBe(0);
    const first = new FakeFunction();
    first.addCapability(new ExpressCapability({ type: 'endpoint' }));
    const ari = first.addCapability(new AriCapability(1));
    expect(first.configRead(ari.offset + 4, 4)).toBe(0x100);
  });

  it('PCIe 9.5: each function has MSI-X of its own, in its share of the VF BAR', () => {
    const { host, pf, driver } = setup();
    for (const [index, fn] of pf.functions.entries()) {
      driver.configWrite(index, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
      driver.configWrite(index, host.findCapability(fn, R.CAPABILITY_MSIX) + 2, 2, 0x8000);
      host.store(driver.barAddress(index, 3) + 16, RAM_BASE + index * 4);
      host.store(driver.barAddress(index, 3) + 24, 40 + index);
      host.store(driver.barAddress(index, 3) + 28, 0);
      fn.interrupt.send(1);
    }
    host.run();
    expect(
      host.messages.map(({ requester, address, data }) => [requester, address - RAM_BASE, data]),
    ).toEqual(pf.functions.map((fn, index) => [fn.requester, index * 4, 40 + index]));
  });
});

describe('reset', () => {
  const functionReset = (host: FakeHost, fn: FakePhysicalFunction | FakePhysicalFunction['functions'][0]) =>
    host.configWrite(fn, host.findCapability(fn, R.CAPABILITY_EXPRESS) + 8, 2, 0x8000);

  it('PCIe 9.2.2.2: function level reset of a virtual function is its own; it stays there with its memory', () => {
    const { host, pf, vf, driver } = setup();
    for (const fn of pf.functions) {
      host.configWrite(fn, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
      host.write(fn, 0, 0, 0x55);
    }
    functionReset(host, vf);
    expect(vf.told.at(-1)).toBe('reset: function');
    expect(pf.functions.map((fn) => fn.peek(0))).toEqual([0x55, 0, 0x55, 0x55]);
    expect(pf.functions.map((fn) => fn.dma.enabled)).toEqual([true, false, true, true]);
    host.store(driver.barAddress(1, 0), 0x66);
    expect(vf.peek(0)).toBe(0x66);
  });

  it('PCIe 9.2.2.3: function level reset of the physical one ends its virtual ones, and their memory', () => {
    const { host, pf, driver } = setup();
    functionReset(host, pf);
    expect(pf.sriov.present).toBe(0);
    expect(pf.functions.map((fn) => fn.told.at(-1))).toEqual(new Array(4).fill('reset: power-on'));
    expect([driver.read(8), driver.read(0x10), driver.read(0x20), driver.read(0x24, 4)]).toEqual([
      0, 0, 1, 0xc,
    ]);
    expect(driver.configRead(0, R.HEADER_TYPE, 1)).toBe(0xff);
  });

  it('PCIe 9.2.2.1: so does a reset of the bus above', () => {
    const { host, pf, driver } = setup();
    const port = pf.bus!.bridge!;
    host.configWrite(port, R.BRIDGE_CONTROL, 2, R.BRIDGE_SECONDARY_RESET);
    host.configWrite(port, R.BRIDGE_CONTROL, 2, 0);
    expect(pf.sriov.present).toBe(0);
    expect(driver.configRead(0, R.HEADER_TYPE, 1)).toBe(0xff);
  });

  it('PCIe 9.6: while the physical function is in D3hot its virtual ones are silent; the way back resets them', () => {
    for (const noSoftReset of [false, true]) {
      const { host, pf, vf, driver } = setup({ noSoftReset });
      host.configWrite(vf, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
      const power = host.findCapability(pf, R.CAPABILITY_POWER) + 4;
      host.configWrite(pf, power, 2, 3);
      expect(vf.dma.read(RAM_BASE, 0, one)).toBe(DMA_ABORT);
      expect(host.load(driver.barAddress(1, 0))).toBe(0xffff_ffff);
      host.configWrite(pf, power, 2, 0);
      expect(pf.sriov.present).toBe(noSoftReset ? 4 : 0);
      expect(vf.dma.enabled).toBe(noSoftReset);
    }
  });

  it('PCIe 6.7: a card leaves its slot with its virtual functions', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort({ slot: { number: 1 } }));
    const pf = port.plug(new FakePhysicalFunction());
    host.enumerate();
    new SriovDriver(host, pf).enable(4);
    expect(port.secondaryBus.functions).toHaveLength(5);
    port.slot!.remove();
    expect(port.secondaryBus.functions).toEqual([]);
    expect(pf.functions[0].told.at(-1)).toBe('detached');
    port.slot!.insert(pf);
    expect(pf.sriov.present).toBe(0);
    expect(port.secondaryBus.functions).toEqual([pf]);
  });
});

describe('what is refused', () => {
  const refused = (work: () => unknown, code: string): void => {
    expect(work).toThrow(PciError);
    expect(work).toThrow(expect.objectContaining({ code }) as Error);
  };

  it('numbers that make no sense', () => {
    refused(
      () => new SriovCapability({ functions: [], placing: { offset: 1, stride: 1 } }),
      'bad-capability',
    );
    refused(() => new FakePhysicalFunction({ placing: { offset: 0, stride: 1 } }), 'bad-capability');
    refused(() => new FakePhysicalFunction({ pageSizes: 2 ** 20 }), 'bad-capability');
  });

  it('a virtual function without a physical one, with I/O space, or plugged in by hand', () => {
    const { host, pf, vf } = setup();
    refused(() => vf.addBar(1, { kind: 'io', size: 16 }), 'bad-bar');
    refused(() => host.root.plug(vf), 'bad-slot');
    refused(() => pf.bus!.unplug(vf), 'not-plugged');
    const taken = { functions: pf.functions, placing: { offset: 1, stride: 1 } };
    refused(() => new FakeFunction().addCapability(new SriovCapability(taken)), 'bad-capability');
  });
});
