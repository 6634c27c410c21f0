import { Ledger } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { Imsic } from './imsic.js';
import { FakeSignal, ImsicDriver } from './testing/index.js';

const EIDELIVERY = 0x70;
const EITHRESHOLD = 0x72;
const EIP = 0x80;
const EIE = 0xc0;
const ALL = 0xffff_ffff_ffff_ffffn;

function make(options: { identities?: number; guests?: number; ledger?: Ledger } = {}) {
  const guests = Array.from({ length: options.guests ?? 3 }, () => new FakeSignal());
  const [machine, supervisor] = [new FakeSignal(), new FakeSignal()];
  const { identities = 255, ledger } = options;
  const imsic = new Imsic({
    machine,
    supervisor,
    guests,
    identities,
    ...(ledger === undefined ? {} : { ledger }),
  });
  const signals = [machine, supervisor, ...guests];
  const files = signals.map((_, file) => new ImsicDriver(imsic, file));
  return { imsic, signals, files };
}

/** One file that delivers, with these identities enabled. */
function delivering(...identities: number[]) {
  const { imsic, signals, files } = make();
  const [, file] = files;
  file.delivery = 1;
  for (const identity of identities) file.enable(identity);
  return { imsic, file, signal: signals[1] };
}

describe('interrupt files (AIA 3.1)', () => {
  it('AIA 3.1: 63 to 2047 identities, one less than a multiple of 64', () => {
    for (const identities of [63, 127, 255, 2047]) expect(() => make({ identities })).not.toThrow();
    for (const identities of [0, 62, 64, 100, 2048, 2111, 62.5]) {
      expect(() => make({ identities })).toThrow(RangeError);
    }
  });

  it('AIA 3.1: each file has bits of its own; as many guest files as GEILEN', () => {
    const { imsic, files } = make();
    expect(imsic.guests).toBe(3);
    files.forEach((file, index) => file.send(10 + index));
    files.forEach((file, index) => {
      expect([0, 1, 2, 3, 4].map((other) => file.isPending(10 + other))).toEqual(
        [0, 1, 2, 3, 4].map((other) => other === index),
      );
    });
  });

  it('AIA 3.1: GEILEN is at most 63', () => {
    expect(() => make({ guests: 63 })).not.toThrow();
    expect(() => make({ guests: 64 })).toThrow(RangeError);
  });
});

describe('memory region (AIA 3.5)', () => {
  it('AIA 3.5: seteipnum_le makes its identity pending; what is no identity is ignored', () => {
    const { files } = make({ identities: 63 });
    for (const value of [0, 64, 255, 2048, 0x0100_0000, 0xffff_ffff]) files[1].send(value);
    expect([EIP, EIP + 2, EIP + 62].map((register) => files[1].read(register))).toEqual([0n, 0n, 0n]);
    for (const value of [1, 63]) files[1].send(value);
    expect(files[1].read(EIP)).toBe((1n << 63n) | 2n);
  });

  it('AIA 3.5: seteipnum_be and all other bytes ignore writes, and everything reads 0', () => {
    const { imsic, files } = make();
    for (const offset of [4, 8, 0x800, 0xffc]) {
      files[1].send(0x0500_0000, offset);
      files[1].send(5, offset);
    }
    expect(files[1].read(EIP)).toBe(0n);
    files[1].send(5);
    for (const offset of [0, 4, 8, 0xffc, 0x1000]) expect(imsic.supervisorPages.read(offset, 4)).toBe(0);
    expect(imsic.machinePage.read(0, 4)).toBe(0);
  });

  it('AIA 3.5: only aligned 32-bit accesses', () => {
    expect(Imsic.WIDTHS).toEqual([4]);
  });

  it('AIA 3.6: a guest has the page of its number behind the supervisor; behind the last are zeros', () => {
    const { imsic, files } = make({ guests: 2 });
    imsic.supervisorPages.write(0x0000, 4, 7);
    imsic.supervisorPages.write(0x2000, 4, 8);
    imsic.supervisorPages.write(0x3000, 4, 9);
    expect(files.map((file) => file.read(EIP))).toEqual([0n, 1n << 7n, 0n, 1n << 8n]);
  });
});

