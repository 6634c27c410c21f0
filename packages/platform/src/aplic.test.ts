import { Clock, Ledger, WiredOr } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { Aplic } from './aplic.js';
import { aplicBench, DETACHED, EDGE0, EDGE1, LEVEL0, LEVEL1, rootedBench } from './testing/index.js';

const ACTIVE = [DETACHED, EDGE1, EDGE0, LEVEL1, LEVEL0];

describe('domains (AIA 4.2, 4.5.2)', () => {
  it('AIA 4.1: 1 to 1023 sources', () => {
    const clock = new Clock();
    for (const sources of [0, 1024, 1.5]) {
      expect(() => new Aplic({ clock, harts: [], sources })).toThrow(RangeError);
    }
    const { aplic, wire } = aplicBench('direct');
    expect(aplic.sources).toBe(96);
    wire(1);
    for (const source of [0, 1, 97]) expect(() => aplic.connect(source, new WiredOr())).toThrow(RangeError);
  });

  it('AIA 4.5: only aligned 32-bit accesses; a region holds the registers and one IDC for each hart', () => {
    expect(Aplic.WIDTHS).toEqual([4]);
    expect(aplicBench('direct', { harts: 4 }).aplic.size).toBe(0x5000);
  });

  it('AIA 4.5: what is no register reads 0 and ignores writes', () => {
    const { machine, supervisor } = aplicBench('direct');
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
      const { machine, supervisor } = aplicBench(delivery);
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
    const { machine } = aplicBench('direct');
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
    const { machine, supervisor } = aplicBench('direct');
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
    const { machine, supervisor } = aplicBench('direct');
    machine.delegate(5);
    supervisor.configure(5, LEVEL1);
    supervisor.configure(5, 0x406);
    expect(supervisor.configuration(5)).toBe(0);
  });

  it('AIA 4.5.2: of an inactive or delegated source all state is read-only 0', () => {
    for (const delivery of ['direct', 'msi'] as const) {
      const { machine } = aplicBench(delivery);
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
    const { machine, supervisor, wire, harts } = aplicBench('direct');
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
    const { machine } = aplicBench('direct');
    for (const source of [1, 31, 32, 96]) machine.configure(source, DETACHED);
    for (let word = 0; word < 32; word++) machine.write(0x1c00 + word * 4, 0xffff_ffff);
    const words = () => [0, 1, 2, 3, 4, 31].map((word) => machine.read(0x1c00 + word * 4));
    expect(words()).toEqual([0x8000_0002, 1, 0, 1, 0, 0]);
    machine.write(0x1d00, 0x8000_0000);
    machine.write(0x1d0c, 1);
    expect(words()).toEqual([2, 1, 0, 0, 0, 0]);
  });

  it('AIA 4.5.9, 4.5.11: setie and clrie likewise; clrie reads 0', () => {
    const { machine } = aplicBench('direct');
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
    const { machine } = aplicBench('direct');
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
    const { machine } = aplicBench('direct');
    machine.configure(40, DETACHED);
    machine.write(0x2004, 0x2800_0000);
    machine.write(0x2004, 40);
    expect(machine.isPending(40)).toBe(false);
  });

  it('AIA 4.5.7: in_clrip reads rectified inputs: 0 when inactive or detached, inverted in modes 5 and 7', () => {
    const { machine, wire } = aplicBench('direct');
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
    const { machine } = aplicBench('direct');
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
      const { machine, supervisor } = aplicBench('msi', { guests });
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

describe('reset, ledger and snapshot', () => {
  it('AIA 4.6: after reset no source is active and nothing is due; wires keep their levels', () => {
    const { aplic, clock, machine, set, arrived } = rootedBench('msi', LEVEL1);
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
    const direct = aplicBench('direct', { ledger });
    direct.machine.configure(4, DETACHED);
    direct.machine.enable(4);
    direct.machine.pend(4);
    direct.machine.claim(0);
    direct.machine.claim(0);
    expect(ledger.total({ event: 'interrupt-claimed', reason: 'source 4' })).toBe(1);
    const msi = aplicBench('msi', { ledger });
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
      const { aplic, clock, machine, supervisor, wire } = aplicBench(delivery);
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
      const other = aplicBench(delivery);
      other.aplic.restore(saved);
      other.clock.restore(clock.save());
      expect(other.aplic.save()).toEqual(aplic.save());
      if (delivery === 'msi') expect(other.arrived()).toEqual([[0x2800_0000, 5]]);
      else expect(other.harts[1].supervisor).toMatchObject({ level: true, priority: 5 });
    },
  );

  it('a snapshot of another APLIC is refused', () => {
    const saved = aplicBench('direct').aplic.save();
    expect(() => aplicBench('msi').aplic.restore(saved)).toThrow(/another way/);
    expect(() => aplicBench('direct', { harts: 3 }).aplic.restore(saved)).toThrow(/harts/);
    const small = new Aplic({ clock: new Clock(), harts: [], sources: 8 });
    expect(() => aplicBench('direct').aplic.restore({ ...saved, wires: small.save()['wires']! })).toThrow(
      /sources/,
    );
  });
});
