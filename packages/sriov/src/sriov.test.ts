import { RootPort, registers as R } from '@vmloom/pci';
import { FakeHost } from '@vmloom/pci/testing';
import { describe, expect, it } from 'vitest';
import * as S from './registers.js';
import { FakePhysicalFunction, SriovDriver, type FakePhysicalOptions } from './testing/index.js';

function setup(options: FakePhysicalOptions = {}): {
  host: FakeHost;
  port: RootPort;
  pf: FakePhysicalFunction;
  driver: SriovDriver;
} {
  const host = new FakeHost();
  const port = host.root.plug(new RootPort());
  const pf = port.plug(new FakePhysicalFunction(options));
  host.enumerate();
  host.enable(pf);
  return { host, port, pf, driver: new SriovDriver(host, pf) };
}

describe('the capability of the physical function', () => {
  it('PCIe 9.3.3.1, 9.3.3.2, 9.3.3.4: header, and neither migration nor status', () => {
    const { driver } = setup();
    expect(driver.read(0, 4) & 0xf_ffff).toBe(0x1_0010);
    expect(driver.read(S.CAPABILITIES, 4)).toBe(0);
    driver.write(S.STATUS, 0xffff);
    expect(driver.read(S.STATUS)).toBe(0);
    expect(driver.read(S.MIGRATION_STATE, 4)).toBe(0);
  });

  it('PCIe 9.3.3.5, 9.3.3.6: InitialVFs is TotalVFs, and both are read-only', () => {
    const { driver } = setup({ total: 5 });
    driver.write(S.INITIAL_VFS, 0, 4);
    expect([driver.read(S.INITIAL_VFS), driver.read(S.TOTAL_VFS)]).toEqual([5, 5]);
  });

  it('PCIe 9.3.3.8, 9.3.3.11: dependency link and VF device ID', () => {
    const { driver } = setup({ dependencyLink: 3 });
    expect(driver.read(S.DEPENDENCY_LINK, 1)).toBe(3);
    expect(driver.read(S.VF_DEVICE_ID)).toBe(0x00f5);
  });

  it('PCIe 9.3.3.3: of the control register three bits are there, two in functions that are not the lowest', () => {
    const { driver } = setup();
    driver.write(S.CONTROL, 0xfffe);
    expect(driver.read(S.CONTROL)).toBe(S.VF_MEMORY_ENABLE | S.ARI_CAPABLE_HIERARCHY);
    const other = setup({ lowest: false }).driver;
    other.write(S.CONTROL, 0xfffe);
    expect(other.read(S.CONTROL)).toBe(S.VF_MEMORY_ENABLE);
  });

  it('PCIe 9.3.3.3.5: ARI capable hierarchy decides on first VF offset and stride', () => {
    const { driver } = setup({
      placing: { offset: 0x80, stride: 2 },
      placingWithoutAri: { offset: 0x180, stride: 3 },
    });
    driver.write(S.CONTROL, 0);
    expect([driver.places.offset, driver.places.stride]).toEqual([0x180, 3]);
    driver.write(S.CONTROL, S.ARI_CAPABLE_HIERARCHY);
    expect([driver.places.offset, driver.places.stride]).toEqual([0x80, 2]);
    driver.write(S.FIRST_VF_OFFSET, 0xffff_ffff, 4);
    expect([driver.places.offset, driver.places.stride]).toEqual([0x80, 2]);
  });

  it('PCIe 9.3.3.3.5: it stays as it is while VF enable is set', () => {
    const { driver } = setup({ placingWithoutAri: { offset: 0x180, stride: 1 } });
    const before = driver.places;
    driver.enable(2);
    driver.write(S.CONTROL, driver.read(S.CONTROL) ^ S.ARI_CAPABLE_HIERARCHY);
    expect(driver.places).toEqual({ ...before, numVfs: 2 });
    expect(driver.configRead(1, R.VENDOR_ID, 2)).toBe(0xffff);
    expect(driver.configRead(1, R.HEADER_TYPE, 1)).toBe(0);
  });

  it('PCIe 9.3.3.12, 9.3.3.13: the six page sizes that are required; the system page is 4 KiB at first', () => {
    const { driver } = setup();
    expect(driver.read(S.SUPPORTED_PAGE_SIZES, 4)).toBe(0x553);
    expect(driver.read(S.SYSTEM_PAGE_SIZE, 4)).toBe(1);
    expect(setup({ pageSizes: 2 }).driver.read(S.SUPPORTED_PAGE_SIZES, 4)).toBe(0x553 | 2);
  });

  it('PCIe 9.3.3.13: sizes that are not supported, several at once and none leave it as it was', () => {
    const { driver } = setup();
    driver.write(S.SYSTEM_PAGE_SIZE, 0x10, 4);
    for (const wrong of [0, 3, 4, 0x8000_0000, 0xffff_ffff]) {
      driver.write(S.SYSTEM_PAGE_SIZE, wrong, 4);
      expect(driver.read(S.SYSTEM_PAGE_SIZE, 4)).toBe(0x10);
    }
    driver.write(S.SYSTEM_PAGE_SIZE + 1, 1, 1);
    expect(driver.read(S.SYSTEM_PAGE_SIZE, 4)).toBe(0x10);
    driver.enable(1);
    driver.write(S.SYSTEM_PAGE_SIZE, 1, 4);
    expect(driver.read(S.SYSTEM_PAGE_SIZE, 4)).toBe(0x10);
  });
});