describe('indirect registers (AIA 3.8)', () => {
  it('AIA 3.4: after reset nothing is pending, enabled or delivered', () => {
    const { imsic, files, signals } = make();
    for (const file of files) {
      file.delivery = 1;
      file.threshold = 9;
      file.enable(5);
      file.send(5);
    }
    imsic.reset();
    for (const [index, file] of files.entries()) {
      expect([EIDELIVERY, EITHRESHOLD, EIP, EIE].map((register) => file.read(register))).toEqual([
        0n,
        0n,
        0n,
        0n,
      ]);
      expect(signals[index].level).toBe(false);
    }
  });

  it('AIA 3.7: reserved registers are 0 and ignore writes', () => {
    const { files } = make();
    for (const register of [0x71, 0x73, 0x78, 0x7f]) {
      files[1].write(register, ALL);
      expect(files[1].read(register)).toBe(0n);
    }
  });

  it('AIA 3.8.1: eidelivery is WARL: 0 or 1; delivery from an APLIC is not offered', () => {
    const { files } = make();
    files[1].delivery = 1;
    expect(files[1].delivery).toBe(1);
    files[1].delivery = 0x4000_0000;
    expect(files[1].delivery).toBe(0);
  });

  it('AIA 3.8.1: eidelivery decides the signal and nothing else', () => {
    const { file, signal } = delivering(6);
    file.delivery = 0;
    file.send(6);
    expect([signal.level, file.top, file.isPending(6)]).toEqual([false, 0x6_0006, true]);
    file.delivery = 1;
    expect(signal.level).toBe(true);
    file.delivery = 0;
    expect([signal.level, file.top]).toEqual([false, 0x6_0006]);
  });

  it('AIA 3.8.2: eithreshold holds 0 to N', () => {
    const { files } = make({ identities: 191 });
    for (const value of [0, 1, 128, 191]) {
      files[1].threshold = value;
      expect(files[1].threshold).toBe(value);
    }
    files[1].threshold = 0xffff_ff03;
    expect(files[1].threshold).toBe(3);
  });

  it('AIA 3.8.2: identities at the threshold and above do not signal; 0 is no threshold', () => {
    const { file, signal } = delivering(5, 9);
    file.send(9);
    for (const [threshold, level] of [
      [0, true],
      [9, false],
      [10, true],
      [5, false],
    ] as const) {
      file.threshold = threshold;
      expect([threshold, signal.level, file.top !== 0]).toEqual([threshold, level, level]);
    }
    file.threshold = 6;
    file.send(5);
    expect([signal.level, file.top]).toEqual([true, 0x5_0005]);
    file.threshold = 5;
    expect([signal.level, file.top]).toEqual([false, 0]);
  });

  it('AIA 3.8.3, 3.8.4: bits exist for identities 1 to N only, and can be written', () => {
    const { files } = make({ identities: 127 });
    for (const array of [EIP, EIE]) {
      for (let register = array; register < array + 64; register += 2) files[1].write(register, ALL);
      expect([0, 2, 4, 62].map((word) => files[1].read(array + word))).toEqual([ALL - 1n, ALL, 0n, 0n]);
    }
    files[1].write(EIP, 1n << 40n);
    expect([40, 41, 100].map((identity) => files[1].isPending(identity))).toEqual([true, false, true]);
  });

  it('AIA 3.10: a pending bit that software sets or clears counts as one that a message set', () => {
    const { file, signal } = delivering(40);
    file.write(EIP, 1n << 40n);
    expect([signal.level, signal.priority]).toEqual([true, 40]);
    file.write(EIP, 0n);
    expect(signal.level).toBe(false);
  });
});

describe('top interrupt (AIA 3.9)', () => {
  it('AIA 3.3: the lowest identity is the strongest; 3.9: identity and priority, both the same', () => {
    const { file, signal } = delivering(3, 64, 200);
    for (const identity of [200, 64, 3, 2]) file.send(identity);
    expect(file.top).toBe(0x3_0003);
    expect(signal.priority).toBe(3);
    file.disable(3);
    expect([file.top, signal.priority]).toEqual([0x40_0040, 64]);
  });

  it('AIA 3.9: a write claims what is shown, and each message once', () => {
    const { file, signal } = delivering(1, 31, 32, 255);
    for (const identity of [255, 32, 31, 1, 1, 255]) file.send(identity);
    const claimed = [0, 1, 2, 3, 4].map(() => file.claim());
    expect(claimed).toEqual([1, 31, 32, 255, 0]);
    expect([signal.level, file.top]).toEqual([false, 0]);
  });

  it('AIA 3.9: with nothing to show a claim changes nothing', () => {
    const { file } = delivering(5);
    file.send(6);
    expect(file.claim()).toBe(0);
    expect(file.isPending(6)).toBe(true);
  });
});

describe('ledger and snapshot', () => {
  it('messages and claims are counted by file', () => {
    const ledger = new Ledger();
    const { files } = make({ ledger });
    files[1].enable(5);
    files[1].send(5);
    files[1].send(5);
    files[1].send(0);
    files[1].claim();
    files[1].claim();
    files[3].send(1);
    const count = (event: string, reason: string): number => ledger.total({ owner: 'imsic', event, reason });
    expect([
      count('message-received', 'supervisor'),
      count('message-ignored', 'supervisor'),
      count('interrupt-claimed', 'supervisor'),
      count('message-received', 'guest 2'),
    ]).toEqual([2, 1, 1, 1]);
  });

  it('a snapshot brings back every file and its signal', () => {
    const { imsic, files } = make();
    files.forEach((file, index) => {
      file.delivery = 1;
      file.threshold = 100;
      file.enable(20 + index);
      file.send(20 + index);
      file.send(200);
    });
    const saved = JSON.parse(JSON.stringify(imsic.save())) as ReturnType<Imsic['save']>;
    const other = make();
    other.imsic.restore(saved);
    expect(other.imsic.save()).toEqual(imsic.save());
    expect(other.signals.map(({ level, priority }) => [level, priority])).toEqual(
      [20, 21, 22, 23, 24].map((identity) => [true, identity]),
    );
  });

  it('a snapshot of another number of files or identities is refused', () => {
    const { imsic } = make();
    expect(() => make({ guests: 2 }).imsic.restore(imsic.save())).toThrow(/guest interrupt files/);
    expect(() => make({ identities: 63 }).imsic.restore(imsic.save())).toThrow(/identities/);
  });
});
