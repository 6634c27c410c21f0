import { describe, expect, it } from 'vitest';
import {
  CSR_MCOUNTINHIBIT,
  CSR_MCYCLE,
  EID_HSM,
  EID_IPI,
  EID_PMU,
  EID_RFENCE,
  EID_TIME,
  SBI_ERR_ALREADY_STARTED,
  SBI_ERR_ALREADY_STOPPED,
  SBI_ERR_INVALID_PARAM,
  SBI_ERR_NOT_SUPPORTED,
  SBI_ERR_NO_SHMEM,
  SBI_SUCCESS,
} from './codes.js';
import { SbiDriver } from './testing/index.js';

const [NUM, INFO, CONFIG, START, STOP, READ, READ_HI, SHMEM] = [0, 1, 2, 3, 4, 5, 6, 7];
const ALL_COUNTERS = (1n << 19n) - 1n;
const [SKIP_MATCH, CLEAR_VALUE, AUTO_START] = [1, 2, 4];
const CYCLES = 0x0_0001;
const INSTRUCTIONS = 0x0_0002;
const firmware = (code: number): number => 0xf_0000 | code;
const IPI_SENT = firmware(6);

const call = (driver: SbiDriver, fid: number, ...args: (bigint | number)[]) =>
  driver.call(EID_PMU, fid, ...args);
const configure = (driver: SbiDriver, event: number, flags = 0, mask = ALL_COUNTERS, base = 0) =>
  call(driver, CONFIG, base, mask, flags, event, 0);

describe('SBI 2.0 11.5, 11.6: what there is', () => {
  it('SBI 2.0 11.6: cycle and instret are hardware counters of 64 bits', () => {
    const driver = new SbiDriver();
    expect(call(driver, INFO, 0).value).toBe(0xc00n | (63n << 12n));
    expect(call(driver, INFO, 2).value).toBe(0xc02n | (63n << 12n));
  });

  it('SBI 2.0 11.5, 11.6: the others are firmware counters; 1 (time) and what is beyond are invalid', () => {
    const driver = new SbiDriver();
    const { value: count } = call(driver, NUM);
    expect(count).toBe(19n);
    for (let index = 3n; index < count; index++) {
      expect(call(driver, INFO, index)).toEqual({ error: SBI_SUCCESS, value: 1n << 63n });
    }
    for (const index of [1n, count, 1n << 32n, (1n << 64n) - 1n]) {
      expect(call(driver, INFO, index).error).toBe(SBI_ERR_INVALID_PARAM);
    }
  });
});

