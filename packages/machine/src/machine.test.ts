import { asm } from '@vmloom/riscv/testing';
import { describe, expect, it } from 'vitest';
import { MachineError } from './error.js';
import { createMachine, type Machine, type MachineOptions } from './machine.js';
import { FakeWall } from './testing/index.js';
import { World } from './world.js';

const FINISHER = 0x10_0000;
const RESET = 0x7777;
const PASS = 0x5555;

/** Puts a 16-bit value into a register. */
const load16 = (register: string, value: number): number[] => [
  asm.lui(register, (value + 0x800) >>> 12),
  asm.addi(register, register, ((value & 0xfff) ^ 0x800) - 0x800),
];
const finish = (value: number): number[] => [
  asm.lui('t5', FINISHER >>> 12),
  ...load16('t6', value),
  asm.sw('t6', 0, 't5'),
  asm.jal('zero', 0),
];
const bytesOf = (words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

/** A machine that runs words in M-mode from the start of RAM. */
async function bare(words: readonly number[], options: MachineOptions = {}): Promise<Machine> {
  return createMachine({ memory: '1MiB', firmware: 'none', kernel: bytesOf(words), ...options });
}

describe('Machine', () => {
  it.each([
    ['power-off', PASS, { reason: 'power-off', code: 0 }],
    ['a failure', 0x3333, { reason: 'failure', code: 0 }],
  ])('SiFive test finisher: %s ends the machine', async (_name, value, exit) => {
    const machine = await bare(finish(value));
    machine.powerOn();
    expect(await machine.world.run()).toBe('idle');
    expect(machine.exit).toEqual(exit);
    expect(await machine.exited).toEqual(exit);
    expect(machine.state).toBe('off');
  });

  it('the failure code of the guest is the exit code', async () => {
    const machine = await bare([
      asm.lui('t0', 42 << 4),
      ...load16('t1', 0x3333),
      asm.add('t0', 't0', 't1'),
      asm.lui('t5', FINISHER >>> 12),
      asm.sw('t0', 0, 't5'),
      asm.jal('zero', 0),
    ]);
    machine.powerOn();
    await machine.world.run();
    expect(machine.exit).toEqual({ reason: 'failure', code: 42 });
  });

  it('virt board, reset vector: a0 is the hart, a1 the device tree, a2 what fw_dynamic wants', async () => {
    const machine = await bare([asm.jal('zero', 0)]);
    machine.powerOn();
    await machine.world.run({ until: 1000 });
    const [hart] = machine.harts;
    expect(hart.readX(10)).toBe(0n);
    const view = (address: bigint): number => machine.space.load(Number(address) as never, 4);
    expect(view(hart.readX(11))).toBe(0xedfe0dd0);
    expect(view(hart.readX(12))).toBe(0x4942534f);
    expect(hart.privilege).toBe(3);
  });

  it('a reset that one hart asks for begins all of them anew, those in WFI too', async () => {
    // Word 0x1000 counts the boots of hart 0, which waits; word 0x1008 those of hart 1, which resets twice.
    const count = (offset: number): number[] => [
      asm.auipc('t0', 1),
      asm.lw('t1', offset, 't0'),
      asm.addi('t1', 't1', 1),
      asm.sw('t1', offset, 't0'),
    ];
    const waiter = [...count(0), asm.wfi(), asm.jal('zero', -4)];
    const resetter = [
      ...count(0),
      asm.addi('t2', 'zero', 3),
      asm.blt('t1', 't2', 24),
      ...finish(PASS),
      ...finish(RESET),
    ];
    const program = [
      asm.csrrs('t3', 0xf14, 'zero'),
      asm.bne('t3', 'zero', 4 + waiter.length * 4),
      ...waiter,
      ...resetter,
    ];
    const machine = await bare(program, { harts: 2 });
    machine.powerOn();
    expect(await machine.world.run()).toBe('idle');
    expect(machine.exit).toEqual({ reason: 'power-off', code: 0 });
    const counts = [
      machine.space.load((0x8000_0000 + 8 + 0x1000) as never, 4),
      machine.space.load((0x8000_0000 + 8 + waiter.length * 4 + 0x1000) as never, 4),
    ];
    expect(counts).toEqual([3, 3]);
  });

  it('onReset: end takes a reset for the end', async () => {
    const machine = await bare(finish(RESET), { onReset: 'end' });
    machine.powerOn();
    await machine.world.run();
    expect(machine.exit).toEqual({ reason: 'reset', code: 0 });
  });

  it('pause holds the harts while the clock goes on, resume lets them go', async () => {
    const machine = await bare([asm.addi('t0', 't0', 1), asm.jal('zero', -4)]);
    machine.powerOn();
    await machine.world.run({ until: 1000 });
    machine.pause();
    const { retired } = machine;
    await machine.world.run({ until: 2000 });
    expect(machine.retired).toBe(retired);
    machine.resume();
    await machine.world.run({ until: 3000 });
    expect(machine.retired).toBe(retired + 1000);
  });

  it('realtime: the wall clock holds no hart back that is slower than 10,000 MIPS', async () => {
    const spin = [asm.addi('t0', 't0', 1), asm.jal('zero', -4)];
    const retired = async (time: 'virtual' | 'realtime'): Promise<number> => {
      const machine = await bare(spin, { world: new World({ time, wall: new FakeWall(10) }) });
      machine.powerOn();
      await machine.world.run({ until: 500_000 });
      return machine.retired;
    };
    expect(await retired('virtual')).toBe(500_000);
    expect(await retired('realtime')).toBeGreaterThan(4_500_000);
  });

  it('can be powered on again after its end', async () => {
    const machine = await bare(finish(PASS));
    for (let round = 0; round < 2; round++) {
      machine.powerOn();
      expect(() => machine.powerOn()).toThrow(/is on already/);
      await machine.world.run();
      expect(await machine.exited).toEqual({ reason: 'power-off', code: 0 });
    }
    expect(() => machine.reset()).toThrow(/is off/);
  });

  it('several machines share one world, each with its own memory and names', async () => {
    const world = new World();
    const machines = await Promise.all(
      ['a', 'b'].map((name) => bare(finish(PASS), { world, name, harts: 2 })),
    );
    await expect(bare([], { world, name: 'a' })).rejects.toThrow();
    for (const machine of machines) machine.powerOn();
    await world.run();
    expect(machines.map(({ exit }) => exit?.reason)).toEqual(['power-off', 'power-off']);
  });

  it.each([
    [{ harts: 0 }, /1 to 8 harts/],
    [{ harts: 9 }, /1 to 8 harts/],
    [{ memory: 'plenty' }, /is no size/],
    [{ memory: 5000 }, /multiple of 4 KiB/],
  ] as const)('refuses %j', async (options, sentence) => {
    await expect(createMachine(options)).rejects.toThrow(MachineError);
    await expect(createMachine(options)).rejects.toThrow(sentence);
  });
});
