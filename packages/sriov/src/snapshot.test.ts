import { RootPort, registers as R } from '@vmloom/pci';
import { FakeHost } from '@vmloom/pci/testing';
import { describe, expect, it } from 'vitest';
import * as S from './registers.js';
import { FakePhysicalFunction, SriovDriver } from './testing/index.js';

function setup() {
  const host = new FakeHost();
  const pf = host.root.plug(new RootPort()).plug(
    new FakePhysicalFunction({
      placing: { offset: 0x80, stride: 2 },
      placingWithoutAri: { offset: 0x180, stride: 2 },
    }),
  );
  return { host, pf };
}

describe('snapshot', () => {
  it('virtual functions come back on another host, with what they held', () => {
    const { host, pf } = setup();
    host.enumerate();
    host.enable(pf);
    const driver = new SriovDriver(host, pf);
    driver.write(S.SYSTEM_PAGE_SIZE, 4 << 2, 4);
    driver.write(S.VF_BAR0, 0x4_0000, 4);
    driver.enable(3);
    driver.configWrite(2, R.COMMAND, 2, R.COMMAND_BUS_MASTER);
    host.write(pf.functions[2], 0, 8, 0xabcd);
    const saved = structuredClone(host.root.save());

    const other = setup();
    other.host.enumerate();
    new SriovDriver(other.host, other.pf).enable(4);
    other.host.root.restore(saved);
    expect(other.host.root.save()).toEqual(saved);
    const same = new SriovDriver(other.host, other.pf);
    expect(same.places).toEqual(driver.places);
    expect(other.pf.functions.map((fn) => fn.isPresent)).toEqual([true, true, true, false]);
    expect(same.barAddress(2, 0)).toBe(driver.barAddress(2, 0));
    expect(other.host.load(same.barAddress(2, 0) + 8)).toBe(0xabcd);
    expect(other.pf.functions[2].dma.enabled).toBe(true);
    expect(other.pf.functions[2].requester).toBe(pf.functions[2].requester);
  });

  it('one without virtual functions ends those that are there', () => {
    const { host, pf } = setup();
    host.enumerate();
    const saved = host.root.save();
    new SriovDriver(host, pf).enable(2);
    host.root.restore(saved);
    expect(pf.functions[0].isPresent).toBe(false);
    expect(pf.sriov.present).toBe(0);
  });
});