describe('SBI 2.0 11.7: configure', () => {
  it('SBI 2.0 11.7: cycles and instructions match their fixed counters only', () => {
    const driver = new SbiDriver();
    expect(configure(driver, CYCLES)).toEqual({ error: SBI_SUCCESS, value: 0n });
    expect(configure(driver, INSTRUCTIONS)).toEqual({ error: SBI_SUCCESS, value: 2n });
    expect(configure(new SbiDriver(), CYCLES, 0, 0b100n).error).toBe(SBI_ERR_NOT_SUPPORTED);
    expect(configure(driver, CYCLES).error).toBe(SBI_ERR_NOT_SUPPORTED);
  });

  it('SBI 2.0 11.7: a firmware event takes the first free firmware counter of the set', () => {
    const driver = new SbiDriver();
    expect(configure(driver, IPI_SENT).value).toBe(3n);
    expect(configure(driver, firmware(5)).value).toBe(4n);
    expect(configure(driver, firmware(5), 0, 0b11n, 10).value).toBe(10n);
    for (let left = 0; left < 13; left++) expect(configure(driver, IPI_SENT).error).toBe(SBI_SUCCESS);
    expect(configure(driver, IPI_SENT).error).toBe(SBI_ERR_NOT_SUPPORTED);
  });

  it('SBI 2.0 11.1 to 11.4: events that exist but cannot be counted are NOT_SUPPORTED', () => {
    const driver = new SbiDriver();
    for (const event of [3, 10, 0x1_0000, 0x2_0000, firmware(0), firmware(14), firmware(0xffff)]) {
      expect(configure(driver, event).error).toBe(SBI_ERR_NOT_SUPPORTED);
    }
  });

  it('SBI 2.0 11.7: no event, no type, no counter, a counter that is not there, an unknown flag: INVALID_PARAM', () => {
    const driver = new SbiDriver();
    for (const event of [0, 11, 0x3_0000, 0x10_0001]) {
      expect(configure(driver, event).error).toBe(SBI_ERR_INVALID_PARAM);
    }
    expect(configure(driver, CYCLES, 0, 0n).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(configure(driver, CYCLES, 0, 0b10n).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(configure(driver, CYCLES, 0, 1n << 19n).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(configure(driver, CYCLES, 0, 1n, 19).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(configure(driver, CYCLES, 0x100).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(call(driver, CONFIG, (1n << 64n) - 1n, 1, 0, CYCLES).error).toBe(SBI_ERR_INVALID_PARAM);
  });

  it('SBI 2.0 11.7: CLEAR_VALUE zeroes the counter, AUTO_START starts it', () => {
    const driver = new SbiDriver();
    const hart = driver.harts[0];
    hart.csrs.set(CSR_MCYCLE, 500n).set(CSR_MCOUNTINHIBIT, 0b101n);
    configure(driver, CYCLES, CLEAR_VALUE | AUTO_START);
    expect([hart.csrs.get(CSR_MCYCLE), hart.csrs.get(CSR_MCOUNTINHIBIT)]).toEqual([0n, 0b100n]);
    expect(call(driver, START, 0, 1, 0, 0).error).toBe(SBI_ERR_ALREADY_STARTED);
  });

  it('SBI 2.0 11.7: SKIP_MATCH takes the first counter of the set, which must have an event', () => {
    const driver = new SbiDriver();
    expect(configure(driver, IPI_SENT, SKIP_MATCH, 0b1000n).error).toBe(SBI_ERR_INVALID_PARAM);
    configure(driver, IPI_SENT);
    driver.call(EID_PMU, START, 3, 1, 1, 7);
    expect(configure(driver, IPI_SENT, SKIP_MATCH | CLEAR_VALUE, 0b1000n)).toEqual({
      error: SBI_SUCCESS,
      value: 3n,
    });
    expect(call(driver, READ, 3).value).toBe(0n);
  });
});

describe('SBI 2.0 11.8, 11.9: start and stop', () => {
  it('SBI 2.0 11.8: SET_INIT_VALUE sets the counter, and starting ends its inhibition', () => {
    const driver = new SbiDriver();
    const hart = driver.harts[0];
    hart.csrs.set(CSR_MCOUNTINHIBIT, 0b101n);
    configure(driver, INSTRUCTIONS);
    expect(call(driver, START, 2, 1, 1, 1n << 63n).error).toBe(SBI_SUCCESS);
    expect([hart.csrs.get(CSR_MCYCLE + 2), hart.csrs.get(CSR_MCOUNTINHIBIT)]).toEqual([1n << 63n, 1n]);
    expect(call(driver, STOP, 2, 1, 0).error).toBe(SBI_SUCCESS);
    expect(hart.csrs.get(CSR_MCOUNTINHIBIT)).toBe(0b101n);
  });

  it('SBI 2.0 11.8, 11.9: twice is ALREADY_STARTED and ALREADY_STOPPED; the rest of the set is done', () => {
    const driver = new SbiDriver();
    configure(driver, IPI_SENT);
    configure(driver, IPI_SENT);
    expect(call(driver, START, 3, 1, 0, 0).error).toBe(SBI_SUCCESS);
    expect(call(driver, START, 3, 0b11, 0, 0).error).toBe(SBI_ERR_ALREADY_STARTED);
    driver.call(EID_IPI, 0, 1, 0);
    expect([call(driver, READ, 3).value, call(driver, READ, 4).value]).toEqual([1n, 1n]);
    expect(call(driver, STOP, 3, 0b11, 0).error).toBe(SBI_SUCCESS);
    expect(call(driver, STOP, 3, 0b11, 0).error).toBe(SBI_ERR_ALREADY_STOPPED);
  });

  it('SBI 2.0 11.9: RESET frees the counter', () => {
    const driver = new SbiDriver();
    configure(driver, CYCLES, AUTO_START);
    expect(call(driver, STOP, 0, 1, 1).error).toBe(SBI_SUCCESS);
    expect(call(driver, START, 0, 1, 0, 0).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(configure(driver, CYCLES).error).toBe(SBI_SUCCESS);
  });

  it('SBI 2.0 11.8, 11.9: a counter without an event, or that is not there, or an unknown flag: INVALID_PARAM', () => {
    const driver = new SbiDriver();
    configure(driver, CYCLES);
    expect(call(driver, START, 3, 1, 0, 0).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(call(driver, START, 0, 1n << 40n, 0, 0).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(call(driver, START, 0, 1, 4, 0).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(call(driver, STOP, 19, 1, 0).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(call(driver, STOP, 0, 1, 4).error).toBe(SBI_ERR_INVALID_PARAM);
  });

  it('SBI 2.0 11.8, 11.9, 11.12: there is no snapshot memory', () => {
    const driver = new SbiDriver();
    configure(driver, CYCLES);
    expect(call(driver, START, 0, 1, 2, 0).error).toBe(SBI_ERR_NO_SHMEM);
    expect(call(driver, STOP, 0, 1, 2).error).toBe(SBI_ERR_NO_SHMEM);
    expect(call(driver, SHMEM, 0x8000_0000, 0, 0).error).toBe(SBI_ERR_NOT_SUPPORTED);
  });
});

describe('SBI 2.0 11.10, 11.11: firmware counters', () => {
  it('SBI 2.0 11.4: count the calls of their event, on their hart, while they run', () => {
    const driver = new SbiDriver(2);
    driver.call(EID_HSM, 0, 1, 0x8000_0000, 0);
    const events = [5, 6, 7, 8, 9, 10, 11, 12, 13];
    for (const [index, code] of events.entries()) {
      expect(configure(driver, firmware(code), AUTO_START).value).toBe(BigInt(3 + index));
      driver.callOn(1, EID_PMU, CONFIG, 0, ALL_COUNTERS, AUTO_START, firmware(code), 0);
    }
    driver.call(EID_TIME, 0, 1000);
    driver.call(EID_IPI, 0, 0b11, 0);
    driver.call(EID_RFENCE, 0, 0b10, 0);
    driver.call(EID_RFENCE, 1, 0b10, 0, 0, 0);
    driver.call(EID_RFENCE, 2, 0b10, 0, 0, 0, 1);
    const read = (hart: number) =>
      events.map((_, index) => Number(driver.callOn(hart, EID_PMU, READ, 3 + index).value));
    expect(read(0)).toEqual([1, 2, 1, 1, 0, 1, 0, 1, 0]);
    expect(read(1)).toEqual([0, 0, 1, 0, 1, 0, 1, 0, 1]);
    call(driver, STOP, 3, 1, 0);
    driver.call(EID_TIME, 0, 2000);
    expect(read(0)[0]).toBe(1);
  });

  it('SBI 2.0 11.10, 11.11: INVALID_PARAM for hardware counters and those that are not there; high bits are 0', () => {
    const driver = new SbiDriver();
    for (const index of [0n, 1n, 2n, 19n, (1n << 64n) - 1n]) {
      expect(call(driver, READ, index).error).toBe(SBI_ERR_INVALID_PARAM);
      expect(call(driver, READ_HI, index).error).toBe(SBI_ERR_INVALID_PARAM);
    }
    expect(call(driver, READ_HI, 3)).toEqual({ error: SBI_SUCCESS, value: 0n });
  });
});
