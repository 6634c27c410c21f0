import { physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { EID_DBCN, EID_SRST, SBI_ERR_INVALID_PARAM, SBI_SUCCESS } from './codes.js';
import { DRIVER_RAM, DRIVER_RAM_SIZE, SbiDriver } from './testing/index.js';

const [WRITE, READ, WRITE_BYTE] = [0, 1, 2];
const ALL = (1n << 64n) - 1n;
const END = DRIVER_RAM + DRIVER_RAM_SIZE;

describe('SBI 2.0 ch. 12: debug console', () => {
  it('SBI 2.0 12.1: bytes of memory go to the console, their count is the value', () => {
    const driver = new SbiDriver();
    driver.space.writeBytes(physical(DRIVER_RAM + 3), new TextEncoder().encode('hello'));
    expect(driver.call(EID_DBCN, WRITE, 5, DRIVER_RAM + 3, 0)).toEqual({ error: SBI_SUCCESS, value: 5n });
    expect(String.fromCharCode(...driver.output)).toBe('hello');
  });

  it('SBI 2.0 12.1: a huge count writes a part, and says how much', () => {
    const driver = new SbiDriver();
    const { error, value } = driver.call(EID_DBCN, WRITE, DRIVER_RAM_SIZE, DRIVER_RAM, 0);
    expect([error, value]).toEqual([SBI_SUCCESS, 4096n]);
    expect(driver.output).toHaveLength(4096);
  });

  it('SBI 2.0 12.2: what was typed is stored, no more than asked for, 0 when there is nothing', () => {
    const driver = new SbiDriver();
    driver.input.push(1, 2, 3);
    expect(driver.call(EID_DBCN, READ, 2, DRIVER_RAM, 0)).toEqual({ error: SBI_SUCCESS, value: 2n });
    expect(driver.call(EID_DBCN, READ, 9, DRIVER_RAM + 2, 0)).toEqual({ error: SBI_SUCCESS, value: 1n });
    expect(driver.call(EID_DBCN, READ, 9, DRIVER_RAM + 3, 0)).toEqual({ error: SBI_SUCCESS, value: 0n });
    expect([...driver.space.readBytes(physical(DRIVER_RAM), 4)]).toEqual([1, 2, 3, 0]);
  });

  it('SBI 2.0 12.3: one byte, the low eight bits, value 0', () => {
    const driver = new SbiDriver();
    expect(driver.call(EID_DBCN, WRITE_BYTE, 0x161)).toEqual({ error: SBI_SUCCESS, value: 0n });
    expect(driver.output).toEqual([0x61]);
  });

  it('SBI 2.0 3.2: memory that is not all RAM is INVALID_PARAM; nothing is moved, nothing typed is lost', () => {
    const driver = new SbiDriver();
    driver.input.push(0x61);
    for (const [count, low, high] of [
      [1, 0, 0],
      [1, 0x1000_0000, 0],
      [2, END - 1, 0],
      [ALL, DRIVER_RAM, 0],
      [1n << 53n, DRIVER_RAM, 0],
      [1, DRIVER_RAM, 1],
      [1, DRIVER_RAM, ALL],
      [1, ALL, 0],
      [1, 1n << 56n, 0],
    ] as const) {
      for (const fid of [WRITE, READ]) {
        expect(driver.call(EID_DBCN, fid, count, low, high).error).toBe(SBI_ERR_INVALID_PARAM);
      }
    }
    expect([driver.output, driver.input]).toEqual([[], [0x61]]);
  });

  it('SBI 2.0 3.2: reading the console into ROM is refused, writing from it is not', () => {
    const driver = new SbiDriver();
    driver.input.push(0x61);
    expect(driver.call(EID_DBCN, READ, 1, 0x1000, 0).error).toBe(SBI_ERR_INVALID_PARAM);
    expect(driver.call(EID_DBCN, WRITE, 1, 0x1000, 0).error).toBe(SBI_SUCCESS);
  });

  it('a count of 0 moves nothing, wherever the address points', () => {
    expect(new SbiDriver().call(EID_DBCN, WRITE, 0, ALL, ALL)).toEqual({ error: SBI_SUCCESS, value: 0n });
  });
});

describe('SBI 2.0 ch. 10: system reset', () => {
  it('SBI 2.0 10.1: shutdown, cold and warm reboot with their reason, from the event queue', () => {
    for (const [type, name] of ['shutdown', 'cold-reboot', 'warm-reboot'].entries()) {
      const driver = new SbiDriver();
      driver.call(EID_SRST, 0, type, 1);
      expect(driver.resets).toEqual([]);
      driver.clock.runUntil(0);
      expect(driver.resets).toEqual([{ type: name, reason: 'system-failure' }]);
    }
  });

  it('SBI 2.0 10.1: reserved and platform types and reasons that are not there are INVALID_PARAM', () => {
    const driver = new SbiDriver();
    for (const type of [3, 0xefff_ffff, 0xf000_0000, 0xffff_ffff]) {
      expect(driver.call(EID_SRST, 0, type, 0).error).toBe(SBI_ERR_INVALID_PARAM);
    }
    for (const reason of [2, 0xdfff_ffff, 0xe000_0000, 0xffff_ffff]) {
      expect(driver.call(EID_SRST, 0, 0, reason).error).toBe(SBI_ERR_INVALID_PARAM);
    }
    expect(driver.clock.nextEvent).toBe(Infinity);
  });

  it('the first request stands', () => {
    const driver = new SbiDriver();
    driver.call(EID_SRST, 0, 0, 0);
    driver.call(EID_SRST, 0, 1, 0);
    driver.clock.runUntil(0);
    expect(driver.resets).toEqual([{ type: 'shutdown', reason: 'none' }]);
  });
});
