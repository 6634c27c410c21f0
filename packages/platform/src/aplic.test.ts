import { Clock, Ledger, WiredOr } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { Aplic } from './aplic.js';
import { AplicDriver, FakeSignal } from './testing/index.js';

const DETACHED = 1;
const EDGE1 = 4;
const EDGE0 = 5;
const LEVEL1 = 6;
const LEVEL0 = 7;
const ACTIVE = [DETACHED, EDGE1, EDGE0, LEVEL1, LEVEL0];

function make(
  delivery: 'direct' | 'msi',
  options: { harts?: number; guests?: number; ledger?: Ledger } = {},
) {
  const clock = new Clock();
  const sent: [address: number, data: number][] = [];
  const harts = Array.from({ length: options.harts ?? 2 }, () => ({
    machine: new FakeSignal(),
    supervisor: new FakeSignal(),
  }));
  const aplic = new Aplic({
    clock,
    harts,
    guests: options.guests ?? 0,
    ...(options.ledger === undefined ? {} : { ledger: options.ledger }),
    ...(delivery === 'msi'
      ? { send: (low, high, data) => void sent.push([high * 2 ** 32 + low, data]) }
      : {}),
  });
  const [machine, supervisor] = [new AplicDriver(aplic.machine), new AplicDriver(aplic.supervisor)];
  const wires = new Map<number, (level: boolean) => void>();
  /** The wire of a source, joined at first use. */
  const wire = (source: number) => {
    let set = wires.get(source);
    if (set === undefined) {
      const line = new WiredOr();
      aplic.connect(source, line);
      const input = line.input();
      wires.set(source, (set = (level) => input.set(level)));
    }
    return set;
  };
  /** All that is under way arrives. */
  const arrived = (): [number, number][] => {
    clock.runUntil(clock.now + 1000);
    return sent.splice(0);
  };
  return { aplic, clock, harts, machine, supervisor, wire, arrived };
}

/** A source of the root domain that leads to hart 0 with priority or identity 5. */
function rooted(delivery: 'direct' | 'msi', mode: number) {
  const all = make(delivery);
  const { machine } = all;
  machine.enabled = true;
  machine.setDelivery(0, true);
  machine.configure(3, mode);
  machine.setTarget(3, 0, 5);
  return { ...all, set: all.wire(3), pending: () => machine.isPending(3) };
}

