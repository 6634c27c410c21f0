import { RootPort, registers as R } from '@vmloom/pci';
import { FakeHost } from '@vmloom/pci/testing';
import { describe, expect, it } from 'vitest';
import * as S from './registers.js';
import { FakePhysicalFunction, SriovDriver } from './testing/index.js';

/** xorshift32: the same accesses each time. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const ROUNDS = Number(process.env['VMLOOM_FUZZ_SRIOV'] ?? 300);

describe('hostile software', () => {
  it.each([1, 2, 3])(
    'any accesses to the capability and to virtual functions (seed %i): identities hold, RAM stays',
    (seed) => {
      const random = generator(seed * 0x9e37_79b1);
      const host = new FakeHost();
      const port = host.root.plug(new RootPort());
      const pf = port.plug(
        new FakePhysicalFunction({ placing: { offset: 0xfe, stride: 3 }, total: 6, size: 0x1000 }),
      );
      host.enumerate();
      host.enable(pf);
      const driver = new SriovDriver(host, pf);
      const fixed = [
        S.CAPABILITIES,
        S.INITIAL_VFS,
        S.DEPENDENCY_LINK,
        S.VF_DEVICE_ID,
        S.SUPPORTED_PAGE_SIZES,
      ];
      const identity = (): number[] => fixed.map((at) => driver.read(at));
      const before = identity();
      for (let round = 0; round < ROUNDS; round++) {
        const width = ([1, 2, 4] as const)[random(3)];
        const value = random(2) === 0 ? random(0x1_0000_0000) : 1 << random(32);
        if (random(3) > 0) driver.write(random(S.SIZE / width) * width, value, width);
        else driver.configWrite(random(8), random(0x200 / width) * width, width, value);
        if (random(8) === 0) host.configWrite(port, R.SUBORDINATE_BUS, 1, random(256));
        const there = pf.functions.filter((fn) => fn.isPresent);
        expect(there.length).toBeLessThanOrEqual(pf.sriov.present);
        expect(new Set(there.map((fn) => fn.requester)).size).toBe(there.length);
        if (!pf.sriov.enabled) expect(there).toEqual([]);
        for (const fn of pf.functions) if (!fn.isPresent) expect(fn.dma.enabled).toBe(false);
      }
      expect(identity()).toEqual(before);
      expect(host.load(0x8000_0000)).toBe(0);
      host.root.restore(host.root.save());
    },
  );
});
