import { Clock } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { Aplic } from './aplic.js';
import { aplicBench, AplicDriver, DETACHED, EDGE1, LEVEL1, rootedBench } from './testing/index.js';

describe('forwarding by messages (AIA 4.9)', () => {
  it('AIA 4.9: a message leaves when pending, enable and IE come together, and clears the pending bit', () => {
    const { machine, set, arrived, pending } = rootedBench('msi', EDGE1);
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
    const { machine, set, arrived } = rootedBench('msi', LEVEL1);
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
    const { machine, set, arrived, pending } = rootedBench('msi', EDGE1);
    machine.enable(3);
    set(true);
    machine.disable(3);
    expect([arrived(), pending()]).toEqual([[], true]);
    machine.clear(3);
    machine.enable(3);
    expect(arrived()).toEqual([]);
  });

  it('AIA 4.9.1: machine and supervisor addresses from base, group, hart and guest', () => {
    const { machine, supervisor, arrived } = aplicBench('msi', { guests: 3 });
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
    const { machine, arrived } = aplicBench('msi');
    machine.write(0x1bc0, 0xffff_ffff);
    machine.write(0x1bc4, 0x0fff);
    machine.write(0x3000, 1);
    expect(arrived()).toEqual([[0xff_ffff_ffff_f000, 1]]);
  });

  it('AIA 4.5.3, 4.5.4: address registers of the root domain; fields that are there', () => {
    const { machine, supervisor } = aplicBench('msi');
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
    const { aplic, machine } = aplicBench('msi');
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
    const { supervisor, machine, arrived } = aplicBench('msi');
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
    const { machine, set, arrived } = rootedBench('msi', EDGE1);
    machine.enable(3);
    machine.write(0x3000, 9);
    set(true);
    expect(arrived().map(([, data]) => data)).toEqual([5, 9]);
  });

  it('AIA 4.8: there are no IDCs, and no line of a hart moves', () => {
    const { machine, harts, set } = rootedBench('msi', LEVEL1);
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
