/**
 * `node packages/riscv/bench/cpu.mjs [million instructions]` times the interpreter on small loops: millions
 * of instructions per second of processor time, the median of five runs of 100 million each unless told.
 * Loops this small depend on how the processor predicts the one indirect jump: single figures vary by a
 * factor of 3 with any change of the code. Needs a build.
 */
import { asm, bareMachine, li, RAM_BASE } from '@vmloom/riscv/testing';

const DATA = RAM_BASE + 0x10_0000;

/** Loops for ever; what they do is in their names. */
const KERNELS = {
  integer: [
    asm.slli('t0', 'a0', 13),
    asm.xor('a0', 'a0', 't0'),
    asm.srli('t0', 'a0', 7),
    asm.xor('a0', 'a0', 't0'),
    asm.slli('t0', 'a0', 17),
    asm.xor('a0', 'a0', 't0'),
    asm.add('a1', 'a1', 'a0'),
    asm.addi('a2', 'a2', 1),
    asm.bne('a2', 'zero', -32),
  ],
  memory: [
    asm.andi('t0', 'a2', 0x7f8),
    asm.add('t0', 't0', 's0'),
    asm.ld('t1', 0, 't0'),
    asm.addi('t1', 't1', 3),
    asm.sd('t1', 0, 't0'),
    asm.lbu('t2', 1, 't0'),
    asm.sw('t2', 4, 't0'),
    asm.addi('a2', 'a2', 8),
    asm.jal('zero', -32),
  ],
  calls: [
    asm.jal('ra', 12),
    asm.addi('a2', 'a2', 1),
    asm.jal('zero', -8),
    asm.addi('sp', 'sp', -16),
    asm.sd('ra', 8, 'sp'),
    asm.add('a0', 'a0', 'a2'),
    asm.ld('ra', 8, 'sp'),
    asm.addi('sp', 'sp', 16),
    asm.jalr('zero', 0, 'ra'),
  ],
  double: [
    asm.fadd_d('fa0', 'fa0', 'fa1'),
    asm.fmul_d('fa2', 'fa0', 'fa3'),
    asm.fmadd_d('fa4', 'fa2', 'fa1', 'fa4'),
    asm.fsd('fa4', 0, 's0'),
    asm.fld('fa5', 0, 's0'),
    asm.jal('zero', -20),
  ],
};

export async function benchmark(kernel, count) {
  const machine = await bareMachine();
  const { hart } = machine;
  machine.load(RAM_BASE, [...li('s0', DATA), ...li('sp', DATA + 0x1000), ...KERNELS[kernel]]);
  hart.writeCsr(0x300, 1n << 13n);
  hart.writeX(10, 88172645463325252n);
  hart.writeF(11, 0x3ff1_9999_9999_999an);
  hart.writeF(13, 0x3fb9_9999_9999_999an);
  const rates = [];
  for (let round = 0; round < 5; round++) {
    const start = process.cpuUsage();
    hart.run(count);
    rates.push(count / process.cpuUsage(start).user);
  }
  return rates.sort((a, b) => a - b)[2];
}

const count = Number(process.argv[2] ?? 100) * 1_000_000;
for (const kernel of Object.keys(KERNELS)) {
  console.log(`${kernel.padEnd(8)} ${(await benchmark(kernel, count)).toFixed(0).padStart(5)} MIPS`);
}
