import { encodeSnapshot } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { CSR_MIE, CSR_MSTATUS, CSR_MTVEC } from './csr-numbers.js';
import { asm, bareMachine, li, RAM_BASE, type BareMachine } from './testing/index.js';

const DEVICE = 0x1000_0000;

/** Loads, stores, branches, traps into a handler, MMIO and atomics, for ever. */
async function busy(onWrite: (machine: BareMachine) => void = () => undefined): Promise<BareMachine> {
  const machine = await bareMachine();
  const data = RAM_BASE + 0x10_0000;
  machine.load(RAM_BASE, [
    ...li('s0', data),
    ...li('s1', DEVICE),
    asm.addi('a0', 'a0', 13),
    asm.mul('a1', 'a0', 'a0'),
    asm.andi('a2', 'a1', 0x7f8),
    asm.add('a2', 'a2', 's0'),
    asm.ld('a3', 0, 'a2'),
    asm.add('a3', 'a3', 'a1'),
    asm.sd('a3', 3, 'a2'),
    asm.amoadd_d('a4', 'a3', 's0'),
    asm.andi('a5', 'a0', 16),
    asm.beq('a5', 'zero', 8),
    asm.ecall(),
    asm.csrrs('a6', 'minstret', 'zero'),
    asm.add('a7', 'a7', 'a6'),
    asm.sw('a7', 0, 's1'),
    asm.jal('zero', -4 * 14),
  ]);
  machine.load(RAM_BASE + 0x1000, [
    asm.csrrs('t0', 'mepc', 'zero'),
    asm.addi('t0', 't0', 4),
    asm.csrrw('zero', 'mepc', 't0'),
    asm.addi('t1', 't1', 1),
    asm.mret(),
  ]);
  machine.hart.writeCsr(CSR_MTVEC, BigInt(RAM_BASE) + 0x1000n);
  machine.space.mapMmio({
    name: 'device',
    base: DEVICE,
    size: 4096,
    handler: { read: () => 0, write: () => onWrite(machine) },
  });
  return machine;
}

function digest({ hart, memory }: BareMachine): string {
  let sum = 0;
  const data = memory.ramOffset + 0x10_0000;
  for (let at = 0; at < 0x1000; at++) sum = (Math.imul(sum, 31) + memory.bytes[data + at]) >>> 0;
  return `${sum} ${encodeSnapshot(hart.save())}`;
}

describe('the instruction budget', () => {
  it('run(n) retires exactly n', async () => {
    const { hart } = await busy();
    for (const count of [0, 1, 2, 3, 1000, 12_345, 450_000]) expect(hart.run(count)).toBe(count);
    expect(hart.retired).toBe(463_351);
    expect(hart.exit).toBe('budget');
  });

  it('gives the same state however a run is cut into slices', async () => {
    const total = 30_000;
    const digests: string[] = [];
    for (const slice of [1, 7, 1000, total]) {
      const machine = await busy();
      for (let done = 0; done < total;) done += machine.hart.run(Math.min(slice, total - done));
      digests.push(digest(machine));
    }
    expect(new Set(digests).size).toBe(1);
  });

  it('gives the same state when interrupts come at fixed instructions', async () => {
    const digests: string[] = [];
    for (const slice of [1, 13, 500]) {
      const machine = await busy();
      const { hart } = machine;
      hart.writeCsr(CSR_MIE, 0x80n);
      hart.writeCsr(CSR_MSTATUS, 8n);
      for (let done = 0; done < 10_000;) {
        const next = (Math.floor(done / 500) + 1) * 500;
        done += hart.run(Math.min(slice, next - done));
        if (done % 500 === 0) hart.setInterrupt(7, done % 1000 === 500);
      }
      digests.push(digest(machine));
    }
    expect(new Set(digests).size).toBe(1);
  });
});

describe('a slice cut short', () => {
  it('requestStop in an MMIO call: run() returns when that instruction has retired', async () => {
    let stops = 0;
    const { hart } = await busy((machine) => {
      stops++;
      machine.hart.requestStop();
    });
    hart.run(1_000_000);
    expect([hart.exit, stops]).toEqual(['stop', 1]);
    const pc = hart.pc;
    hart.run(1_000_000);
    expect([hart.pc, stops]).toEqual([pc, 2]);
  });

  it('shortenTo: the slice ends at the first boundary at or after the time', async () => {
    for (const picosecondsPerInstruction of [1000, 300]) {
      let seen = -1;
      const machine = await bareMachine({ hart: { picosecondsPerInstruction } });
      machine.load(RAM_BASE, [
        ...li('s1', DEVICE),
        asm.sw('a0', 0, 's1'),
        asm.addi('a0', 'a0', 1),
        asm.jal('zero', -4),
      ]);
      machine.space.mapMmio({
        name: 'device',
        base: DEVICE,
        size: 4096,
        handler: {
          read: () => 0,
          write: () => {
            seen = machine.clock.now;
            machine.hart.shortenTo(777);
            machine.hart.shortenTo(900);
          },
        },
      });
      machine.hart.run(1_000_000);
      expect(seen).toBe(Math.floor((2 * picosecondsPerInstruction) / 1000));
      expect(machine.hart.exit).toBe('budget');
      expect(machine.hart.retired).toBe(Math.ceil(777_000 / picosecondsPerInstruction));
    }
  });

  it('shortenTo the past ends the slice behind the present instruction', async () => {
    const { hart } = await busy((machine) => machine.hart.shortenTo(0));
    hart.run(1_000_000);
    const first = hart.retired;
    expect(first).toBeLessThan(30);
    hart.run(1_000_000);
    expect(hart.retired).toBeLessThan(60);
  });

  it('a handler that throws leaves the hart between two instructions, and run() throws it', async () => {
    const machine = await busy(() => {
      throw new Error('broken device');
    });
    expect(() => machine.hart.run(1000)).toThrow('broken device');
    const { pc, retired } = machine.hart;
    expect((pc - BigInt(RAM_BASE)) % 4n).toBe(0n);
    expect(() => machine.hart.run(1000)).toThrow('broken device');
    expect(machine.hart.retired).toBeGreaterThan(retired);
  });
});