describe('domains (AIA 4.2, 4.5.2)', () => {
  it('AIA 4.1: 1 to 1023 sources', () => {
    const clock = new Clock();
    for (const sources of [0, 1024, 1.5]) {
      expect(() => new Aplic({ clock, harts: [], sources })).toThrow(RangeError);
    }
    const { aplic, wire } = make('direct');
    expect(aplic.sources).toBe(96);
    wire(1);
    for (const source of [0, 1, 97]) expect(() => aplic.connect(source, new WiredOr())).toThrow(RangeError);
  });

  it('AIA 4.5: only aligned 32-bit accesses; a region holds the registers and one IDC for each hart', () => {
    expect(Aplic.WIDTHS).toEqual([4]);
    expect(make('direct', { harts: 4 }).aplic.size).toBe(0x5000);
  });

  it('AIA 4.5: what is no register reads 0 and ignores writes', () => {
    const { machine, supervisor } = make('direct');
    for (const domain of [machine, supervisor]) {
      for (const offset of [0x1000, 0x1bbc, 0x1bc0, 0x1bcc, 0x1ce0, 0x2004, 0x2008, 0x3000, 0x400c, 0x4ffc]) {
        domain.write(offset, 0xffff_ffff);
        expect([offset, domain.read(offset)]).toEqual([offset, 0]);
      }
    }
  });

  it('AIA 4.5.1: domaincfg has 0x80 on top, IE, and DM fixed to how the APLIC delivers; little-endian', () => {
    for (const [delivery, mode] of [
      ['direct', 0],
      ['msi', 4],
    ] as const) {
      const { machine, supervisor } = make(delivery);
      for (const domain of [machine, supervisor]) {
        expect(domain.read(0)).toBe((0x8000_0000 | mode) >>> 0);
        domain.write(0, 0xffff_ffff);
        expect(domain.read(0)).toBe((0x8000_0100 | mode) >>> 0);
        domain.write(0, 0);
        expect(domain.read(0)).toBe((0x8000_0000 | mode) >>> 0);
      }
    }
  });

  it('AIA 4.5.2: SM is WARL: 2 and 3 are reserved; sources that are not there have none', () => {
    const { machine } = make('direct');
    for (const [written, read] of [
      [1, 1],
      [2, 0],
      [4, 4],
      [3, 0],
      [7, 7],
      [0xffff_f806, 6],
      [0, 0],
    ] as const) {
      machine.configure(96, written);
      expect(machine.configuration(96)).toBe(read);
    }
    machine.configure(97, 1);
    machine.configure(1023, 1);
    expect([97, 1023].map((source) => machine.configuration(source))).toEqual([0, 0]);
  });

  it('AIA 4.5.2: a source exists for the child while it is delegated, and begins as inactive', () => {
    const { machine, supervisor } = make('direct');
    supervisor.configure(5, LEVEL1);
    expect(supervisor.configuration(5)).toBe(0);
    machine.delegate(5);
    expect([machine.configuration(5), supervisor.configuration(5)]).toEqual([0x400, 0]);
    supervisor.configure(5, LEVEL1);
    supervisor.enable(5);
    machine.delegate(5);
    expect([supervisor.configuration(5), supervisor.isEnabled(5)]).toEqual([LEVEL1, true]);
    machine.configure(5, DETACHED);
    expect([supervisor.configuration(5), supervisor.isEnabled(5), supervisor.target(5)]).toEqual([
      0,
      false,
      0,
    ]);
    machine.delegate(5);
    expect(supervisor.configuration(5)).toBe(0);
  });

  it('AIA 4.5.2: a leaf that is asked to delegate has its register set to 0', () => {
    const { machine, supervisor } = make('direct');
    machine.delegate(5);
    supervisor.configure(5, LEVEL1);
    supervisor.configure(5, 0x406);
    expect(supervisor.configuration(5)).toBe(0);
  });

  it('AIA 4.5.2: of an inactive or delegated source all state is read-only 0', () => {
    for (const delivery of ['direct', 'msi'] as const) {
      const { machine } = make(delivery);
      for (const configuration of [0, 0x400]) {
        machine.configure(4, DETACHED);
        machine.setTarget(4, 1, 7);
        machine.enable(4);
        machine.pend(4);
        machine.configure(4, configuration);
        const state = () => [machine.isPending(4), machine.isEnabled(4), machine.target(4), machine.input(4)];
        expect(state()).toEqual([false, false, 0, false]);
        machine.setTarget(4, 1, 7);
        machine.enable(4);
        machine.pend(4);
        expect(state()).toEqual([false, false, 0, false]);
      }
    }
  });

  it('AIA 4.5.2: wires of delegated sources come to the child', () => {
    const { machine, supervisor, wire, harts } = make('direct');
    machine.delegate(9);
    supervisor.configure(9, LEVEL1);
    supervisor.setTarget(9, 1, 1);
    supervisor.enable(9);
    supervisor.setDelivery(1, true);
    supervisor.enabled = true;
    wire(9)(true);
    expect([machine.isPending(9), supervisor.isPending(9)]).toEqual([false, true]);
    expect([harts[1].machine.level, harts[1].supervisor.level]).toEqual([false, true]);
  });
});

