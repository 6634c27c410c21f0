import { describe, expect, it } from 'vitest';
import { CSR_MIE, CSR_MSTATUS, CSR_MTVEC, CSR_PMPADDR0, CSR_PMPCFG0, CSR_SATP } from '../csr-numbers.js';
import {
  asm,
  assemble,
  PageTables,
  PTE_KERNEL,
  PTE_USER,
  Random,
  RAM_BASE,
  type BareMachine,
} from '../testing/index.js';
import { runTwins } from '../testing/twin-machines.js';

/** Instructions of Zicsr in compiled code: everything that software can see is as interpreted. */

const CODE = RAM_BASE;
const HANDLER = RAM_BASE + 0x2_0000;
const DATA = RAM_BASE + 0x2_1000;
const TABLES = RAM_BASE + 0x3_0000;
const FS = 0x6000n;
const MIE_BIT = 8n;
const MPIE_BIT = 0x80;
const MTI = 7;

/** Counts traps in s11 and mixes their causes into s10; exceptions skip an instruction, interrupts stay off after it. */
const COUNTING = [
  ...[asm.csrrs('s9', 'mepc', 'zero'), asm.csrrs('s8', 'mcause', 'zero'), asm.addi('s11', 's11', 1)],
  ...[asm.slli('s10', 's10', 1), asm.add('s10', 's10', 's8'), asm.xor('s10', 's10', 's9')],
  ...[asm.blt('s8', 'zero', 16), asm.addi('s9', 's9', 4), asm.csrrw('zero', 'mepc', 's9'), asm.mret()],
  ...[asm.addi('s8', 'zero', MPIE_BIT), asm.csrrc('zero', 'mstatus', 's8'), asm.mret()],
];

/** The words run for ever, in M-mode unless told, with physical memory open to all modes. */
function endless(machine: BareMachine, words: readonly number[], privilege = 3): void {
  const { hart } = machine;
  machine.load(CODE, [...words, asm.jal('zero', -4 * words.length)]);
  machine.load(HANDLER, COUNTING);
  hart.writeCsr(CSR_PMPADDR0, (1n << 54n) - 1n);
  hart.writeCsr(CSR_PMPCFG0, 0x1fn);
  hart.writeCsr(CSR_MTVEC, BigInt(HANDLER));
  hart.writeCsr(CSR_MSTATUS, FS);
  hart.writeX(9, BigInt(DATA));
  hart.privilege = privilege as 0 | 1 | 3;
  hart.pc = BigInt(CODE);
}

const mixed = (register: string): number[] => [asm.slli('a0', 'a0', 3), asm.xor('a0', 'a0', register)];
const OPERATIONS = ['csrrw', 'csrrs', 'csrrc', 'csrrwi', 'csrrsi', 'csrrci'];

describe('Zicsr, compiled: reads', () => {
  it.each([
    ['M', 3],
    ['S', 1],
    ['U', 0],
  ])('every CSR there is and every one that is not, from %s-mode', async (_, privilege) => {
    // The address of a CSR says which mode may have it: privileged 2.1.
    const words = Array.from({ length: 4096 }, (_unused, number) => [
      assemble('csrrs', 't0', number, 'zero'),
      ...mixed('t0'),
    ]).flat();
    const counters = [
      'cycle',
      'time',
      'instret',
      'mcycle',
      'minstret',
      'sstatus',
      'satp',
      'fcsr',
      'frm',
      'sip',
    ];
    const more = counters.flatMap((name) => [asm.csrrs('t0', name, 'zero'), ...mixed('t0')]);
    const machine = await runTwins((one) => endless(one, [...more, ...words], privilege), {
      steps: 40,
      length: 3001,
    });
    expect(machine.hart.readX(27)).toBeGreaterThan(500n);
  });

  it('counters and the time are those of the instruction, wherever a slice ends', async () => {
    const words = ['cycle', 'instret', 'time'].flatMap((name) => [
      asm.csrrs('t0', name, 'zero'),
      ...mixed('t0'),
    ]);
    const machine = await runTwins((one) => endless(one, words), { steps: 300, length: 13 });
    expect(machine.hart.retired).toBe(3900);
  });
});

