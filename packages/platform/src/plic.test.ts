import { Ledger, WiredOr } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { Plic } from './plic.js';
import { FakeLine, PlicDriver } from './testing/index.js';

function make(options: { sources?: number; contexts?: number; ledger?: Ledger } = {}) {
  const contexts = Array.from({ length: options.contexts ?? 2 }, () => new FakeLine());
  const { sources = 95, ledger } = options;
  const plic = new Plic({ contexts, sources, ...(ledger === undefined ? {} : { ledger }) });
  const drivers = contexts.map((_, index) => new PlicDriver(plic, index));
  /** A source with its device's input, enabled at a priority for context 0. */
  const source = (number: number, priority = 1) => {
    const wire = new WiredOr();
    plic.connect(number, wire);
    drivers[0].setPriority(number, priority);
    drivers[0].enable(number);
    return { wire, input: wire.input() };
  };
  return { plic, contexts, drivers, driver: drivers[0], line: contexts[0], source };
}

describe('memory map', () => {
  it('PLIC 1.0.0 ch. 4: priorities are WARL, 0 to 7; source 0 and sources that are not there have none', () => {
    const { driver } = make();
    driver.setPriority(1, 7);
    driver.setPriority(2, 0xffff_ffff);
    driver.setPriority(0, 7);
    driver.setPriority(96, 7);
    expect([1, 2, 0, 96].map((source) => driver.priority(source))).toEqual([7, 7, 0, 0]);
  });

  it('PLIC 1.0.0 ch. 6: enable bits exist for sources 1 to 95 only, per context', () => {
    const { plic } = make();
    for (let word = 0; word < 32; word++) plic.write(0x2000 + word * 4, 4, 0xffff_ffff);
    expect([0, 1, 2, 3].map((word) => plic.read(0x2000 + word * 4, 4))).toEqual([
      0xffff_fffe, 0xffff_ffff, 0xffff_ffff, 0,
    ]);
    expect(plic.read(0x2080, 4)).toBe(0);
  });

  it('a last word that is not full masks what does not exist', () => {
    const { plic } = make({ sources: 40 });
    plic.write(0x2004, 4, 0xffff_ffff);
    expect(plic.read(0x2004, 4)).toBe(0x1ff);
  });

  it('PLIC 1.0.0 ch. 5: pending bits are read-only', () => {
    const { plic, driver } = make();
    plic.write(0x1000, 4, 0xffff_ffff);
    expect(driver.isPending(5)).toBe(false);
  });

  it('contexts and offsets that are not there read 0 and ignore writes', () => {
    const { plic } = make();
    for (const offset of [0x1ffc, 0x2100, 0x1f_fffc, 0x20_0008, 0x20_2000, 0x20_2004, 0x5f_fffc]) {
      plic.write(offset, 4, 0xffff_ffff);
      expect(plic.read(offset, 4)).toBe(0);
    }
  });

  it('refuses a shape that the specification does not have', () => {
    expect(() => new Plic({ contexts: [], sources: 1024 })).toThrow(RangeError);
    expect(() => new Plic({ contexts: [], sources: 0 })).toThrow(RangeError);
    expect(() => new Plic({ contexts: [], maxPriority: 6 })).toThrow(RangeError);
    expect(() => make().plic.connect(96, new WiredOr())).toThrow(RangeError);
    const { plic } = make();
    plic.connect(3, new WiredOr());
    expect(() => plic.connect(3, new WiredOr())).toThrow(RangeError);
  });
});

