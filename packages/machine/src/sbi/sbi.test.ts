import { decodeSnapshot, encodeSnapshot } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import {
  EID_BASE,
  EID_DBCN,
  EID_HSM,
  EID_IPI,
  EID_PMU,
  EID_RFENCE,
  EID_SRST,
  EID_TIME,
  SBI_ERR_NOT_SUPPORTED,
} from './codes.js';
import { SbiDriver } from './testing/index.js';

const EID_FWFT = 0x4657_4654;
const EID_SUSP = 0x5355_5350;
const SERVED = [EID_BASE, EID_TIME, EID_IPI, EID_RFENCE, EID_HSM, EID_SRST, EID_PMU, EID_DBCN];

describe('SBI 2.0 ch. 3: binary encoding', () => {
  it('SBI 2.0 3: an extension that is not there answers NOT_SUPPORTED (FWFT is asked for before BASE)', () => {
    const driver = new SbiDriver();
    for (const eid of [EID_FWFT, EID_SUSP, 0x0900_0000, 0x4e41_434c]) {
      expect(driver.call(eid, 0)).toEqual({ error: SBI_ERR_NOT_SUPPORTED, value: 0n });
    }
  });

  it('SBI 2.0 3: a function that is not there answers NOT_SUPPORTED, in every extension', () => {
    const driver = new SbiDriver();
    for (const eid of SERVED) {
      for (const fid of [99, -1, 0x7fff_ffff, 0x1_0000_0000]) {
        expect(driver.call(eid, fid).error).toBe(SBI_ERR_NOT_SUPPORTED);
      }
    }
  });

  it('SBI 2.0 3: ids are 32 bits wide and signed; anything else is no id', () => {
    const driver = new SbiDriver();
    expect(driver.call(0x1_0000_0000 + EID_BASE, 0).error).toBe(SBI_ERR_NOT_SUPPORTED);
    expect(driver.call(-1, 0).error).toBe(SBI_ERR_NOT_SUPPORTED);
  });

  it('SBI 2.0 3: all registers but a0 and a1 are preserved', () => {
    const driver = new SbiDriver();
    const { x } = driver.harts[0];
    for (let index = 1; index < 32; index++) x[index] = BigInt(index) * 0x0101_0101n;
    driver.call(EID_BASE, 3, EID_TIME);
    for (const index of [...Array.from({ length: 9 }, (_, at) => at + 1), 18, 19, 25, 31]) {
      expect(x[index]).toBe(BigInt(index) * 0x0101_0101n);
    }
    expect([x[12], x[16], x[17]]).toEqual([0n, 3n, BigInt(EID_BASE)]);
  });
});

describe('SBI 2.0 ch. 4: base', () => {
  it('SBI 2.0 4.1: the version is 2.0', () => {
    expect(new SbiDriver().call(EID_BASE, 0)).toEqual({ error: 0, value: 0x0200_0000n });
  });

  it('SBI 2.0 4.2, 4.3: the implementation is none of the registered ones', () => {
    const driver = new SbiDriver();
    expect(driver.call(EID_BASE, 1).value).toBeGreaterThan(0xffn);
    expect(driver.call(EID_BASE, 2)).toEqual({ error: 0, value: 1n });
  });

  it('SBI 2.0 4.4: probing tells what is there and what is not', () => {
    const driver = new SbiDriver();
    for (const eid of [...SERVED, 1, 2])
      expect(driver.call(EID_BASE, 3, eid)).toEqual({ error: 0, value: 1n });
    for (const eid of [0, 8, EID_FWFT, EID_SUSP, -1, 1n << 40n]) {
      expect(driver.call(EID_BASE, 3, eid)).toEqual({ error: 0, value: 0n });
    }
  });

  it('SBI 2.0 4.5 to 4.7: vendor, architecture and implementation are what the hart says', () => {
    const driver = new SbiDriver();
    driver.harts[0].csrs
      .set(0xf11, 7n)
      .set(0xf12, 1n << 63n)
      .set(0xf13, 9n);
    expect([4, 5, 6].map((fid) => driver.call(EID_BASE, fid).value)).toEqual([7n, 1n << 63n, 9n]);
  });
});