describe('registers of sources (AIA 4.5.5 to 4.5.12)', () => {
  it('AIA 4.5.5, 4.5.7: setip and in_clrip work on active sources of their word', () => {
    const { machine } = make('direct');
    for (const source of [1, 31, 32, 96]) machine.configure(source, DETACHED);
    for (let word = 0; word < 32; word++) machine.write(0x1c00 + word * 4, 0xffff_ffff);
    const words = () => [0, 1, 2, 3, 4, 31].map((word) => machine.read(0x1c00 + word * 4));
    expect(words()).toEqual([0x8000_0002, 1, 0, 1, 0, 0]);
    machine.write(0x1d00, 0x8000_0000);
    machine.write(0x1d0c, 1);
    expect(words()).toEqual([2, 1, 0, 0, 0, 0]);
  });

  it('AIA 4.5.9, 4.5.11: setie and clrie likewise; clrie reads 0', () => {
    const { machine } = make('direct');
    for (const source of [1, 31, 32, 96]) machine.configure(source, EDGE1);
    for (let word = 0; word < 32; word++) machine.write(0x1e00 + word * 4, 0xffff_ffff);
    const words = () => [0, 1, 2, 3, 4, 31].map((word) => machine.read(0x1e00 + word * 4));
    expect(words()).toEqual([0x8000_0002, 1, 0, 1, 0, 0]);
    machine.write(0x1f00, 2);
    machine.write(0x1f04, 0xffff_ffff);
    expect(words()).toEqual([0x8000_0000, 0, 0, 1, 0, 0]);
    expect(machine.read(0x1f00)).toBe(0);
  });

  it('AIA 4.5.6, 4.5.8, 4.5.10, 4.5.12, 4.5.13: by number; what is no active source is ignored; reads are 0', () => {
    const { machine } = make('direct');
    machine.configure(40, DETACHED);
    for (const number of [0, 39, 41, 97, 1024, 0x1_0000 + 40, 0xffff_ffff]) {
      for (const offset of [0x1cdc, 0x1edc, 0x2000]) machine.write(offset, number);
    }
    expect([0, 1, 2, 3].map((word) => machine.read(0x1c00 + word * 4))).toEqual([0, 0, 0, 0]);
    expect([0, 1, 2, 3].map((word) => machine.read(0x1e00 + word * 4))).toEqual([0, 0, 0, 0]);
    machine.write(0x1cdc, 40);
    machine.write(0x1edc, 40);
    expect([machine.isPending(40), machine.isEnabled(40)]).toEqual([true, true]);
    machine.write(0x1ddc, 40);
    machine.write(0x1fdc, 40);
    expect([machine.isPending(40), machine.isEnabled(40)]).toEqual([false, false]);
    machine.write(0x2000, 40);
    expect(machine.isPending(40)).toBe(true);
    for (const offset of [0x1cdc, 0x1ddc, 0x1edc, 0x1fdc, 0x2000, 0x2004])
      expect(machine.read(offset)).toBe(0);
  });

  it('AIA 4.5.14: big-endian setipnum is not there on a little-endian machine', () => {
    const { machine } = make('direct');
    machine.configure(40, DETACHED);
    machine.write(0x2004, 0x2800_0000);
    machine.write(0x2004, 40);
    expect(machine.isPending(40)).toBe(false);
  });

  it('AIA 4.5.7: in_clrip reads rectified inputs: 0 when inactive or detached, inverted in modes 5 and 7', () => {
    const { machine, wire } = make('direct');
    wire(33)(true);
    const inputs = (level: boolean) =>
      [0, ...ACTIVE].map((mode) => {
        wire(33)(level);
        machine.configure(33, mode);
        return machine.input(33);
      });
    expect(inputs(true)).toEqual([false, false, true, false, true, false]);
    expect(inputs(false)).toEqual([false, false, false, true, false, true]);
  });

  it('AIA 4.5.16: direct delivery: hart index and a priority that is never 0', () => {
    const { machine } = make('direct');
    machine.configure(1, DETACHED);
    expect(machine.target(1)).toBe(1);
    machine.write(0x3004, 0xffff_ffff);
    expect(machine.target(1)).toBe(0xfffc_00ff);
    machine.write(0x3004, 0x0004_0000);
    expect(machine.target(1)).toBe(0x0004_0001);
  });

  it('AIA 4.5.16: messages: hart index, identity, and guest index for supervisors of harts with guest files', () => {
    for (const [guests, mask] of [
      [0, 0],
      [1, 1],
      [5, 7],
      [7, 7],
    ]) {
      const { machine, supervisor } = make('msi', { guests });
      machine.configure(1, DETACHED);
      machine.write(0x3004, 0xffff_ffff);
      expect(machine.target(1)).toBe(0xfffc_07ff);
      machine.delegate(1);
      supervisor.configure(1, DETACHED);
      supervisor.write(0x3004, 0xffff_ffff);
      expect(supervisor.target(1)).toBe((0xfffc_07ff | (mask << 12)) >>> 0);
    }
  });
});

