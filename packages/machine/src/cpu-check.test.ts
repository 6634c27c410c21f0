import type { EventOwner } from '@vmloom/device';
import { LockstepError } from '@vmloom/riscv';
import { asm, li } from '@vmloom/riscv/testing';
import { describe, expect, it } from 'vitest';
import { CpuCheck } from './cpu-check.js';
import { createMachine, type Machine, type MachineOptions } from './machine.js';
import { World } from './world.js';

const FINISHER = 0x10_0000;
const PASS = 0x5555;
const UART = 0x1000_0000;
const DATA = 0x8008_0000;

/** Counts to a million in a loop with a store, then ends the machine. */
const COUNT = [
  ...li('s0', DATA),
  ...li('a1', 1_000_000),
  asm.addi('a0', 'a0', 1),
  asm.sd('a0', 0, 's0'),
  asm.bne('a0', 'a1', -8),
  ...li('t5', FINISHER),
  ...li('t6', PASS),
  asm.sw('t6', 0, 't5'),
  asm.jal('zero', 0),
];

/** Waits for a character, counts, writes it back; its interrupt wakes the hart. */
const ECHO = [
  ...li('s0', UART),
  ...li('t0', 1),
  asm.sb('t0', 1, 's0'), // IER
  asm.lbu('a0', 5, 's0'), // LSR
  asm.andi('a0', 'a0', 1),
  asm.beq('a0', 'zero', -8),
  asm.lbu('a0', 0, 's0'),
  asm.sb('a0', 0, 's0'),
  asm.jal('zero', -20),
];

async function machine(words: readonly number[], jit: MachineOptions['jit']): Promise<Machine> {
  return createMachine({
    memory: '1MiB',
    firmware: 'none',
    kernel: new Uint8Array(Uint32Array.from(words).buffer),
    ...(jit === undefined ? {} : { jit }),
  });
}

/** Changes a register of the machine at a time. */
class Fault implements EventOwner {
  readonly name = 'fault';

  constructor(
    readonly machine: Machine,
    when: number,
  ) {
    machine.world.clock.register(this);
    machine.world.clock.schedule(this, 'fault', when);
  }

  onEvent(): void {
    this.machine.harts[0].writeX(20, 1n);
  }
}

describe('a check of the CPU', () => {
  it('runs to the end when compiled code does what the interpreter does', async () => {
    const check = await CpuCheck.create({ make: (jit) => machine(COUNT, jit), jit: { threshold: 4 } });
    expect(await check.run()).toBe('ended');
    expect(check.machine.exit).toEqual({ reason: 'power-off', code: 0 });
    expect(check.machine.retired).toBeGreaterThan(3_000_000);
    expect(check.machine.harts[0].core.jit?.statistics.regions).toBeGreaterThan(0);
  });

  it('comes back after so many instructions', async () => {
    const check = await CpuCheck.create({ make: (jit) => machine(COUNT, jit) });
    expect(await check.run({ instructions: 1_000_000 })).toBe('until');
    expect(check.machine.retired).toBe(1_000_000);
  });

  it('tells the instruction after which the machines differ', async () => {
    const check = await CpuCheck.create({
      make: async (jit) => {
        const made = await machine(COUNT, jit);
        if (jit !== false) new Fault(made, 777_777);
        return made;
      },
      jit: { threshold: 4 },
    });
    const error = await check.run().then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(LockstepError);
    const { position, harts, trace } = (error as LockstepError).difference;
    expect(position).toBe(777_777);
    expect(harts[0].fields).toEqual([{ name: 's4', reference: 0n, subject: 1n }]);
    expect(trace.at(-1)).toMatch(/addi a0,a0,1|sd a0|bne a0/);
  });

  it('what is typed comes to both machines at the same instruction', async () => {
    const check = await CpuCheck.create({ make: (jit) => machine(ECHO, jit), jit: { threshold: 4 } });
    check.type(new TextEncoder().encode('abc'));
    expect(await check.run({ instructions: 5_000_000 })).toBe('until');
    expect(check.machine.console.text).toBe('abc');
  });

  it('an idle machine waits for who types', async () => {
    const check = await CpuCheck.create({ make: (jit) => machine([asm.wfi(), asm.jal('zero', -4)], jit) });
    expect(await check.run()).toBe('idle');
  });

  it('takes virtual time', async () => {
    const make = (): Promise<Machine> => createMachine({ world: new World({ time: 'realtime' }) });
    await expect(CpuCheck.create({ make })).rejects.toThrow('virtual time');
  });
});
