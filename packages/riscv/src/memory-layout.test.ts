import { compileCore, fetchCore, physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { RiscvCore } from './core.js';
import { asm, bareMachine, RAM_BASE } from './testing/index.js';

const GIB = 1 << 30;

/** A program that fills a page with its index, reads it back misaligned, and patches its own code. */
async function exercise(
  ram: number,
  ramOffset: number | undefined,
  at: number,
  shared = false,
): Promise<void> {
  const machine = await bareMachine({
    memory: { ram, ...(ramOffset === undefined ? {} : { ramOffset }), shared },
  });
  const { hart, memory, space } = machine;
  const code = RAM_BASE + at;
  const data = code + 0x1000;
  machine.load(code, [
    asm.addi('t0', 'zero', 0),
    asm.add('t1', 's0', 't0'),
    asm.sd('t0', 0, 't1'),
    asm.addi('t0', 't0', 8),
    asm.bne('t0', 's1', -12),
    asm.ld('a0', -16, 's2'),
    asm.lwu('a1', -6, 's2'),
    asm.amoadd_d('a2', 's1', 's0'),
    asm.lr_d('a3', 's0'),
    asm.sc_d('a4', 's1', 's0'),
    asm.sw('s3', 48, 's4'),
    asm.addi('zero', 'zero', 0),
    asm.addi('a5', 'zero', 1),
  ]);
  const entries: [number, number][] = [
    [8, data],
    [9, 4096],
    [18, data + 4096],
    [19, asm.addi('a5', 'zero', 2)],
    [20, code],
  ];
  hart.pc = BigInt(code);
  for (const [register, value] of entries) hart.writeX(register, BigInt(value));
  hart.run(1 + 4 * 512 + 8);
  expect(hart.readX(10)).toBe(4080n);
  expect(hart.readX(11)).toBe(0n);
  expect(hart.readX(12)).toBe(0n);
  expect(hart.readX(13)).toBe(4096n);
  expect(hart.readX(14)).toBe(0n);
  expect(hart.readX(15)).toBe(2n);
  expect(space.resolve(physical(data), 4096)).toBe(memory.ramOffset + at + 0x1000);
}

describe('RAM anywhere in the host memory', () => {
  it('across the 2 GiB line of linear memory', async () => {
    const offset = 2 * GIB - (1 << 20);
    await exercise(4 << 20, offset, (1 << 20) - 0x1000);
    await exercise(4 << 20, offset, 0);
  });

  it('up to the last page of 4 GiB', async () => {
    const ram = 1 << 20;
    await exercise(ram, 4 * GIB - ram, ram - 0x2000);
  });

  it('of more than 3 GiB, at its end', async () => {
    const ram = 4 * GIB - (64 << 20);
    await exercise(ram, undefined, ram - 0x2000);
  });

  it('beyond the last page is an access fault, and nothing wraps around', async () => {
    const ram = 1 << 20;
    const machine = await bareMachine({ memory: { ram, ramOffset: 4 * GIB - ram } });
    const { hart } = machine;
    machine.load(RAM_BASE, [asm.sd('a1', 0, 'a0')]);
    hart.writeCsr(0x305, BigInt(RAM_BASE) + 0x100n);
    machine.load(RAM_BASE + 0x100, [asm.wfi()]);
    for (const [address, value] of [
      [RAM_BASE + ram - 4, RAM_BASE + ram],
      [RAM_BASE + ram, RAM_BASE + ram],
      [RAM_BASE - 1, RAM_BASE - 1],
    ] as const) {
      hart.reset({ pc: BigInt(RAM_BASE), a0: BigInt(address), a1: -1n });
      hart.writeCsr(0x305, BigInt(RAM_BASE) + 0x100n);
      hart.run(1);
      expect([hart.readCsr(0x342), hart.readCsr(0x343)]).toEqual([7n, BigInt(value)]);
    }
    expect(machine.read64(RAM_BASE + ram - 8)).toBe(0n);
  });
});

describe('one wasm file', () => {
  it('runs on shared memory as on unshared', async () => {
    await exercise(4 << 20, undefined, 0, true);
    await exercise(4 << 20, undefined, 0, false);
  });

  it('compiles for both from the same bytes', async () => {
    const wasm = await fetchCore(new URL('../wasm/hart.wasm', import.meta.url));
    const before = wasm.slice();
    expect(compileCore(wasm, true)).not.toBe(compileCore(wasm, false));
    expect(wasm).toEqual(before);
  });

  it('a memory has one core, however often it is asked for', async () => {
    const { memory, core } = await bareMachine();
    expect(await RiscvCore.load(memory)).toBe(core);
  });
});
