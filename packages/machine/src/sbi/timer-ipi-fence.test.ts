import { describe, expect, it } from 'vitest';
import {
  BIT_SSIP,
  BIT_STIP,
  CSR_STIMECMP,
  EID_HSM,
  EID_IPI,
  EID_RFENCE,
  EID_TIME,
  SBI_ERR_INVALID_ADDRESS,
  SBI_ERR_INVALID_PARAM,
  SBI_ERR_NOT_SUPPORTED,
  SBI_SUCCESS,
} from './codes.js';
import { SbiDriver } from './testing/index.js';

const ALL = (1n << 64n) - 1n;
const STIP = 1n << BigInt(BIT_STIP);
const SSIP = 1n << BigInt(BIT_SSIP);

/** All harts started. */
function started(harts: number): SbiDriver {
  const driver = new SbiDriver(harts);
  for (let hart = 1; hart < harts; hart++) driver.call(EID_HSM, 0, hart, 0x8000_0000, 0);
  return driver;
}

describe('SBI 2.0 ch. 6: timer', () => {
  it('SBI 2.0 6.1: STIP is raised when time reaches stime_value, not before', () => {
    const driver = new SbiDriver();
    const hart = driver.harts[0];
    expect(driver.call(EID_TIME, 0, 1000).error).toBe(SBI_SUCCESS);
    driver.clock.runUntil(99_999);
    expect(hart.pending).toBe(0n);
    driver.clock.runUntil(100_000);
    expect(hart.pending).toBe(STIP);
  });

  it('SBI 2.0 6.1: the call clears a pending timer interrupt and replaces an earlier time', () => {
    const driver = new SbiDriver();
    const hart = driver.harts[0];
    driver.call(EID_TIME, 0, 1000);
    driver.clock.runUntil(100_000);
    driver.call(EID_TIME, 0, 3000);
    expect(hart.pending).toBe(0n);
    driver.call(EID_TIME, 0, 2000);
    driver.clock.runUntil(200_000);
    expect(hart.pending).toBe(STIP);
    expect(driver.clock.nextEvent).toBe(Infinity);
  });

  it('SBI 2.0 6.1: -1 is infinitely far in the future; the past is due at once', () => {
    const driver = new SbiDriver();
    driver.clock.runUntil(1_000_000);
    driver.call(EID_TIME, 0, 5);
    expect(driver.harts[0].pending).toBe(STIP);
    driver.call(EID_TIME, 0, ALL);
    expect(driver.harts[0].pending).toBe(0n);
    expect(driver.clock.nextEvent).toBe(Infinity);
  });

  it('SBI 2.0 6.1: time is what the time CSR says, its offset included', () => {
    const driver = new SbiDriver(1, { timeOffset: () => 500n });
    driver.call(EID_TIME, 0, 1500);
    expect(driver.clock.nextEvent).toBe(100_000);
  });

  it('SBI 2.0 6.1: with Sstc the call is a write of stimecmp', () => {
    const driver = new SbiDriver(1, { sstc: true });
    driver.call(EID_TIME, 0, 1000);
    expect(driver.harts[0].csrs.get(CSR_STIMECMP)).toBe(1000n);
    expect(driver.clock.nextEvent).toBe(Infinity);
  });

  it('timers of harts are independent', () => {
    const driver = started(2);
    driver.callOn(0, EID_TIME, 0, 2000);
    driver.callOn(1, EID_TIME, 0, 1000);
    driver.clock.runUntil(100_000);
    expect(driver.harts.map(({ pending }) => pending)).toEqual([0n, STIP]);
  });
});