describe('pending bits (AIA 4.7)', () => {
  it.each(['direct', 'msi'] as const)('AIA 4.7: detached: by setip only, %s', (delivery) => {
    const { machine, set, pending } = rooted(delivery, DETACHED);
    set(true);
    expect(pending()).toBe(false);
    machine.pend(3);
    set(false);
    expect(pending()).toBe(true);
    machine.clear(3);
    expect(pending()).toBe(false);
  });

  it.each([
    ['direct', EDGE1, true],
    ['direct', EDGE0, false],
    ['msi', EDGE1, true],
    ['msi', EDGE0, false],
  ] as const)(
    'AIA 4.7: edges, %s, mode %i: set by an edge and by setip, whatever the wire does then',
    (delivery, mode, active) => {
      const all = make(delivery);
      all.wire(3)(!active);
      all.machine.configure(3, mode);
      const pending = () => all.machine.isPending(3);
      expect(pending()).toBe(false);
      all.wire(3)(active);
      expect(pending()).toBe(true);
      all.wire(3)(!active);
      expect(pending()).toBe(true);
      all.machine.clear(3);
      expect(pending()).toBe(false);
      all.machine.pend(3);
      expect(pending()).toBe(true);
    },
  );

  it.each([
    [LEVEL1, true],
    [LEVEL0, false],
  ])('AIA 4.7: levels, direct, mode %i: pending is the rectified input, nothing else', (mode, active) => {
    const { machine, set, pending } = rooted('direct', mode);
    set(!active);
    machine.pend(3);
    expect(pending()).toBe(false);
    set(active);
    expect(pending()).toBe(true);
    machine.clear(3);
    expect(pending()).toBe(true);
    machine.enable(3);
    expect(machine.claim(0) >>> 16).toBe(3);
    expect(pending()).toBe(true);
    set(!active);
    expect(pending()).toBe(false);
  });

  it.each([
    [LEVEL1, true],
    [LEVEL0, false],
  ])(
    'AIA 4.7: levels, messages, mode %i: set by a rise, or by setip while it is high; cleared when low',
    (mode, active) => {
      const { machine, set, pending } = rooted('msi', mode);
      set(!active);
      machine.clear(3);
      machine.pend(3);
      expect(pending()).toBe(false);
      set(active);
      expect(pending()).toBe(true);
      machine.clear(3);
      expect(pending()).toBe(false);
      machine.pend(3);
      expect(pending()).toBe(true);
      set(!active);
      expect(pending()).toBe(false);
    },
  );

  it('AIA 4.5.2: a level that is high when its source becomes active is pending; an edge has passed', () => {
    for (const delivery of ['direct', 'msi'] as const) {
      for (const [mode, expected] of [
        [LEVEL1, true],
        [EDGE1, false],
        [LEVEL0, false],
      ] as const) {
        const { machine, wire } = make(delivery);
        wire(7)(true);
        machine.configure(7, mode);
        expect([delivery, mode, machine.isPending(7)]).toEqual([delivery, mode, expected]);
      }
    }
  });
});