describe('interrupt flow', () => {
  it('PLIC 1.0.0 ch. 8: a claim gives the source, clears its pending bit and drops the line', () => {
    const { driver, line, source } = make();
    source(10).input.set(true);
    expect([line.level, driver.isPending(10)]).toEqual([true, true]);
    expect(driver.claim()).toBe(10);
    expect([line.level, driver.isPending(10)]).toEqual([false, false]);
    expect(driver.claim()).toBe(0);
  });

  it('PLIC 1.0.0 ch. 9: a line still high at completion pends again', () => {
    const { driver, line, source } = make();
    const { input } = source(10);
    input.set(true);
    driver.claim();
    driver.complete(10);
    expect(line.level).toBe(true);
    expect(driver.claim()).toBe(10);
    input.set(false);
    driver.complete(10);
    expect(line.level).toBe(false);
  });

  it('PLIC 1.0.0 Interrupt Gateways: while a request is under way no other is forwarded', () => {
    const { driver, source } = make();
    const { input } = source(10);
    input.set(true);
    driver.claim();
    input.set(false);
    input.set(true);
    expect(driver.isPending(10)).toBe(false);
    driver.complete(10);
    expect(driver.isPending(10)).toBe(true);
  });

  it('PLIC 1.0.0 Interrupt Gateways: a request stays when its line falls before the claim', () => {
    const { driver, source } = make();
    const { input } = source(10);
    input.set(true);
    input.set(false);
    expect(driver.claim()).toBe(10);
    driver.complete(10);
    expect(driver.isPending(10)).toBe(false);
  });

  it('completion is told to the sharers of the line, before it is offered again', () => {
    const { driver, line, source } = make();
    const { wire, input } = source(33);
    const second = wire.input();
    wire.onComplete(() => input.set(false));
    input.set(true);
    second.set(true);
    driver.claim();
    driver.complete(33);
    expect(line.level).toBe(true);
    second.set(false);
    driver.claim();
    driver.complete(33);
    expect(line.level).toBe(false);
  });

  it('PLIC 1.0.0 ch. 9: completing a source that is not enabled for the context is ignored', () => {
    const { driver, drivers, source } = make();
    source(10).input.set(true);
    driver.claim();
    drivers[1].complete(10);
    expect(driver.isPending(10)).toBe(false);
    driver.disable(10);
    driver.complete(10);
    driver.enable(10);
    expect(driver.isPending(10)).toBe(false);
    driver.complete(10);
    expect(driver.isPending(10)).toBe(true);
  });

  it('completing what was not claimed, or is no source, changes nothing', () => {
    const { driver, line, source } = make();
    const { input } = source(10);
    for (const id of [0, 10, 95, 96, 1023, 0xffff_ffff]) driver.complete(id);
    expect(line.level).toBe(false);
    input.set(true);
    driver.complete(10);
    expect(line.rises).toBe(1);
  });
});

describe('priorities and contexts', () => {
  it('PLIC 1.0.0 ch. 8: the highest priority is claimed first, of equals the lowest source', () => {
    const { driver, source } = make();
    for (const [number, priority] of [
      [3, 2],
      [40, 5],
      [31, 5],
      [63, 1],
      [95, 7],
    ] as const) {
      source(number, priority).input.set(true);
    }
    const order = Array.from({ length: 6 }, () => driver.claim());
    expect(order).toEqual([95, 31, 40, 3, 63, 0]);
  });

  it('PLIC 1.0.0 ch. 4: priority 0 never interrupts', () => {
    const { driver, line, source } = make();
    source(10, 0).input.set(true);
    expect([line.level, driver.isPending(10), driver.claim()]).toEqual([false, true, 0]);
    driver.setPriority(10, 1);
    expect(line.level).toBe(true);
  });

  it('PLIC 1.0.0 ch. 7: the threshold masks priorities at or below it', () => {
    const { driver, line, source } = make();
    source(10, 3).input.set(true);
    driver.threshold = 3;
    expect(line.level).toBe(false);
    driver.threshold = 2;
    expect(line.level).toBe(true);
    driver.threshold = 0xff;
    expect(driver.threshold).toBe(7);
  });

  it('PLIC 1.0.0 ch. 8: a claim is not affected by the threshold', () => {
    const { driver, source } = make();
    driver.threshold = 7;
    source(10, 3).input.set(true);
    expect(driver.claim()).toBe(10);
  });

  it('PLIC 1.0.0 ch. 8: of several contexts the first that claims gets the source, the other gets 0', () => {
    const { drivers, contexts, source } = make();
    source(10).input.set(true);
    drivers[1].enable(10);
    expect(contexts.map(({ level }) => level)).toEqual([true, true]);
    expect(drivers[1].claim()).toBe(10);
    expect(contexts.map(({ level }) => level)).toEqual([false, false]);
    expect(drivers[0].claim()).toBe(0);
    drivers[1].complete(10);
    expect(contexts[0].level).toBe(true);
  });

  it('claims are counted by source', () => {
    const ledger = new Ledger();
    const { driver, source } = make({ ledger });
    source(10).input.set(true);
    driver.claim();
    driver.complete(10);
    driver.claim();
    expect(ledger.total({ owner: 'plic', event: 'interrupt-claimed', reason: 'source 10' })).toBe(2);
  });
});