describe('VF enable', () => {
  it('PCIe 9.3.3.3.1: nothing answers before it is set, NumVFs functions do then, none after it is cleared', () => {
    const { driver, host, pf } = setup();
    const found = (): number[] => [0, 1, 2, 3].map((index) => driver.configRead(index, R.HEADER_TYPE, 1));
    expect(found()).toEqual([0xff, 0xff, 0xff, 0xff]);
    expect([...host.root.functions()]).not.toContain(pf.functions[0]);
    driver.enable(3);
    expect(found()).toEqual([0, 0, 0, 0xff]);
    expect([...host.root.functions()].slice(-3)).toEqual(pf.functions.slice(0, 3));
    driver.disable();
    expect(found()).toEqual([0xff, 0xff, 0xff, 0xff]);
  });

  it('PCIe 9.3.3.3.1: what virtual functions held is lost when it is cleared', () => {
    const { driver, host, pf } = setup();
    driver.enable(1);
    driver.configWrite(0, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
    host.write(pf.functions[0], 0, 0, 0x1234);
    expect(pf.functions[0].dma.enabled).toBe(true);
    driver.disable();
    expect(pf.functions[0].dma.enabled).toBe(false);
    driver.enable(1);
    expect(driver.configRead(0, R.COMMAND, 2)).toBe(0);
    expect(host.read(pf.functions[0], 0, 0)).toBe(0);
  });

  it('PCIe 9.3.3.7: NumVFs stays as it is while VF enable is set', () => {
    const { driver } = setup();
    driver.enable(2);
    driver.write(S.NUM_VFS, 4);
    expect(driver.read(S.NUM_VFS)).toBe(2);
    expect(driver.configRead(3, R.HEADER_TYPE, 1)).toBe(0xff);
  });

  it('PCIe 9.3.3.7: 0 functions, and more than there are, are for software not to ask for', () => {
    const { driver, pf } = setup();
    driver.enable(0);
    expect(pf.sriov.present).toBe(0);
    driver.disable();
    driver.enable(0xffff);
    expect(pf.sriov.present).toBe(4);
    expect(driver.configRead(3, R.HEADER_TYPE, 1)).toBe(0);
  });

  it('the device is told how many there are', () => {
    const told: number[] = [];
    const { driver } = setup({ onChange: (present) => told.push(present) });
    driver.enable(2);
    driver.write(S.CONTROL, driver.read(S.CONTROL));
    driver.disable();
    expect(told).toEqual([2, 0]);
  });

  it('virtual functions are known before they are there, by the name of the physical one', () => {
    const { host, pf } = setup({ name: 'nic' });
    expect(pf.functions.map((fn) => fn.name)).toEqual(['nic.vf0', 'nic.vf1', 'nic.vf2', 'nic.vf3']);
    expect(pf.functions[0].told).toEqual(['attached at 0 ns']);
    expect(pf.functions[0].isPresent).toBe(false);
    expect(host.root.find('nic.vf0')).toBeUndefined();
  });
});

describe('VF BARs', () => {
  it('PCIe 9.2.1.1.1: sized as one share; each function answers in its own, in the order of functions', () => {
    const { driver, host, pf } = setup();
    expect(driver.barSize(0)).toBe(0x2000);
    driver.enable(3);
    for (const [index, fn] of pf.functions.slice(0, 3).entries()) {
      const address = driver.barAddress(index, 0);
      expect(address).toBe(driver.barAddress(0, 0) + index * 0x2000);
      host.store(address + 0x1ffc, 0xaa00 + index);
      expect(fn.peek(0x1ffc)).toBe(0xaa00 + index);
    }
    expect(host.load(driver.barAddress(3, 0))).toBe(0xffff_ffff);
  });

  it('PCIe 9.3.3.14: memory BARs of 32 or 64 bits; those that are not there read 0', () => {
    const { driver } = setup();
    expect(driver.read(S.VF_BAR0, 4) & 0xf).toBe(0xc);
    driver.write(S.VF_BAR0 + 8, 0xffff_ffff, 4);
    expect(driver.read(S.VF_BAR0 + 8, 4)).toBe(0);
    const narrow = setup({ bits: 32 });
    expect(narrow.driver.read(S.VF_BAR0, 4) & 0xf).toBe(0);
    narrow.driver.enable(4);
    narrow.host.store(narrow.driver.barAddress(3, 0), 7);
    expect(narrow.pf.functions[3].peek(0)).toBe(7);
  });

  it('PCIe 9.3.3.3.4: VF memory space enable decides; memory space enable of the physical function does not', () => {
    const { driver, host, pf } = setup();
    driver.enable(1);
    expect(host.read(pf.functions[0], 0, 0)).toBe(0);
    host.configWrite(pf, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
    expect(host.read(pf.functions[0], 0, 0)).toBe(0);
    driver.write(S.CONTROL, driver.read(S.CONTROL) & ~S.VF_MEMORY_ENABLE);
    expect(host.read(pf.functions[0], 0, 0)).toBe(0xffff_ffff);
  });

  it('PCIe 9.3.3.3.4: without VF enable it opens nothing', () => {
    const { driver, host } = setup();
    driver.write(S.CONTROL, S.VF_MEMORY_ENABLE);
    expect(host.load(driver.barAddress(0, 0))).toBe(0xffff_ffff);
  });

  it('PCIe 9.3.3.13: shares grow with the system page, and shrink with it', () => {
    const { driver, host, pf } = setup();
    driver.write(S.SYSTEM_PAGE_SIZE, 0x10, 4);
    expect(driver.barSize(0)).toBe(0x1_0000);
    driver.write(S.VF_BAR0, 0x0007_4000, 4);
    expect(driver.read(S.VF_BAR0, 4)).toBe(0x0007_000c);
    driver.enable(2);
    host.store(driver.barAddress(1, 0), 5);
    expect(pf.functions[1].peek(0)).toBe(5);
    expect(host.load(driver.barAddress(1, 0) + 0x2000)).toBe(0xffff_ffff);
    driver.disable();
    driver.write(S.SYSTEM_PAGE_SIZE, 1, 4);
    expect(driver.barSize(0)).toBe(0x2000);
  });

  it('a BAR beyond what any machine maps answers nowhere', () => {
    const { driver, host, pf } = setup();
    driver.write(S.VF_BAR0 + 4, 0xffff_ffff, 4);
    driver.enable(4);
    expect(pf.functions[0].bar(0).base).toBe(-1);
    expect(host.barAddress(pf.functions[3], 0)).toBe(-1);
  });
});