describe('SBI 2.0 ch. 5: legacy console', () => {
  it('SBI 2.0 5.2: putchar writes a byte and leaves a1 alone', () => {
    const driver = new SbiDriver();
    expect(driver.call(1, 0, 0x141, 77)).toEqual({ error: 0, value: 77n });
    expect(driver.output).toEqual([0x41]);
  });

  it('SBI 2.0 5.3: getchar gives the next byte, -1 when there is none', () => {
    const driver = new SbiDriver();
    driver.input.push(0x61);
    expect(driver.call(2, 0).error).toBe(0x61);
    expect(driver.call(2, 0).error).toBe(-1);
  });

  it('SBI 2.0 5: the other legacy calls answer NOT_SUPPORTED in a0 only', () => {
    const driver = new SbiDriver();
    for (const eid of [0, 3, 4, 5, 6, 7, 8, 9, 0xf]) {
      expect(driver.call(eid, 0, 5, 77)).toEqual({ error: SBI_ERR_NOT_SUPPORTED, value: 77n });
    }
    expect(driver.resets).toEqual([]);
  });
});

it('a snapshot with a timer in flight, a suspended hart and counters goes on where it was', () => {
  const first = new SbiDriver(2);
  first.callOn(0, EID_HSM, 0, 1, 0x8000_0000, 5);
  first.callOn(1, EID_TIME, 0, 1000);
  first.callOn(1, EID_HSM, 3, 0x8000_0000, 0x8000_1000, 42);
  first.callOn(0, EID_PMU, 2, 0, (1n << 19n) - 1n, 4, 0xf_0006);
  first.callOn(0, EID_IPI, 0, 1, 0);
  first.callOn(0, EID_SRST, 0, 1, 0);
  const [clockSaved, saved] = [first.clock.save(), first.sbi.save()].map((part) => encodeSnapshot(part));

  const second = new SbiDriver(2);
  second.clock.restore(decodeSnapshot(clockSaved));
  second.sbi.restore(decodeSnapshot(saved));
  expect(encodeSnapshot(second.sbi.save())).toBe(saved);
  second.clock.runUntil(0);
  expect(second.resets).toEqual([{ type: 'cold-reboot', reason: 'none' }]);
  second.harts[1].csrs.set(0x304, 1n << 5n);
  expect(second.sbi.runnable(second.harts[1])).toBe(false);
  second.clock.runUntil(100_000);
  expect(second.sbi.runnable(second.harts[1])).toBe(true);
  expect(second.harts[1].resets).toEqual([{ pc: 0x8000_1000n, privilege: 1, a0: 1n, a1: 42n }]);
  expect(second.callOn(0, EID_PMU, 5, 3)).toEqual({ error: 0, value: 1n });
});

it('reset stops all harts but the boot hart and drops what is due', () => {
  const driver = new SbiDriver(2);
  driver.call(EID_HSM, 0, 1, 0x8000_0000, 0);
  driver.callOn(1, EID_TIME, 0, 1000);
  driver.call(EID_SRST, 0, 0, 0);
  driver.sbi.reset();
  expect([driver.sbi.hartState(0), driver.sbi.hartState(1)]).toEqual([0, 1]);
  expect(driver.clock.nextEvent).toBe(Infinity);
});

it('hostile: random calls on every extension answer a defined error and touch nothing outside RAM', () => {
  const driver = new SbiDriver(3);
  let state = 0x5b1n;
  const random = (): bigint =>
    (state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n));
  const edges = [
    0n,
    1n,
    3n,
    4096n,
    0x8000_0000n,
    0x8000_fff8n,
    0x8001_0000n,
    (1n << 64n) - 1n,
    1n << 63n,
    1n << 53n,
  ];
  const value = (): bigint => (random() % 3n === 0n ? random() : edges[Number((random() >> 20n) % 10n)]);
  const outside = driver.memory.bytes.slice(0, driver.memory.ramOffset);
  const errors = new Set<number>();
  for (let step = 0; step < 30_000; step++) {
    const eid = SERVED[Number((random() >> 20n) % 8n)];
    const hart = Number((random() >> 20n) % 3n);
    const fid = Number((random() >> 20n) % 9n);
    const { error } = driver.callOn(hart, eid, fid, value(), value(), value(), value(), value(), value());
    errors.add(error);
    if (step % 100 === 0) {
      driver.clock.runUntil(driver.clock.now + 1000);
      for (const each of driver.harts) driver.sbi.runnable(each);
      driver.output.length = 0;
    }
  }
  expect([...errors].every((error) => error >= -9 && error <= 0)).toBe(true);
  expect(errors.size).toBeGreaterThan(5);
  expect(Buffer.compare(driver.memory.bytes.subarray(0, driver.memory.ramOffset), outside)).toBe(0);
});