describe('reset and snapshot', () => {
  it('reset drops everything; a line that is still high comes again when its source is enabled', () => {
    const { plic, driver, line, source } = make();
    const { input } = source(10);
    source(11).input.set(true);
    input.set(true);
    driver.claim();
    plic.reset();
    expect([line.level, driver.isPending(10), driver.priority(10)]).toEqual([false, false, 0]);
    input.set(false);
    driver.setPriority(10, 1);
    driver.enable(10);
    driver.setPriority(11, 1);
    driver.enable(11);
    expect([driver.isPending(10), driver.claim()]).toEqual([false, 11]);
  });

  it('a snapshot between claim and completion, restored beside a device that asserts again, pends once', () => {
    const first = make();
    first.source(10, 4).input.set(true);
    first.driver.claim();
    const saved = first.plic.save();
    const second = make();
    const { input } = second.source(10, 1);
    second.plic.restore(saved);
    input.set(true);
    expect(second.driver.isPending(10)).toBe(false);
    expect(second.plic.save()).toEqual(saved);
    second.driver.complete(10);
    expect(second.driver.claim()).toBe(10);
  });

  it('refuses the snapshot of another shape', () => {
    const saved = make({ contexts: 4 }).plic.save();
    expect(() => make().plic.restore(saved)).toThrow(/another number/);
  });
});

it('property: no request is lost and none is invented, under random lines, claims and completions', () => {
  const { driver, line, source } = make();
  const inputs = [1, 31, 32, 64, 95].map((number) => ({ number, ...source(number, 1 + (number % 7)) }));
  const claimed = new Set<number>();
  let state = 99;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 10) % below;
  };
  // Gathered, for hundreds of thousands of expectations would take seconds.
  const faults: string[] = [];
  const check = (good: boolean, what: string): void => {
    if (!good) faults.push(what);
  };
  for (let step = 0; step < 20_000 && faults.length === 0; step++) {
    const { number, wire, input } = inputs[random(inputs.length)];
    const action = random(4);
    if (action === 0) input.set(true);
    else if (action === 1) input.set(false);
    else if (action === 2) {
      const got = driver.claim();
      if (got === 0) check(!line.level, `step ${step}: nothing to claim while the line is high`);
      else {
        check(!claimed.has(got), `step ${step}: ${got} is claimed twice`);
        claimed.add(got);
      }
    } else {
      driver.complete(number);
      if (claimed.delete(number)) {
        check(driver.isPending(number) === wire.level, `step ${step}: ${number} after completion`);
      }
    }
    for (const each of inputs) {
      const served = !each.wire.level || claimed.has(each.number) || driver.isPending(each.number);
      check(served, `step ${step}: the request of ${each.number} is lost`);
    }
    const pending = inputs.some((each) => driver.isPending(each.number));
    check(line.level === pending, `step ${step}: the line does not follow`);
  }
  expect(faults).toEqual([]);
});
