import { Clock } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { GoldfishRtc } from './goldfish-rtc.js';
import { FakeLine } from './testing/index.js';

const EPOCH = 1_700_000_000_123_456_789n;

function make(epoch = EPOCH) {
  const clock = new Clock();
  const line = new FakeLine();
  const rtc = new GoldfishRtc({ clock, line, epoch });
  const read64 = (offset: number): bigint => {
    const low = BigInt(rtc.read(offset, 4));
    return (BigInt(rtc.read(offset + 4, 4)) << 32n) | low;
  };
  const write64 = (offset: number, value: bigint): void => {
    rtc.write(offset + 4, 4, Number(value >> 32n));
    rtc.write(offset, 4, Number(value & 0xffff_ffffn));
  };
  return { clock, line, rtc, read64, write64 };
}

describe('goldfish RTC', () => {
  it('TIME_LOW, TIME_HIGH: nanoseconds since 1970, the epoch plus the clock', () => {
    const { clock, read64 } = make();
    expect(read64(0)).toBe(EPOCH);
    clock.now = 5_000_000_000;
    expect(read64(0)).toBe(EPOCH + 5_000_000_000n);
  });

  it('TIME_HIGH is what it was when TIME_LOW was read', () => {
    const { clock, rtc } = make(0xffff_ffffn);
    expect(rtc.read(0, 4)).toBe(0xffff_ffff);
    clock.now = 10;
    expect(rtc.read(4, 4)).toBe(0);
    expect(rtc.read(0, 4)).toBe(9);
    expect(rtc.read(4, 4)).toBe(1);
  });

  it('writing TIME_HIGH then TIME_LOW sets the time', () => {
    const { clock, read64, write64 } = make();
    clock.now = 1000;
    write64(0, 42n);
    clock.now = 1500;
    expect(read64(0)).toBe(542n);
  });

  it('ALARM: fires once, at its time, with IRQ_ENABLED, until CLEAR_INTERRUPT', () => {
    const { clock, line, rtc, read64, write64 } = make();
    rtc.write(0x10, 4, 1);
    write64(0x08, EPOCH + 1_000_000n);
    expect([rtc.read(0x18, 4), read64(0x08)]).toEqual([1, EPOCH + 1_000_000n]);
    clock.runUntil(999_999);
    expect(line.level).toBe(false);
    clock.runUntil(1_000_000);
    expect([line.level, rtc.read(0x18, 4)]).toEqual([true, 0]);
    rtc.write(0x1c, 4, 1);
    expect(line.level).toBe(false);
  });

  it('ALARM in the past fires at once, from the event queue', () => {
    const { clock, line, rtc, write64 } = make();
    rtc.write(0x10, 4, 1);
    write64(0x08, 1n);
    expect(line.level).toBe(false);
    clock.runUntil(0);
    expect(line.level).toBe(true);
  });

  it('CLEAR_ALARM disarms; IRQ_ENABLED gates the line only', () => {
    const { clock, line, rtc, write64 } = make();
    write64(0x08, EPOCH + 100n);
    rtc.write(0x14, 4, 1);
    expect([clock.nextEvent, rtc.read(0x18, 4)]).toEqual([Infinity, 0]);
    write64(0x08, EPOCH + 100n);
    clock.runUntil(100);
    expect(line.level).toBe(false);
    rtc.write(0x10, 4, 1);
    expect([line.level, rtc.read(0x10, 4)]).toEqual([true, 1]);
  });

  it('setting the time moves an armed alarm with it', () => {
    const { clock, line, rtc, write64 } = make();
    rtc.write(0x10, 4, 1);
    write64(0x08, EPOCH + 1_000_000n);
    write64(0, EPOCH + 999_900n);
    clock.runUntil(100);
    expect(line.level).toBe(true);
  });

  it('an alarm that no clock reaches is held, not scheduled', () => {
    const { clock, rtc, write64 } = make();
    write64(0x08, 0xffff_ffff_ffff_ffffn);
    expect([clock.nextEvent, rtc.read(0x18, 4)]).toEqual([Infinity, 1]);
  });

  it('reset drops the alarm and keeps the time', () => {
    const { clock, rtc, read64, write64 } = make();
    write64(0, 1_000n);
    write64(0x08, 2_000n);
    rtc.reset();
    expect([read64(0), clock.nextEvent]).toEqual([1_000n, Infinity]);
  });

  it('a snapshot restored where the epoch differs goes on with the saved time and alarm', () => {
    const first = make();
    first.rtc.write(0x10, 4, 1);
    first.clock.runUntil(500);
    first.write64(0x08, EPOCH + 1_000n);
    const second = make(7n);
    second.clock.restore(first.clock.save());
    second.rtc.restore(first.rtc.save());
    expect(second.read64(0)).toBe(EPOCH + 500n);
    second.clock.runUntil(1_000);
    expect(second.line.level).toBe(true);
  });

  it('other registers read 0 and ignore writes', () => {
    const { rtc } = make();
    rtc.write(0x20, 4, 5);
    expect([rtc.read(0x14, 4), rtc.read(0x1c, 4), rtc.read(0x20, 4), rtc.read(0xffc, 4)]).toEqual([
      0, 0, 0, 0,
    ]);
  });
});
