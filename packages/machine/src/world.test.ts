import type { OutsideRecord } from '@vmloom/device';
import { FakeOwner } from '@vmloom/device/testing';
import { describe, expect, it } from 'vitest';
import { FakeHart, FakeRunner, FakeWall } from './testing/index.js';
import { World } from './world.js';

function worldOf(...harts: FakeHart[]): { world: World; runners: FakeRunner[] } {
  const world = new World({ quantum: 1000 });
  const runners = harts.map((hart) => new FakeRunner(hart));
  for (const runner of runners) world.addRunner(runner);
  return { world, runners };
}

describe('World', () => {
  it('contract Clock: runs to the asked time, to the instruction', async () => {
    const hart = new FakeHart();
    const { world } = worldOf(hart);
    expect(await world.run({ until: 12_345 })).toBe('until');
    expect(hart.retired).toBe(12_345);
    expect(world.clock.now).toBe(12_345);
  });

  it('contract Clock: an event happens between the same two instructions, however the run is cut', async () => {
    const seen: number[] = [];
    for (const cuts of [[5000], [1, 1999, 2000, 2001, 5000], [777, 1500, 3333, 5000]]) {
      const hart = new FakeHart(700);
      const { world } = worldOf(hart);
      const owner = new FakeOwner(world.clock);
      owner.react = () => seen.push(hart.retired);
      world.clock.schedule(owner, 'x', 2000);
      for (const until of cuts) await world.run({ until });
    }
    expect(seen).toEqual([2858, 2858, 2858]);
  });

  it('contract Clock: an event scheduled from within a slice shortens it', async () => {
    const hart = new FakeHart();
    const { world } = worldOf(hart);
    const owner = new FakeOwner(world.clock);
    const seen: number[] = [];
    owner.react = () => seen.push(hart.retired);
    hart.script.set(100, () => {
      world.clock.now = hart.localTime;
      world.clock.after(owner, 'dma', 50);
    });
    await world.run({ until: 1000 });
    expect(seen).toEqual([150]);
    expect(owner.log).toEqual(['150 dma']);
  });

  it('contract Clock: the hart with the least virtual time runs next, none is starved', async () => {
    const [fast, slow] = [new FakeHart(500), new FakeHart(2000)];
    const { world } = worldOf(fast, slow);
    await world.run({ until: 100_000 });
    expect(fast.retired).toBe(200_000);
    expect(slow.retired).toBe(50_000);
    expect(fast.slices.length).toBe(100);
  });

  it('contract Clock: idle virtual time is skipped, and a woken hart starts at the waking', async () => {
    const hart = new FakeHart();
    const { world } = worldOf(hart);
    const owner = new FakeOwner(world.clock);
    owner.react = () => (hart.interruptPending = true);
    hart.script.set(10, () => hart.leave('wfi'));
    hart.script.set(11, () => {
      hart.interruptPending = false;
      hart.leave('wfi');
    });
    world.clock.schedule(owner, 'timer', 3_600e9);
    expect(await world.run()).toBe('idle');
    expect(hart.retired).toBe(11);
    expect(hart.localTime).toBe(3_600e9 + 1);
  });

  it('a runner may run its hart itself, in smaller pieces', async () => {
    const hart = new FakeHart();
    const { world, runners } = worldOf(hart);
    Object.assign(runners[0], { run: (instructions: number) => hart.run(Math.min(instructions, 3)) });
    await world.run({ until: 100 });
    expect(hart.retired).toBe(100);
    expect(hart.slices.slice(0, 3)).toEqual([3, 6, 9]);
  });

  it('stop in the task of start keeps the world at rest, start in the task of stop keeps it going', async () => {
    const hart = new FakeHart();
    const { world } = worldOf(hart);
    world.start();
    world.stop();
    await Promise.resolve();
    expect([world.running, hart.retired]).toEqual([false, 0]);

    hart.script.set(500, () => world.stop());
    hart.script.set(100, () => {
      world.stop();
      world.start();
    });
    expect(await world.run({ until: 1000 })).toBe('stopped');
    expect(hart.retired).toBe(500);
  });

  it('a world with nothing to do comes back, stopped runners do not run', async () => {
    const hart = new FakeHart();
    const { world, runners } = worldOf(hart);
    runners[0].runnable = false;
    expect(await world.run()).toBe('idle');
    expect(await world.run({ until: 500 })).toBe('until');
    expect(hart.retired).toBe(0);
    runners[0].runnable = true;
    world.reconsider();
    await world.run({ until: 600 });
    expect(hart.retired).toBe(100);
  });

  it('stop() from within a slice ends behind the present instruction', async () => {
    const hart = new FakeHart();
    const { world } = worldOf(hart);
    hart.script.set(1234, () => world.stop());
    expect(await world.run()).toBe('stopped');
    expect(hart.retired).toBe(1234);
  });

  it('exits other than budget and WFI reach the runner', async () => {
    const hart = new FakeHart();
    const { world, runners } = worldOf(hart);
    hart.script.set(5, () => hart.leave('sbi'));
    await world.run({ until: 100 });
    expect(runners[0].exits).toEqual(['sbi']);
    expect(hart.retired).toBe(100);
  });

  it('contract Outside I/O: arrivals wake an idle world, and a record repeats the run', async () => {
    const run = async (replay?: readonly OutsideRecord[]) => {
      const hart = new FakeHart();
      const { world } = worldOf(hart);
      const owner = new FakeOwner(world.clock);
      owner.react = () => (hart.interruptPending = true);
      hart.script.set(10, () => hart.leave('wfi'));
      hart.script.set(20, () => world.stop());
      const records = replay === undefined ? world.outside.record() : replay;
      if (replay === undefined) {
        world.outside.attachSource();
        setTimeout(() => world.outside.post(owner, 'key', {}), 5);
      } else world.outside.replay(replay, () => owner);
      expect(await world.run()).toBe('stopped');
      return { records, log: owner.log, time: hart.localTime };
    };
    const first = await run();
    expect(first.log.length).toBe(1);
    const again = await run(first.records);
    expect(again.log).toEqual(first.log);
    expect(again.time).toBe(first.time);
  });

  it('contract Outside I/O: an arrival wakes a world that came to rest in the background', async () => {
    const hart = new FakeHart();
    const { world } = worldOf(hart);
    const owner = new FakeOwner(world.clock);
    hart.script.set(10, () => hart.leave('wfi'));
    world.start();
    await new Promise((turn) => setTimeout(turn, 1));
    expect(world.running).toBe(false);
    world.outside.post(owner, 'key', {});
    await new Promise((turn) => setTimeout(turn, 1));
    expect(owner.log).toEqual(['10 key']);
    world.stop();
    world.outside.post(owner, 'key', {});
    await new Promise((turn) => setTimeout(turn, 1));
    expect(owner.log.length).toBe(1);
  });

  describe('realtime', () => {
    const realtime = (...harts: FakeHart[]) => {
      const wall = new FakeWall(200);
      const world = new World({ time: 'realtime', quantum: 1000, wall });
      for (const hart of harts) world.addRunner(new FakeRunner(hart));
      const owner = new FakeOwner(world.clock);
      return { world, wall, owner };
    };

    it('virtual time follows the wall clock, and no event is early or more than a turn late', async () => {
      const { world, wall, owner } = realtime(new FakeHart());
      const late: number[] = [];
      owner.react = () => late.push(world.clock.now - 40_000);
      world.clock.schedule(owner, 'x', 40_000);
      await world.run({ until: 100_000 });
      expect(late.length).toBe(1);
      expect(late[0]).toBeGreaterThanOrEqual(0);
      expect(late[0]).toBeLessThan(1000);
      expect(world.clock.now).toBe(100_000);
      expect(wall.time).toBeGreaterThan(10_000);
    });

    it('an event scheduled from within a turn waits for its end, so that one serves many doorbells', async () => {
      const hart = new FakeHart();
      const { world, owner } = realtime(hart);
      const seen: number[] = [];
      owner.react = () => seen.push(hart.retired);
      for (const at of [100, 200, 300]) {
        hart.script.set(at, () => {
          world.clock.now = hart.localTime;
          world.clock.after(owner, 'doorbell', 50);
        });
      }
      await world.run({ until: 5000 });
      expect(seen).toEqual([1000, 1000, 1000]);
    });

    it('a hart that waits ends its turn: what it waits for comes at once', async () => {
      const hart = new FakeHart();
      const { world, owner } = realtime(hart);
      owner.react = () => (hart.interruptPending = true);
      hart.script.set(100, () => {
        world.clock.now = hart.localTime;
        world.clock.after(owner, 'dma', 50);
        hart.leave('wfi');
      });
      hart.script.set(101, () => world.stop());
      await world.run();
      expect(hart.retired).toBe(101);
    });

    it('waits shorter than a millisecond are not slept, but time never runs further ahead', async () => {
      const hart = new FakeHart();
      const { world, wall, owner } = realtime(hart);
      wall.step = 0;
      let ahead = 0;
      owner.react = () => {
        ahead = Math.max(ahead, world.clock.now - wall.time);
        world.clock.after(owner, 'tick', 50_000);
        // The wall stands still until time has run ahead of it as far as it may.
        if (ahead > 900_000) wall.step = 100_000;
        if (owner.log.length === 40) world.stop();
      };
      hart.script.set(1, () => hart.leave('wfi'));
      world.clock.schedule(owner, 'tick', 0);
      expect(await world.run()).toBe('stopped');
      expect(ahead).toBeGreaterThan(900_000);
      expect(ahead).toBeLessThanOrEqual(1_000_000);
    });
  });

  it('contract Snapshot: a saved world goes on as the one it was saved from', async () => {
    const make = () => {
      const hart = new FakeHart();
      const { world } = worldOf(hart);
      const owner = new FakeOwner(world.clock);
      owner.react = () => world.clock.after(owner, 'tick', 300);
      return { hart, world, owner };
    };
    const first = make();
    first.world.clock.schedule(first.owner, 'tick', 100);
    await first.world.run({ until: 1000 });
    const snapshot = first.world.save();
    const second = make();
    second.world.restore(snapshot);
    second.hart.skipTo(1000);
    await first.world.run({ until: 2000 });
    await second.world.run({ until: 2000 });
    expect(first.owner.log.slice(-3)).toEqual(second.owner.log);
  });

  it('refuses a second run and parts of the same name', async () => {
    const hart = new FakeHart();
    const { world } = worldOf(hart);
    let second: Promise<unknown> = Promise.resolve();
    hart.script.set(5, () => {
      second = world.run();
    });
    await Promise.all([
      world.run({ until: 10 }),
      expect(Promise.resolve().then(() => second)).rejects.toThrow(/already/),
    ]);
    const part = { name: 'lan', save: () => ({ type: 'x', version: 1 }), restore: () => undefined };
    world.add(part);
    expect(() => world.add({ ...part })).toThrow(/called lan/);
  });
});