describe('Zicsr, compiled: writes', () => {
  const STORED = ['sscratch', 'sepc', 'scause', 'stval', 'mscratch', 'mcause', 'mtval'];
  const OTHERS = ['fflags', 'frm', 'fcsr', 'sstatus'];
  it.each([...STORED, ...OTHERS])('%s by every instruction, of random operands', async (csr) => {
    const random = new Random(21);
    const words = Array.from({ length: 40 }, () => {
      const operation = random.pick(OPERATIONS);
      const source = operation.endsWith('i')
        ? random.below(32)
        : random.pick(['a1', 'a2', 'zero', 'a0', 't0']);
      const destination = random.pick(['t0', 't0', 'zero', 'a1']);
      return [assemble(operation, destination, csr, source), ...mixed('t0'), asm.add('a2', 'a2', 'a0')];
    }).flat();
    const machine = await runTwins((one) => endless(one, words), { steps: 60, length: 499 });
    expect(machine.hart.readX(10)).not.toBe(0n);
  });

  it.each([
    ['U', 0],
    ['S', 1],
  ])('from %s-mode: those of higher modes are illegal, each time', async (_, privilege) => {
    const words = [...STORED, 'sstatus', 'mstatus', 'mepc'].flatMap((csr) => [
      ...[asm.csrrw('t0', csr, 'a0'), asm.csrrsi('t0', csr, 2), asm.csrrs('t1', csr, 'zero')],
      ...mixed('t0'),
    ]);
    const machine = await runTwins((one) => endless(one, words, privilege), { steps: 60, length: 499 });
    expect(machine.hart.readX(27)).toBeGreaterThan(privilege === 0 ? 300n : 150n);
  });

  it('a read-only CSR is illegal to write, even with what it holds', async () => {
    const words = [
      asm.csrrw('t0', 'cycle', 'zero'),
      asm.csrrsi('t0', 'mhartid', 1),
      asm.csrrs('t0', 'mhartid', 'zero'),
    ];
    const machine = await runTwins((one) => endless(one, words), { steps: 20, length: 499 });
    expect(machine.hart.readX(27)).toBeGreaterThan(100n);
  });

  it('fflags and frm decide about the very next result', async () => {
    const words = [
      ...[asm.fdiv_d('fa0', 'fa1', 'fa2'), asm.csrrs('t0', 'fflags', 'zero'), ...mixed('t0')],
      ...[
        asm.csrrwi('t0', 'fflags', 0),
        asm.fadd_d('fa3', 'fa3', 'fa0'),
        asm.csrrs('t1', 'fcsr', 'zero'),
        ...mixed('t1'),
      ],
      ...[asm.csrrwi('zero', 'frm', 1), asm.fdiv_d('fa4', 'fa1', 'fa2'), asm.csrrwi('zero', 'frm', 3)],
      ...[asm.fdiv_d('fa5', 'fa1', 'fa2'), asm.csrrwi('zero', 'frm', 0), asm.fmul_d('fa6', 'fa4', 'fa5')],
      ...[asm.fmv_x_d('t2', 'fa6'), ...mixed('t2'), asm.fmv_x_d('t2', 'fa3'), ...mixed('t2')],
      // Every fourth time without the unit: mstatus.FS, 3.1.6.6.
      ...[asm.addi('a1', 'a1', 1), asm.andi('a2', 'a1', 3), asm.bne('a2', 'zero', 12)],
      ...[
        asm.csrrc('zero', 'mstatus', 's2'),
        asm.fadd_d('fa7', 'fa7', 'fa0'),
        asm.csrrs('zero', 'mstatus', 's2'),
      ],
      ...[asm.fadd_d('fa7', 'fa7', 'fa0')],
    ];
    const machine = await runTwins(
      (one) => {
        endless(one, words);
        one.hart.writeX(18, FS);
        one.hart.writeF(11, 0x3ff0_0000_0000_0000n);
        one.hart.writeF(12, 0x4008_0000_0000_0000n);
      },
      { steps: 80, length: 89 },
    );
    expect(machine.hart.readX(27)).toBeGreaterThan(20n);
  });
});

describe('Zicsr, compiled: what depends on it', () => {
  it('privileged 3.1.6.1: an interrupt that waits is taken behind the instruction that allows it', async () => {
    const words = [
      ...[asm.addi('a0', 'a0', 1), asm.csrrsi('zero', 'mstatus', 8), asm.addi('a1', 'a1', 1)],
      ...[asm.csrrci('t0', 'mstatus', 8), asm.addi('a2', 'a2', 1), asm.add('a3', 'a3', 't0')],
    ];
    const machine = await runTwins(
      (one) => {
        endless(one, words);
        one.hart.writeCsr(CSR_MIE, 1n << BigInt(MTI));
        one.hart.writeCsr(CSR_MSTATUS, FS | MIE_BIT);
      },
      { steps: 200, length: 23, before: ({ hart }, step) => hart.setInterrupt(MTI, step % 7 === 3) },
    );
    expect(machine.hart.readX(27)).toBeGreaterThan(20n);
    expect(machine.hart.readX(10)).toBeGreaterThan(500n);
  });

  it('privileged 4.1.1.2: sstatus.SUM opens user pages to the next access, and closes them', async () => {
    const USER_PAGE = 0x5000_0000;
    const words = [
      ...[
        asm.csrrs('zero', 'sstatus', 's2'),
        asm.ld('t0', 0, 's3'),
        asm.addi('t0', 't0', 1),
        asm.sd('t0', 0, 's3'),
      ],
      ...[
        asm.csrrc('zero', 'sstatus', 's2'),
        asm.ld('t1', 0, 's3'),
        asm.sd('t1', 8, 's3'),
        asm.addi('a0', 'a0', 1),
      ],
    ];
    const setUp = (one: BareMachine): void => {
      endless(one, words, 1);
      const tables = new PageTables(one, 3, TABLES);
      tables.map(BigInt(CODE), BigInt(CODE), PTE_KERNEL);
      tables.map(BigInt(USER_PAGE), BigInt(DATA), PTE_USER);
      one.hart.writeCsr(CSR_SATP, tables.satp());
      one.hart.writeX(18, 0x4_0000n);
      one.hart.writeX(19, BigInt(USER_PAGE));
    };
    const machine = await runTwins(setUp, { steps: 100, length: 61 });
    const rounds = machine.hart.readX(10);
    expect(rounds).toBeGreaterThan(100n);
    expect(machine.read64(DATA) - rounds).toBeLessThan(2n);
    expect(machine.hart.readX(27) / 2n - rounds).toBeLessThan(2n);
  });
});
