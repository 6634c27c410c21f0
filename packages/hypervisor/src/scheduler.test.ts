import { describe, expect, it } from 'vitest';
import { HostBench } from './testing/index.js';

const MS = 1_000_000;

/** Time that each of the guests had of `ms` milliseconds, in whole percent of one hart. */
function shares(bench: HostBench, names: readonly string[], ms: number): number[] {
  bench.run(ms * MS);
  return names.map((name) => Math.round((bench.count(name, 'cpu-ns', 'guest') / (ms * MS)) * 100));
}

describe('scheduler', () => {
  it('weights: hungry vCPUs share a hart by their weight', () => {
    const bench = new HostBench();
    bench.guest('a', { weight: 100 });
    bench.guest('b', { weight: 300 });
    expect(shares(bench, ['a', 'b'], 200)).toEqual([25, 75]);
  });

  it('caps: a vCPU gets no more than its cap, even of an idle hart', () => {
    const bench = new HostBench();
    bench.guest('a', { cap: 0.2 });
    bench.guest('b');
    expect(shares(bench, ['a', 'b'], 100)).toEqual([20, 80]);
    const alone = new HostBench();
    alone.guest('a', { cap: 0.2 });
    expect(shares(alone, ['a'], 100)).toEqual([20]);
  });

  it('real-time priorities: the higher goes first, the rest get what is left', () => {
    const bench = new HostBench();
    bench.guest('low', { priority: 1, cap: 0.5 });
    bench.guest('high', { priority: 2, cap: 0.3 });
    bench.guest('fair');
    expect(shares(bench, ['low', 'high', 'fair'], 100)).toEqual([50, 30, 20]);
  });

  it('a real-time vCPU that wakes has the hart at once', () => {
    const bench = new HostBench();
    bench.guest('spinner', { weight: 10_000 });
    const { guest, vcpu } = bench.guest('deadline', { priority: 9 });
    guest.every = (one) => one.leave('wfi');
    bench.run(2 * MS);
    const before = guest.retired;
    vcpu.setInterrupt(9, true);
    bench.run(2 * MS + 1000);
    expect(guest.retired).toBeGreaterThan(before);
  });

  it('several harts: vCPUs spread, and one vCPU is never on two', () => {
    const bench = new HostBench(3);
    for (const name of ['a', 'b', 'c']) bench.guest(name);
    expect(shares(bench, ['a', 'b', 'c'], 50)).toEqual([100, 100, 100]);
    const lone = new HostBench(3);
    lone.guest('a');
    expect(shares(lone, ['a'], 50)).toEqual([100]);
  });

  it('affinity: a vCPU keeps to its harts', () => {
    const bench = new HostBench(2);
    bench.guest('a', { affinity: [1] });
    bench.guest('b', { affinity: [1] });
    expect(shares(bench, ['a', 'b'], 100)).toEqual([50, 50]);
    expect(bench.count('host.hart0', 'hart-ns', 'busy')).toBe(0);
  });

  it('isolation: a vCPU that spins takes no more than its share from a neighbour', () => {
    const bench = new HostBench();
    bench.guest('spinner');
    const { guest } = bench.guest('worker');
    guest.every = (one) => {
      if (one.retired % 1000 === 0) one.leave('sbi');
    };
    const [spinner] = shares(bench, ['spinner', 'worker'], 20);
    expect(spinner).toBeLessThanOrEqual(52);
    expect(guest.exits.length).toBeGreaterThan(8000);
  });

  it.each([
    [{ weight: 0 }, /weight of a.vcpu0 is 1 to 10000/],
    [{ cap: 1.5 }, /cap of a.vcpu0/],
    [{ priority: 100 }, /priority of a.vcpu0/],
    [{ affinity: [2] }, /wants hart 2; the host has harts 0 to 1/],
    [{ affinity: [] }, /may use no hart at all/],
  ])('refuses %o', (share, sentence) => {
    expect(() => new HostBench(2).guest('a', share)).toThrow(sentence);
  });

  it('side cores: the last hart is not given away', () => {
    const { hypervisor } = new HostBench(2);
    const side = hypervisor.sideCore('side');
    expect(hypervisor.sideCore('side')).toBe(side);
    expect(() => hypervisor.sideCore('another')).toThrow(/give the host more harts/);
  });
});