describe('direct delivery (AIA 4.8)', () => {
  it('AIA 4.8.2: a hart is interrupted while IE, idelivery and an enabled pending source come together', () => {
    const { machine, harts, set } = rooted('direct', LEVEL1);
    const signal = harts[0].machine;
    set(true);
    expect(signal.level).toBe(false);
    machine.enable(3);
    expect([signal.level, signal.priority]).toEqual([true, 5]);
    machine.enabled = false;
    expect(signal.level).toBe(false);
    machine.enabled = true;
    machine.setDelivery(0, false);
    expect([signal.level, machine.top(0)]).toEqual([false, 0x3_0005]);
    machine.setDelivery(0, true);
    machine.disable(3);
    expect([signal.level, machine.top(0)]).toEqual([false, 0]);
    expect([harts[0].supervisor.level, harts[1].machine.level]).toEqual([false, false]);
  });

  it('AIA 4.5.16: smaller numbers are stronger, of equals the lowest source; each hart has its own', () => {
    const { machine } = make('direct');
    for (const [source, hart, priority] of [
      [10, 0, 4],
      [11, 0, 3],
      [12, 0, 3],
      [13, 1, 1],
    ]) {
      machine.configure(source, DETACHED);
      machine.setTarget(source, hart, priority);
      machine.enable(source);
      machine.pend(source);
    }
    const claims = (hart: number) => [0, 1, 2, 3].map(() => machine.claim(hart));
    expect(claims(0)).toEqual([0xb_0003, 0xc_0003, 0xa_0004, 0]);
    expect(claims(1)).toEqual([0xd_0001, 0, 0, 0]);
  });

  it('AIA 4.8.1: priorities at the threshold and above do not interrupt; 0 is no threshold', () => {
    const { machine, harts, set } = rooted('direct', LEVEL1);
    machine.enable(3);
    set(true);
    for (const [threshold, level] of [
      [5, false],
      [6, true],
      [1, false],
      [0, true],
    ] as const) {
      machine.setThreshold(0, threshold);
      expect([threshold, harts[0].machine.level, machine.top(0) !== 0]).toEqual([threshold, level, level]);
    }
  });

  it('AIA 4.8.1: iforce interrupts without a source, until claimi finds nothing', () => {
    const { machine, harts } = rooted('direct', DETACHED);
    machine.enable(3);
    machine.pend(3);
    machine.force(0);
    expect(machine.claim(0)).toBe(0x3_0005);
    expect([harts[0].machine.level, machine.forced(0)]).toEqual([true, true]);
    expect(machine.claim(0)).toBe(0);
    expect([harts[0].machine.level, machine.forced(0)]).toEqual([false, false]);
  });

  it('AIA 4.8.1: topi and claimi ignore writes, topi is looked at without a claim', () => {
    const { machine } = rooted('direct', DETACHED);
    machine.enable(3);
    machine.pend(3);
    machine.write(0x4018, 0);
    machine.write(0x401c, 0);
    expect([machine.top(0), machine.top(0), machine.isPending(3)]).toEqual([0x3_0005, 0x3_0005, true]);
  });

  it('AIA 4.8.1: for a hart that is not there everything reads 0, and its sources go nowhere', () => {
    const { machine, harts, set } = rooted('direct', LEVEL1);
    machine.enable(3);
    machine.setTarget(3, 2, 1);
    machine.setDelivery(2, true);
    set(true);
    expect([machine.read(0x4040), machine.top(2), machine.claim(2)]).toEqual([0, 0, 0]);
    expect(harts.some(({ machine: { level } }) => level)).toBe(false);
  });

  it('AIA 4.5.15: genmsi is read-only 0', () => {
    const { machine } = make('direct');
    machine.write(0x3000, 0x4_0007);
    expect(machine.read(0x3000)).toBe(0);
  });
});

