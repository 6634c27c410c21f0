import { describe, expect, it } from 'vitest';
import {
  CSR_MIE,
  EID_HSM,
  EID_IPI,
  EID_TIME,
  SBI_ERR_ALREADY_AVAILABLE,
  SBI_ERR_INVALID_ADDRESS,
  SBI_ERR_INVALID_PARAM,
  SBI_SUCCESS,
} from './codes.js';
import { HSM_STARTED, HSM_STOPPED, HSM_SUSPENDED } from './hsm.js';
import { DRIVER_RAM, DRIVER_RAM_SIZE, SbiDriver } from './testing/index.js';

const [START, STOP, STATUS, SUSPEND] = [0, 1, 2, 3];
const NON_RETENTIVE = 0x8000_0000;
const ENTRY = 0x8000_0100;

const status = (driver: SbiDriver, hart: number): number => Number(driver.call(EID_HSM, STATUS, hart).value);

describe('SBI 2.0 9.1: hart start', () => {
  it('SBI 2.0 9.1: the boot hart is started, the others are stopped until told', () => {
    const driver = new SbiDriver(3, { bootHart: 1 });
    expect([0, 1, 2].map((hart) => status(driver, hart))).toEqual([HSM_STOPPED, HSM_STARTED, HSM_STOPPED]);
    expect(driver.harts.map((hart) => driver.sbi.runnable(hart))).toEqual([false, true, false]);
  });

  it('SBI 2.0 9.1: a started hart begins at start_addr in S-mode with a0 its id and a1 opaque', () => {
    const driver = new SbiDriver(2);
    expect(driver.call(EID_HSM, START, 1, ENTRY, (1n << 64n) - 1n).error).toBe(SBI_SUCCESS);
    expect(driver.harts[1].resets).toEqual([
      { pc: BigInt(ENTRY), privilege: 1, a0: 1n, a1: (1n << 64n) - 1n },
    ]);
    expect(status(driver, 1)).toBe(HSM_STARTED);
    expect(driver.sbi.runnable(driver.harts[1])).toBe(true);
  });

  it('SBI 2.0 9.1: ALREADY_AVAILABLE for a hart that is started or suspended', () => {
    const driver = new SbiDriver(2);
    expect(driver.call(EID_HSM, START, 0, ENTRY, 0).error).toBe(SBI_ERR_ALREADY_AVAILABLE);
    driver.call(EID_HSM, START, 1, ENTRY, 0);
    driver.callOn(1, EID_HSM, SUSPEND, 0);
    expect(driver.call(EID_HSM, START, 1, ENTRY, 0).error).toBe(SBI_ERR_ALREADY_AVAILABLE);
    expect(driver.harts[1].resets).toHaveLength(1);
  });

  it('SBI 2.0 9.1: INVALID_PARAM for a hart that is not there', () => {
    const driver = new SbiDriver(2);
    for (const hart of [2n, 1n << 32n, 1n << 53n, (1n << 64n) - 1n]) {
      expect(driver.call(EID_HSM, START, hart, ENTRY, 0).error).toBe(SBI_ERR_INVALID_PARAM);
    }
  });

  it('SBI 2.0 9.1: INVALID_ADDRESS where no instruction can be, and the hart stays stopped', () => {
    const driver = new SbiDriver(2);
    for (const address of [
      0n,
      0x1000_0000n,
      BigInt(DRIVER_RAM) + 1n,
      BigInt(DRIVER_RAM + DRIVER_RAM_SIZE),
      1n << 56n,
      (1n << 64n) - 2n,
    ]) {
      expect(driver.call(EID_HSM, START, 1, address, 0).error).toBe(SBI_ERR_INVALID_ADDRESS);
    }
    expect(status(driver, 1)).toBe(HSM_STOPPED);
    expect(driver.call(EID_HSM, START, 1, DRIVER_RAM + DRIVER_RAM_SIZE - 2, 0).error).toBe(SBI_SUCCESS);
  });
});

