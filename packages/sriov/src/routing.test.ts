import { DMA_ABORT, DMA_OK } from '@vmloom/device';
import { RootPort, registers as R } from '@vmloom/pci';
import { FakeFunction, FakeHost, RAM_BASE } from '@vmloom/pci/testing';
import { describe, expect, it } from 'vitest';
import { FakePhysicalFunction, SriovDriver, type FakePhysicalOptions } from './testing/index.js';

const one = new Uint8Array(4);

function setup(options: FakePhysicalOptions, ariForwarding = true) {
  const host = new FakeHost();
  const port = host.root.plug(new RootPort({ ariForwarding }));
  const pf = port.plug(new FakePhysicalFunction(options));
  host.enumerate();
  host.enable(pf);
  const driver = new SriovDriver(host, pf);
  return { host, port, pf, driver };
}

/** Tells each present function that it may master the bus, and has it send a message by its first vector. */
function requesters({ host, pf, driver }: ReturnType<typeof setup>): number[] {
  pf.functions.forEach((fn, index) => {
    driver.configWrite(index, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
    driver.configWrite(index, host.findCapability(fn, R.CAPABILITY_MSIX) + 2, 2, 0x8000);
    host.write(fn, 3, 0, RAM_BASE);
    host.write(fn, 3, 12, 0);
    fn.interrupt.send(0);
  });
  host.run();
  return host.messages.map(({ requester }) => requester);
}

describe('routing IDs', () => {
  it('PCIe 9.2.1.2: each ID is the first offset and a number of strides from that of the physical function', () => {
    const made = setup({ placing: { offset: 0x80, stride: 2 }, total: 7 });
    made.driver.enable(7);
    expect(made.pf.functions.map((fn) => fn.address)).toEqual([
      '01:10.0',
      '01:10.2',
      '01:10.4',
      '01:10.6',
      '01:11.0',
      '01:11.2',
      '01:11.4',
    ]);
    expect(requesters(made)).toEqual([0x180, 0x182, 0x184, 0x186, 0x188, 0x18a, 0x18c]);
  });

  it('PCIe 9.2.1.2: IDs go on to the bus numbers that follow, as far as the bridge above claims them', () => {
    const made = setup({ placing: { offset: 0xff, stride: 0x101 }, total: 3 });
    const { host, port, pf, driver } = made;
    expect(port.subordinateBusNumber).toBe(4);
    driver.enable(3);
    expect(pf.functions.map((fn) => fn.address)).toEqual(['01:1f.7', '03:00.0', '04:00.1']);
    expect(requesters(made)).toEqual([0x1ff, 0x300, 0x401]);
    host.configWrite(port, R.SUBORDINATE_BUS, 1, 3);
    expect(driver.configRead(1, R.HEADER_TYPE, 1)).toBe(0);
    expect(driver.configRead(2, R.HEADER_TYPE, 1)).toBe(0xff);
    expect(pf.functions[1].dma.read(RAM_BASE, 0, one)).toBe(DMA_OK);
    expect(pf.functions[2].dma.read(RAM_BASE, 0, one)).toBe(DMA_ABORT);
  });

  it('PCIe 9.2.1.2: they follow the bus number of the physical function', () => {
    const { host, port, pf, driver } = setup({ placing: { offset: 0x100, stride: 1 } });
    driver.enable(1);
    host.configWrite(port, R.PRIMARY_BUS, 4, 0x0b0a00);
    expect(pf.functions[0].requester).toBe(0x0b00);
    expect(driver.configRead(0, R.HEADER_TYPE, 1)).toBe(0);
  });

  it('PCIe 6.13: without ARI forwarding functions 8 to 255 cannot be reached, those on following buses can', () => {
    const { pf, driver } = setup(
      {
        placing: { offset: 0x80, stride: 2 },
        placingWithoutAri: { offset: 0x180, stride: 2 },
      },
      false,
    );
    driver.enable(2);
    expect(pf.functions[1].address).toBe('02:10.2');
    expect(driver.configRead(1, R.HEADER_TYPE, 1)).toBe(0);
    const behind = setup({ placing: { offset: 7, stride: 1 } }, false);
    behind.driver.enable(2);
    expect(behind.driver.configRead(0, R.HEADER_TYPE, 1)).toBe(0);
    expect(behind.driver.configRead(1, R.HEADER_TYPE, 1)).toBe(0xff);
  });

  it('PCIe 7.5.1.1.9: virtual functions do not make a device one of several functions', () => {
    const { host, pf, driver } = setup({ placing: { offset: 1, stride: 1 } });
    driver.enable(4);
    expect(host.configRead(pf, R.HEADER_TYPE, 1)).toBe(0);
    expect(driver.configRead(0, R.HEADER_TYPE, 1)).toBe(0);
  });

  it('a place that another function has, or that is beyond bus 255, stays without a virtual function', () => {
    const { host, port, pf, driver } = setup({ placing: { offset: 1, stride: 0xffff }, total: 3 });
    const other = port.plug(new FakeFunction(), { function: 1 });
    driver.enable(3);
    expect(pf.functions.map((fn) => fn.isPresent)).toEqual([false, false, false]);
    expect(other.address).toBe('01:00.1');
    driver.disable();
    port.secondaryBus.unplug(other);
    driver.enable(3);
    expect(pf.functions.map((fn) => fn.isPresent)).toEqual([true, false, false]);
    const far = setup({ placing: { offset: 0xffff, stride: 1 }, total: 1 });
    far.driver.enable(1);
    expect(far.pf.functions[0].isPresent).toBe(true);
    far.host.configWrite(far.pf.functions[0], R.COMMAND, 2, R.COMMAND_BUS_MASTER);
    expect(far.pf.functions[0].dma.enabled).toBe(false);
    expect(host.root.configRead(0xff, 0xff, 0, 4)).toBe(0xffff_ffff);
  });

  it('PCIe 9.2.1.2: integrated in a root complex, virtual functions stay on their bus', () => {
    const host = new FakeHost();
    const integrated = { type: 'integrated-endpoint' } as const;
    const placing = { offset: 0x100 - 8 - 1, stride: 1 };
    const pf = host.install(new FakePhysicalFunction({ express: integrated, placing }), { slot: 1 });
    const driver = new SriovDriver(host, pf);
    driver.enable(4);
    expect(pf.functions.map((fn) => fn.isPresent)).toEqual([true, false, false, false]);
    expect(pf.functions[0].address).toBe('00:1f.7');
  });
});