describe('SBI 2.0 ch. 7: IPI, and 3.1: hart masks', () => {
  it('SBI 2.0 7.1: an IPI is a supervisor software interrupt at each named hart', () => {
    const driver = started(4);
    expect(driver.call(EID_IPI, 0, 0b101, 1).error).toBe(SBI_SUCCESS);
    expect(driver.harts.map(({ pending }) => pending)).toEqual([0n, SSIP, 0n, SSIP]);
  });

  it('SBI 2.0 3.1: base -1 names every hart, whatever the mask', () => {
    const driver = started(3);
    driver.call(EID_IPI, 0, 0, ALL);
    expect(driver.harts.map(({ pending }) => pending)).toEqual([SSIP, SSIP, SSIP]);
  });

  it('SBI 2.0 3.1: a hart that is not there is INVALID_PARAM, and nobody is interrupted', () => {
    const driver = started(2);
    for (const [mask, base] of [
      [0b111, 0],
      [1, 2],
      [1, 1n << 53n],
      [1, ALL - 1n],
      [ALL, 0],
    ] as const) {
      expect(driver.call(EID_IPI, 0, mask, base).error).toBe(SBI_ERR_INVALID_PARAM);
    }
    expect(driver.harts.map(({ pending }) => pending)).toEqual([0n, 0n]);
  });

  it('SBI 2.0 3.1: an empty mask names nobody and succeeds', () => {
    expect(new SbiDriver().call(EID_IPI, 0, 0, 0).error).toBe(SBI_SUCCESS);
  });

  it('a stopped hart takes no IPI', () => {
    const driver = new SbiDriver(2);
    expect(driver.call(EID_IPI, 0, 0b10, 0).error).toBe(SBI_SUCCESS);
    expect(driver.harts[1].pending).toBe(0n);
  });
});

describe('SBI 2.0 ch. 8: remote fences', () => {
  it('SBI 2.0 8.1: FENCE.I on the named harts', () => {
    const driver = started(3);
    expect(driver.call(EID_RFENCE, 0, 0b110, 0).error).toBe(SBI_SUCCESS);
    expect(driver.harts.map(({ fences }) => fences)).toEqual([0, 1, 1]);
    expect(driver.harts.map(({ flushes }) => flushes)).toEqual([0, 0, 0]);
  });

  it('SBI 2.0 8.2, 8.3: SFENCE.VMA with and without ASID drops translations of the named harts', () => {
    const driver = started(2);
    expect(driver.call(EID_RFENCE, 1, 0b10, 0, 0x1000, 0x2000).error).toBe(SBI_SUCCESS);
    expect(driver.call(EID_RFENCE, 2, 0b10, 0, 0x1000, 0x2000, 5).error).toBe(SBI_SUCCESS);
    expect(driver.harts.map(({ flushes }) => flushes)).toEqual([0, 2]);
  });

  it('SBI 2.0 8: 0 and 0, any start with size -1, and a range up to the last byte are valid', () => {
    const driver = started(1);
    for (const [start, size] of [
      [0n, 0n],
      [0x1000n, ALL],
      [ALL - 4095n, 4096n],
    ] as const) {
      expect(driver.call(EID_RFENCE, 1, 1, 0, start, size).error).toBe(SBI_SUCCESS);
    }
  });

  it('SBI 2.0 8.2: a range that wraps is INVALID_ADDRESS; masks are checked first', () => {
    const driver = started(1);
    expect(driver.call(EID_RFENCE, 1, 1, 0, ALL - 4095n, 4097).error).toBe(SBI_ERR_INVALID_ADDRESS);
    expect(driver.call(EID_RFENCE, 1, 2, 0, ALL, ALL - 1n).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(driver.harts[0].flushes).toBe(0);
  });

  it('SBI 2.0 8.3: an ASID wider than satp.ASID is INVALID_PARAM', () => {
    expect(started(1).call(EID_RFENCE, 2, 1, 0, 0, 0, 0x1_0000).error).toBe(SBI_ERR_INVALID_PARAM);
  });

  it('SBI 2.0 8.4 to 8.7: hypervisor fences need the H extension', () => {
    const driver = started(1);
    for (const fid of [3, 4, 5, 6])
      expect(driver.call(EID_RFENCE, fid, 1, 0).error).toBe(SBI_ERR_NOT_SUPPORTED);
  });
});
