import { Clock, decodeSnapshot, encodeSnapshot } from '@vmloom/device';
import { HostMemory, AddressSpace, physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { Aclint } from './aclint.js';
import { FakeLine, MtimerDriver } from './testing/index.js';

function make(harts = 2) {
  const clock = new Clock();
  const lines = Array.from({ length: harts }, () => ({ software: new FakeLine(), timer: new FakeLine() }));
  const offsets: bigint[] = [];
  const aclint = new Aclint({ clock, harts: lines, onTimeOffset: (offset) => offsets.push(offset) });
  return { clock, lines, aclint, offsets, driver: new MtimerDriver(aclint) };
}

const NEVER = 0xffff_ffff_ffff_ffffn;

describe('MSWI', () => {
  it('ACLINT 1.0 3.2: bit 0 of MSIP drives the line of its hart, the other bits are 0', () => {
    const { driver, lines } = make();
    driver.setSoftware(1, 0xffff_ffff);
    expect([lines[0].software.level, lines[1].software.level]).toEqual([false, true]);
    expect(driver.software(1)).toBe(1);
    driver.setSoftware(1, 0xffff_fffe);
    expect(lines[1].software.level).toBe(false);
  });

  it('registers of harts that are not there read 0 and ignore writes', () => {
    const { driver, aclint } = make();
    driver.setSoftware(2, 1);
    driver.setCompare(2, 1n);
    expect([driver.software(2), driver.compare(2), driver.software(4095), aclint.read(0xbff4, 4)]).toEqual([
      0,
      0n,
      0,
      0,
    ]);
  });
});

describe('MTIMER', () => {
  it('ACLINT 1.0 2.2: MTIME counts 10 MHz of the clock, rounded down', () => {
    const { clock, driver } = make();
    clock.now = 99;
    expect(driver.time).toBe(0n);
    clock.now = 1_000_000_199;
    expect(driver.time).toBe(10_000_001n);
  });

  it('ACLINT 1.0 2.3: the interrupt pends from the instant MTIME reaches MTIMECMP', () => {
    const { clock, driver, lines } = make();
    driver.setCompare(0, 1000n);
    clock.runUntil(99_999);
    expect(lines[0].timer.level).toBe(false);
    clock.runUntil(100_000);
    expect(lines[0].timer.level).toBe(true);
    expect(lines[1].timer.level).toBe(false);
  });

  it('ACLINT 1.0 2.3: writing a later MTIMECMP takes the interrupt back, an earlier one raises it at once', () => {
    const { clock, driver, lines } = make();
    clock.runUntil(1_000_000);
    driver.setCompare(0, 1n);
    expect(lines[0].timer.level).toBe(true);
    driver.setCompare(0, NEVER);
    expect(lines[0].timer.level).toBe(false);
    expect(clock.nextEvent).toBe(Infinity);
    expect(driver.compare(0)).toBe(NEVER);
  });

  it('ACLINT 1.0 2.3: the comparison is unsigned over 64 bits', () => {
    const { driver, lines } = make();
    driver.setCompare(0, 0x8000_0000_0000_0000n);
    expect(lines[0].timer.level).toBe(false);
    driver.time = 0x8000_0000_0000_0000n;
    expect(lines[0].timer.level).toBe(true);
  });

  it('ACLINT 1.0 2.2: MTIME is writable; comparators follow and the offset is told', () => {
    const { clock, offsets, driver, lines } = make();
    clock.runUntil(1_000_000);
    driver.setCompare(0, 20_100n);
    driver.time = 20_000n;
    expect(offsets.at(-1)).toBe(10_000n);
    expect(driver.time).toBe(20_000n);
    clock.runUntil(1_009_999);
    expect(lines[0].timer.level).toBe(false);
    clock.runUntil(1_010_000);
    expect(lines[0].timer.level).toBe(true);
  });

  it('Privileged 3.1.11: where no time CSR follows, MTIME stays the count of the clock', () => {
    const clock = new Clock();
    const lines = { software: new FakeLine(), timer: new FakeLine() };
    const aclint = new Aclint({ clock, harts: [lines] });
    const driver = new MtimerDriver(aclint);
    clock.runUntil(1_000_000);
    driver.time = 5n;
    expect(driver.time).toBe(10_000n);
    driver.setCompare(0, 1n);
    aclint.reset();
    expect([driver.time, lines.timer.level]).toEqual([10_000n, false]);
  });

  it('another frequency rounds the event up to the instant where MTIME has the value', () => {
    const clock = new Clock();
    const timer = new FakeLine();
    const aclint = new Aclint({ clock, harts: [{ software: new FakeLine(), timer }], frequency: 3 });
    const driver = new MtimerDriver(aclint);
    driver.setCompare(0, 1n);
    expect(clock.nextEvent).toBe(333_333_334);
    clock.runUntil(333_333_333);
    expect([driver.time, timer.level]).toEqual([0n, false]);
    clock.runUntil(333_333_334);
    expect([driver.time, timer.level]).toEqual([1n, true]);
  });

  it('an event of a replaced comparator does not fire', () => {
    const { clock, driver, lines } = make();
    driver.setCompare(0, 1000n);
    driver.setCompare(0, 2000n);
    clock.runUntil(199_999);
    expect(lines[0].timer.rises).toBe(0);
    clock.runUntil(200_000);
    expect(lines[0].timer.rises).toBe(1);
  });

  it('behind an address space a doubleword store arrives whole', () => {
    const { aclint, clock, lines } = make();
    const space = new AddressSpace(new HostMemory({ ram: 4096, reserve: 4096 }));
    space.mapMmio({
      name: 'aclint',
      base: 0x200_0000,
      size: Aclint.SIZE,
      handler: aclint,
      widths: Aclint.WIDTHS,
    });
    clock.now = 500_000;
    expect(space.store64(physical(0x200_4008), 6000, 0)).toBe(true);
    clock.runUntil(600_000);
    expect(lines[1].timer.level).toBe(true);
    const out = new Uint32Array(2);
    expect(space.load64(physical(0x200_bff8), out)).toBe(true);
    expect([...out]).toEqual([6000, 0]);
    expect(space.store(physical(0x200_0000), 1, 1)).toBe(false);
  });
});

it('ACLINT 1.0 2.2, 3.2: reset clears MTIME and MSIP and leaves nothing due', () => {
  const { clock, aclint, driver, lines } = make();
  clock.runUntil(5_000);
  driver.setSoftware(0, 1);
  driver.setCompare(0, 1n);
  driver.setCompare(1, 100_000n);
  aclint.reset();
  expect([driver.time, lines[0].software.level, lines[0].timer.level]).toEqual([0n, false, false]);
  expect(clock.nextEvent).toBe(Infinity);
});

it('a snapshot with a timer in flight and one pending goes on where it was', () => {
  const first = make();
  first.clock.runUntil(1_000_000);
  first.driver.time = 123_456_789_012n;
  first.driver.setCompare(0, 123_456_789_112n);
  first.driver.setCompare(1, 5n);
  first.driver.setSoftware(0, 1);
  const [clockSaved, saved] = [first.clock.save(), first.aclint.save()].map((part) => encodeSnapshot(part));

  const second = make();
  second.clock.restore(decodeSnapshot(clockSaved));
  second.aclint.restore(decodeSnapshot(saved));
  expect(second.offsets).toEqual([first.aclint.timeOffset]);
  expect(second.lines.map(({ software, timer }) => [software.level, timer.level])).toEqual([
    [true, false],
    [false, true],
  ]);
  second.clock.runUntil(1_009_999);
  expect(second.lines[0].timer.level).toBe(false);
  second.clock.runUntil(1_010_000);
  expect(second.lines[0].timer.level).toBe(true);
  expect(() => make(3).aclint.restore(decodeSnapshot(saved))).toThrow(/2 harts/);
});