describe('forwarding by messages (AIA 4.9)', () => {
  it('AIA 4.9: a message leaves when pending, enable and IE come together, and clears the pending bit', () => {
    const { machine, set, arrived, pending } = rooted('msi', EDGE1);
    set(true);
    expect([arrived(), pending()]).toEqual([[], true]);
    machine.enable(3);
    machine.enabled = false;
    expect([arrived(), pending()]).toEqual([[], true]);
    machine.enabled = true;
    expect([arrived(), pending()]).toEqual([[[0, 5]], false]);
    expect(arrived()).toEqual([]);
  });

  it('AIA 4.9.2: a level is forwarded once; setipnum sends it again while it is high, not when it is low', () => {
    const { machine, set, arrived } = rooted('msi', LEVEL1);
    machine.enable(3);
    set(true);
    expect(arrived()).toHaveLength(1);
    expect(arrived()).toHaveLength(0);
    machine.write(0x2000, 3);
    expect(arrived()).toHaveLength(1);
    set(false);
    machine.write(0x2000, 3);
    expect(arrived()).toHaveLength(0);
    set(true);
    expect(arrived()).toHaveLength(1);
  });

  it('AIA 4.9: what is masked or taken back before it leaves is not sent', () => {
    const { machine, set, arrived, pending } = rooted('msi', EDGE1);
    machine.enable(3);
    set(true);
    machine.disable(3);
    expect([arrived(), pending()]).toEqual([[], true]);
    machine.clear(3);
    machine.enable(3);
    expect(arrived()).toEqual([]);
  });

  it('AIA 4.9.1: machine and supervisor addresses from base, group, hart and guest', () => {
    const { machine, supervisor, arrived } = make('msi', { guests: 3 });
    // Groups of 4 harts, 2^(1+24) bytes apart; 4 pages for each hart at the supervisor level.
    machine.write(0x1bc0, 0x0002_4000);
    machine.write(0x1bc8, 0x0002_8000);
    machine.write(0x1bcc, 0x0020_0000);
    machine.write(0x1bc4, (1 << 24) | (1 << 16) | (2 << 12));
    machine.enabled = supervisor.enabled = true;
    machine.configure(1, DETACHED);
    machine.setTarget(1, 6, 0x111);
    machine.enable(1);
    machine.delegate(2);
    supervisor.configure(2, DETACHED);
    supervisor.setTarget(2, 7, (3 << 12) | 0x222);
    supervisor.enable(2);
    machine.pend(1);
    supervisor.pend(2);
    expect(arrived()).toEqual([
      [0x2400_0000 + 2 ** 25 + 2 * 0x1000, 0x111],
      [0x2800_0000 + 2 ** 25 + 3 * 0x4000 + 3 * 0x1000, 0x222],
    ]);
  });

  it('AIA 4.5.3: a base PPN of 44 bits', () => {
    const { machine, arrived } = make('msi');
    machine.write(0x1bc0, 0xffff_ffff);
    machine.write(0x1bc4, 0x0fff);
    machine.write(0x3000, 1);
    expect(arrived()).toEqual([[0xff_ffff_ffff_f000, 1]]);
  });

  it('AIA 4.5.3, 4.5.4: address registers of the root domain; fields that are there', () => {
    const { machine, supervisor } = make('msi');
    for (const [offset, fields] of [
      [0x1bc0, 0xffff_ffff],
      [0x1bc8, 0xffff_ffff],
      [0x1bcc, 0x0070_0fff],
    ]) {
      machine.write(offset, 0xffff_ffff);
      supervisor.write(offset, 0xffff_ffff);
      expect([offset, machine.read(offset), supervisor.read(offset)]).toEqual([offset, fields, 0]);
    }
    machine.write(0x1bc4, 0x7fff_ffff);
    expect(machine.read(0x1bc4)).toBe(0x1f77_ffff);
  });

  it('AIA 4.5.3, 4.5.4: bit L locks all four until reset', () => {
    const { aplic, machine } = make('msi');
    machine.write(0x1bc8, 1);
    machine.write(0x1bc4, 0x8000_0002);
    for (const offset of [0x1bc0, 0x1bc4, 0x1bc8, 0x1bcc]) machine.write(offset, 0x55);
    expect([0x1bc0, 0x1bc4, 0x1bc8, 0x1bcc].map((offset) => machine.read(offset))).toEqual([
      0, 0x8000_0002, 1, 0,
    ]);
    aplic.reset();
    machine.write(0x1bc0, 0x55);
    expect([0x1bc0, 0x1bc4].map((offset) => machine.read(offset))).toEqual([0x55, 0]);
  });

  it('AIA 4.5.15: genmsi is busy until its message left, takes no other meanwhile, and does not need IE', () => {
    const { supervisor, machine, arrived } = make('msi');
    machine.write(0x1bc8, 0x28000);
    machine.write(0x1bc4, 1 << 12);
    supervisor.write(0x3000, 0x0004_3fff);
    expect(supervisor.read(0x3000)).toBe(0x0004_17ff);
    supervisor.write(0x3000, 3);
    expect(arrived()).toEqual([[0x2800_1000, 0x7ff]]);
    expect(supervisor.read(0x3000)).toBe(0x0004_07ff);
    supervisor.write(0x3000, 3);
    expect(arrived()).toEqual([[0x2800_0000, 3]]);
  });

  it('AIA 4.9.3: an extempore message comes behind those that were due', () => {
    const { machine, set, arrived } = rooted('msi', EDGE1);
    machine.enable(3);
    machine.write(0x3000, 9);
    set(true);
    expect(arrived().map(([, data]) => data)).toEqual([5, 9]);
  });

  it('AIA 4.8: there are no IDCs, and no line of a hart moves', () => {
    const { machine, harts, set } = rooted('msi', LEVEL1);
    machine.enable(3);
    set(true);
    machine.force(0);
    expect([machine.read(0x4000), machine.forced(0), machine.top(0), machine.claim(0)]).toEqual([
      0,
      false,
      0,
      0,
    ]);
    expect(harts[0].machine.level).toBe(false);
  });

  it('a domain whose messages come back to itself lets time pass', () => {
    const clock = new Clock();
    let rounds = 0;
    const aplic: Aplic = new Aplic({
      clock,
      harts: [],
      send: (_low, _high, data) => {
        rounds++;
        aplic.machine.write(0x2000, 4, data);
      },
    });
    const machine = new AplicDriver(aplic.machine);
    machine.enabled = true;
    machine.configure(1, DETACHED);
    machine.setTarget(1, 0, 1);
    machine.enable(1);
    machine.pend(1);
    clock.runUntil(10_000);
    expect(rounds).toBe(100);
  });
});