describe('SBI 2.0 9.2: hart stop', () => {
  it('SBI 2.0 9.2: the calling hart stops, loses its timer, and can be started again', () => {
    const driver = new SbiDriver(2);
    driver.call(EID_HSM, START, 1, ENTRY, 0);
    driver.callOn(1, EID_TIME, 0, 1000);
    driver.call(EID_IPI, 0, 2, 0);
    driver.callOn(1, EID_HSM, STOP);
    expect([status(driver, 1), driver.clock.nextEvent, driver.harts[1].pending]).toEqual([
      HSM_STOPPED,
      Infinity,
      0n,
    ]);
    expect(driver.sbi.runnable(driver.harts[1])).toBe(false);
    expect(driver.call(EID_HSM, START, 1, ENTRY, 7).error).toBe(SBI_SUCCESS);
  });
});

it('SBI 2.0 9.3: INVALID_PARAM for the status of a hart that is not there', () => {
  expect(new SbiDriver(2).call(EID_HSM, STATUS, 2).error).toBe(SBI_ERR_INVALID_PARAM);
});

describe('SBI 2.0 9.4: hart suspend', () => {
  it('SBI 2.0 9.4: a retentive suspend returns from the call when an enabled interrupt pends', () => {
    const driver = new SbiDriver(2);
    const hart = driver.harts[0];
    expect(driver.call(EID_HSM, SUSPEND, 0, 0, 0).error).toBe(SBI_SUCCESS);
    expect(driver.sbi.runnable(hart)).toBe(false);
    expect(driver.sbi.hartState(0)).toBe(HSM_SUSPENDED);
    hart.setInterrupt(1, true);
    expect(driver.sbi.runnable(hart)).toBe(false);
    hart.csrs.set(CSR_MIE, 2n);
    expect(driver.sbi.runnable(hart)).toBe(true);
    expect([driver.sbi.hartState(0), hart.resets]).toEqual([HSM_STARTED, []]);
  });

  it('SBI 2.0 9.4: a non-retentive suspend resumes at resume_addr with a0 the id and a1 opaque', () => {
    const driver = new SbiDriver(1);
    const hart = driver.harts[0];
    hart.csrs.set(CSR_MIE, 1n << 5n);
    driver.call(EID_TIME, 0, 1000);
    expect(driver.call(EID_HSM, SUSPEND, NON_RETENTIVE, ENTRY, 99).error).toBe(SBI_SUCCESS);
    driver.clock.runUntil(100_000);
    expect(driver.sbi.runnable(hart)).toBe(true);
    expect(hart.resets).toEqual([{ pc: BigInt(ENTRY), privilege: 1, a0: 0n, a1: 99n }]);
  });

  it('SBI 2.0 9.4: resume_addr is used, and checked, by non-retentive suspend only', () => {
    const driver = new SbiDriver(1);
    expect(driver.call(EID_HSM, SUSPEND, NON_RETENTIVE, 3, 0).error).toBe(SBI_ERR_INVALID_ADDRESS);
    expect(driver.sbi.runnable(driver.harts[0])).toBe(true);
    expect(driver.call(EID_HSM, SUSPEND, 0, 3, 0).error).toBe(SBI_SUCCESS);
  });

  it('SBI 2.0 9.4: reserved and platform types that are not there are INVALID_PARAM', () => {
    const driver = new SbiDriver(1);
    for (const type of [1, 0x0fff_ffff, 0x1000_0000, 0x7fff_ffff, 0x8000_0001, 0x9000_0000, 0xffff_ffff]) {
      expect(driver.call(EID_HSM, SUSPEND, type, ENTRY, 0).error).toBe(SBI_ERR_INVALID_PARAM);
    }
  });

  it('SBI 2.0 9.4: the type is 32 bits wide, sign-extended as the calling convention has it', () => {
    const driver = new SbiDriver(1);
    expect(driver.call(EID_HSM, SUSPEND, 0xffff_ffff_8000_0000n, ENTRY, 0).error).toBe(SBI_SUCCESS);
  });
});