describe('reset, ledger and snapshot', () => {
  it('AIA 4.6: after reset no source is active and nothing is due; wires keep their levels', () => {
    const { aplic, clock, machine, set, arrived } = rooted('msi', LEVEL1);
    machine.enable(3);
    set(true);
    aplic.reset();
    expect(clock.nextEvent).toBe(Infinity);
    expect([machine.read(0), machine.configuration(3), machine.isPending(3)]).toEqual([
      0x8000_0004,
      0,
      false,
    ]);
    machine.configure(3, LEVEL1);
    expect([machine.input(3), machine.isPending(3)]).toEqual([true, true]);
    expect(arrived()).toEqual([]);
  });

  it('claims and messages are counted by source', () => {
    const ledger = new Ledger();
    const direct = make('direct', { ledger });
    direct.machine.configure(4, DETACHED);
    direct.machine.enable(4);
    direct.machine.pend(4);
    direct.machine.claim(0);
    direct.machine.claim(0);
    expect(ledger.total({ event: 'interrupt-claimed', reason: 'source 4' })).toBe(1);
    const msi = make('msi', { ledger });
    msi.machine.enabled = true;
    msi.machine.configure(4, DETACHED);
    msi.machine.enable(4);
    msi.machine.pend(4);
    msi.machine.write(0x3000, 9);
    msi.arrived();
    expect(ledger.total({ event: 'message' })).toBe(1);
  });

  it.each(['direct', 'msi'] as const)(
    'a snapshot brings back domains, wires and what is due, %s',
    (delivery) => {
      const { aplic, clock, machine, supervisor, wire } = make(delivery);
      machine.enabled = supervisor.enabled = true;
      supervisor.setDelivery(1, true);
      supervisor.setThreshold(1, 9);
      machine.delegate(3);
      supervisor.configure(3, LEVEL1);
      supervisor.setTarget(3, 1, 5);
      supervisor.enable(3);
      machine.write(0x1bc8, 0x28000);
      wire(3)(true);
      const saved = JSON.parse(JSON.stringify(aplic.save())) as ReturnType<Aplic['save']>;
      const other = make(delivery);
      other.aplic.restore(saved);
      other.clock.restore(clock.save());
      expect(other.aplic.save()).toEqual(aplic.save());
      if (delivery === 'msi') expect(other.arrived()).toEqual([[0x2800_0000, 5]]);
      else expect(other.harts[1].supervisor).toMatchObject({ level: true, priority: 5 });
    },
  );

  it('a snapshot of another APLIC is refused', () => {
    const saved = make('direct').aplic.save();
    expect(() => make('msi').aplic.restore(saved)).toThrow(/another way/);
    expect(() => make('direct', { harts: 3 }).aplic.restore(saved)).toThrow(/harts/);
    const small = new Aplic({ clock: new Clock(), harts: [], sources: 8 });
    expect(() => make('direct').aplic.restore({ ...saved, wires: small.save()['wires']! })).toThrow(
      /sources/,
    );
  });
});
