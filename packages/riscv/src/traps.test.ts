import { describe, expect, it } from 'vitest';
import {
  CSR_MCAUSE,
  CSR_MEDELEG,
  CSR_MEPC,
  CSR_MIDELEG,
  CSR_MIE,
  CSR_MSTATUS,
  CSR_MTVEC,
  CSR_SCAUSE,
  CSR_SEPC,
  CSR_SSTATUS,
  CSR_STVAL,
  CSR_STVEC,
} from './csr-numbers.js';
import { asm, bareMachine, catchingMachine, HANDLER, RAM_BASE, runToTrap } from './testing/index.js';

const CODE = RAM_BASE + 0x2000;
const MPP_S = 1n << 11n;
const SPP = 1n << 8n;
const SIE = 1n << 1n;
const MIE = 1n << 3n;
const SPIE = 1n << 5n;
const MPIE = 1n << 7n;
const TVM = 1n << 20n;
const TW = 1n << 21n;
const TSR = 1n << 22n;

async function at(privilege: 0 | 1 | 3, words: number[]) {
  const machine = await catchingMachine();
  machine.load(CODE, words);
  machine.hart.privilege = privilege;
  machine.hart.pc = BigInt(CODE);
  return machine;
}

describe('exception causes (privileged 3.1.15)', () => {
  it.each([
    [0, 8n],
    [1, 9n],
    [3, 11n],
  ] as const)('ECALL from mode %i is cause %i, mtval 0', async (privilege, cause) => {
    const machine = await at(privilege, [asm.ecall()]);
    expect(runToTrap(machine)).toEqual({ cause, epc: BigInt(CODE), value: 0n });
    expect(machine.hart.retired).toBe(0);
  });

  it('EBREAK is cause 3 with its own address', async () => {
    const machine = await bareMachine();
    machine.hart.writeCsr(CSR_MTVEC, BigInt(HANDLER));
    machine.load(HANDLER, [asm.wfi()]);
    machine.load(RAM_BASE, [asm.ebreak()]);
    expect(machine.hart.run(10)).toBe(1);
    expect(machine.hart.readCsr(CSR_MCAUSE)).toBe(3n);
    expect(machine.hart.readCsr(0x343)).toBe(BigInt(RAM_BASE));
  });

  it('an illegal instruction puts its own encoding into mtval, of 4 bytes or 2', async () => {
    for (const [word, value] of [
      [0xffff_ffff, 0xffff_ffffn],
      [0x0000_0000, 0n],
      [0xabcd_9c41, 0x9c41n],
      [asm.csrrs('a0', 0x123, 'zero'), BigInt(asm.csrrs('a0', 0x123, 'zero'))],
    ] as const) {
      const machine = await at(3, [word]);
      expect(runToTrap(machine)).toEqual({ cause: 2n, epc: BigInt(CODE), value });
    }
  });

  it('a load, a store and a fetch where nothing is are access faults with the address', async () => {
    for (const [word, cause, epc] of [
      [asm.lw('a0', 16, 'zero'), 5n, BigInt(CODE)],
      [asm.sb('a0', 16, 'zero'), 7n, BigInt(CODE)],
      [asm.jalr('zero', 16, 'zero'), 1n, 16n],
    ] as const) {
      const machine = await at(3, [word]);
      expect(runToTrap(machine)).toEqual({ cause, epc, value: 16n });
    }
  });

  it('MMIO: fetch, LR, SC, AMO and misaligned accesses fault, others work', async () => {
    const base = 0x1000_0000;
    const cases: [word: number, cause: bigint, value: bigint][] = [
      [asm.jalr('zero', 0, 'a0'), 1n, BigInt(base)],
      [asm.lr_w('a1', 'a0'), 5n, BigInt(base)],
      [asm.sc_w('a1', 'a1', 'a0'), 7n, BigInt(base)],
      [asm.amoadd_w('a1', 'a1', 'a0'), 7n, BigInt(base)],
      [asm.lw('a1', 2, 'a0'), 5n, BigInt(base) + 2n],
      [asm.sw('a1', 2, 'a0'), 7n, BigInt(base) + 2n],
      [asm.ld('a1', 0, 'a0'), 5n, BigInt(base)],
    ];
    for (const [word, cause, value] of cases) {
      const machine = await at(3, [word]);
      machine.space.mapMmio({
        name: 'device',
        base,
        size: 4096,
        widths: [1, 2, 4],
        handler: { read: () => 0, write: () => undefined },
      });
      machine.hart.writeX(10, BigInt(base));
      expect(runToTrap(machine)).toMatchObject({ cause, value });
    }
  });

  it('MMIO loads extend by their width, stores pass it, 8 bytes are two halves, low first', async () => {
    const seen: [number, number, number][] = [];
    const machine = await at(3, [
      asm.lb('a1', 0, 'a0'),
      asm.lhu('a2', 2, 'a0'),
      asm.lw('a3', 4, 'a0'),
      asm.ld('a4', 8, 'a0'),
      asm.sh('a4', 16, 'a0'),
      asm.sd('a4', 24, 'a0'),
    ]);
    machine.space.mapMmio({
      name: 'device',
      base: 0x1000_0000,
      size: 4096,
      handler: {
        read: (offset, width) => [0, 0xff, 0xffff, 0, 0xffff_ff00 + offset][width],
        write: (...access) => void seen.push(access),
      },
    });
    machine.hart.writeX(10, 0x1000_0000n);
    expect(machine.hart.run(6)).toBe(6);
    expect([11, 12, 13, 14].map((index) => machine.hart.readX(index))).toEqual([
      0xffff_ffff_ffff_ffffn,
      0xffffn,
      0xffff_ffff_ffff_ff04n,
      0xffff_ff0c_ffff_ff08n,
    ]);
    expect(seen).toEqual([
      [16, 2, 0xff08],
      [24, 4, 0xffff_ff08],
      [28, 4, 0xffff_ff0c],
    ]);
  });

  it('misaligned LR, SC and AMO are misaligned exceptions', async () => {
    for (const [word, cause] of [
      [asm.lr_d('a1', 'a0'), 4n],
      [asm.sc_d('a1', 'a1', 'a0'), 6n],
      [asm.amoswap_d('a1', 'a1', 'a0'), 6n],
    ] as const) {
      const machine = await at(3, [word]);
      machine.hart.writeX(10, BigInt(RAM_BASE) + 4n);
      expect(runToTrap(machine)).toEqual({ cause, epc: BigInt(CODE), value: BigInt(RAM_BASE) + 4n });
    }
  });

  it('a store to ROM is an access fault, a load is not', async () => {
    const machine = await at(3, [asm.ld('a1', 0, 'a0'), asm.sd('a1', 0, 'a0')]);
    machine.space.mapRam({
      name: 'rom',
      base: 0x1000,
      size: 4096,
      offset: (machine.memory.ramOffset + 0x30_0000) as never,
      readOnly: true,
    });
    machine.hart.writeX(10, 0x1000n);
    expect(runToTrap(machine)).toEqual({ cause: 7n, epc: BigInt(CODE) + 4n, value: 0x1000n });
  });
});

describe('trap entry and return (privileged 3.1.6.1, 3.3.2)', () => {
  it('to M-mode: MPP, MPIE and MIE', async () => {
    const machine = await at(1, [asm.ecall()]);
    machine.hart.writeCsr(CSR_MSTATUS, MIE);
    runToTrap(machine);
    expect(machine.hart.privilege).toBe(3);
    expect(machine.hart.readCsr(CSR_MSTATUS) & (MIE | MPIE | (3n << 11n))).toBe(MPIE | MPP_S);
  });

  it('delegated to S-mode (3.1.8): scause, sepc, stval, SPP, SPIE, SIE', async () => {
    const machine = await at(0, [0xffff_ffff]);
    const { hart } = machine;
    hart.writeCsr(CSR_MEDELEG, 1n << 2n);
    hart.writeCsr(CSR_STVEC, BigInt(HANDLER));
    hart.writeCsr(CSR_SSTATUS, SIE);
    hart.run(10);
    expect(hart.privilege).toBe(1);
    expect(hart.pc).toBe(BigInt(HANDLER));
    expect(hart.readCsr(CSR_SCAUSE)).toBe(2n);
    expect(hart.readCsr(CSR_SEPC)).toBe(BigInt(CODE));
    expect(hart.readCsr(CSR_STVAL)).toBe(0xffff_ffffn);
    expect(hart.readCsr(CSR_SSTATUS) & (SIE | SPIE | SPP)).toBe(SPIE);
  });

  it('a delegated cause in M-mode stays in M-mode', async () => {
    const machine = await at(3, [0xffff_ffff]);
    machine.hart.writeCsr(CSR_MEDELEG, 0xffffn);
    expect(runToTrap(machine)?.cause).toBe(2n);
    expect(machine.hart.privilege).toBe(3);
  });

  it('medeleg and mideleg hold only what can be delegated', async () => {
    const { hart } = await bareMachine();
    hart.writeCsr(CSR_MEDELEG, 0xffff_ffff_ffff_ffffn);
    hart.writeCsr(CSR_MIDELEG, 0xffff_ffff_ffff_ffffn);
    expect(hart.readCsr(CSR_MEDELEG)).toBe(0xb3ffn);
    expect(hart.readCsr(CSR_MIDELEG)).toBe(0x222n);
  });

  it('MRET: mode, MIE from MPIE, MPP to U, MPRV cleared unless it returns to M', async () => {
    const machine = await at(3, [asm.mret()]);
    const { hart } = machine;
    machine.load(RAM_BASE, [asm.addi('a0', 'a0', 1)]);
    hart.writeCsr(CSR_MEPC, BigInt(RAM_BASE));
    hart.writeCsr(CSR_MSTATUS, MPP_S | MPIE | (1n << 17n));
    expect(hart.run(1)).toBe(1);
    expect(hart.privilege).toBe(1);
    expect(hart.pc).toBe(BigInt(RAM_BASE));
    expect(hart.readCsr(CSR_MSTATUS) & (MIE | MPIE | (3n << 11n) | (1n << 17n))).toBe(MIE | MPIE);
  });

  it('SRET: mode, SIE from SPIE, SPP to U', async () => {
    const machine = await at(1, [asm.sret()]);
    const { hart } = machine;
    hart.writeCsr(CSR_SEPC, BigInt(RAM_BASE));
    hart.writeCsr(CSR_SSTATUS, SPIE);
    hart.run(1);
    expect(hart.privilege).toBe(0);
    expect(hart.readCsr(CSR_SSTATUS) & (SIE | SPIE | SPP)).toBe(SIE | SPIE);
  });

  it('a handler that traps into itself ends the run as fatal, at any slice', async () => {
    const machine = await bareMachine();
    machine.hart.writeCsr(CSR_MTVEC, 0x4000n);
    machine.load(RAM_BASE, [asm.addi('a0', 'a0', 1), asm.ecall()]);
    expect(machine.hart.run(1_000_000)).toBe(1);
    expect(machine.hart.exit).toBe('fatal');
    expect(machine.hart.run(1)).toBe(0);
    expect(machine.hart.pc).toBe(0x4000n);
  });
});

describe('instructions that a mode may not have (privileged 3.1.6.5, 3.3)', () => {
  const refused: [name: string, privilege: 0 | 1 | 3, status: bigint, word: number][] = [
    ['MRET in S', 1, 0n, asm.mret()],
    ['SRET in U', 0, 0n, asm.sret()],
    ['SRET in S with TSR', 1, TSR, asm.sret()],
    ['WFI in U', 0, 0n, asm.wfi()],
    ['WFI in S with TW', 1, TW, asm.wfi()],
    ['SFENCE.VMA in U', 0, 0n, asm.sfence_vma('zero', 'zero')],
    ['SFENCE.VMA in S with TVM', 1, TVM, asm.sfence_vma('zero', 'zero')],
    ['satp in S with TVM', 1, TVM, asm.csrrs('a0', 'satp', 'zero')],
    ['an M-mode CSR in S', 1, 0n, asm.csrrs('a0', 'mstatus', 'zero')],
    ['an S-mode CSR in U', 0, 0n, asm.csrrs('a0', 'sstatus', 'zero')],
    ['a write to a read-only CSR', 3, 0n, asm.csrrs('a0', 'mhartid', 'a1')],
    ['cycle in S without mcounteren', 1, 0n, asm.csrrs('a0', 'cycle', 'zero')],
    ['stimecmp in S without STCE', 1, 0n, asm.csrrs('a0', 'stimecmp', 'zero')],
    ['fcsr with FS = 0', 3, 0n, asm.csrrs('a0', 'fcsr', 'zero')],
    ['fadd.d with FS = 0', 3, 0n, asm.fadd_d('fa0', 'fa0', 'fa0')],
    ['fld with FS = 0', 3, 0n, asm.fld('fa0', 0, 'sp')],
    ['fsd with FS = 0', 3, 0n, asm.fsd('fa0', 0, 'sp')],
    ['a reserved rounding mode', 3, 1n << 13n, asm.fadd_d('fa0', 'fa0', 'fa0', 5)],
  ];
  it.each(refused)('%s', async (_name, privilege, status, word) => {
    const machine = await at(privilege, [word]);
    machine.hart.writeX(2, BigInt(RAM_BASE));
    machine.hart.writeCsr(CSR_MSTATUS, status);
    expect(runToTrap(machine)).toEqual({ cause: 2n, epc: BigInt(CODE), value: BigInt(word) });
  });

  it('reading a read-only CSR without a write is legal (Zicsr 6.1)', async () => {
    const machine = await at(3, [asm.csrrs('a0', 'mhartid', 'zero'), asm.csrrci('a0', 'misa', 0)]);
    expect(machine.hart.run(2)).toBe(2);
    expect(machine.hart.readX(10)).toBe((2n << 62n) | 0x14112fn);
  });

  it('debug triggers: tselect and tdata are readable, no trigger exists', async () => {
    const machine = await at(3, [
      asm.csrrwi('zero', 'tselect', 3),
      asm.csrrs('a0', 'tselect', 'zero'),
      asm.csrrs('a1', 'tdata1', 'zero'),
    ]);
    expect(machine.hart.run(3)).toBe(3);
    expect([machine.hart.readX(10), machine.hart.readX(11)]).toEqual([0n, 0n]);
  });
});

describe('mstatus.FS (privileged 3.1.6.6)', () => {
  it('becomes dirty with a write to a register or to fcsr, SD follows', async () => {
    for (const word of [asm.fmv_d_x('fa0', 'a0'), asm.csrrwi('zero', 'fflags', 1), asm.fld('fa0', 0, 'sp')]) {
      const machine = await at(3, [word]);
      machine.hart.writeX(2, BigInt(RAM_BASE));
      machine.hart.writeCsr(CSR_MSTATUS, 1n << 13n);
      machine.hart.run(1);
      expect(machine.hart.readCsr(CSR_MSTATUS) & ((3n << 13n) | (1n << 63n))).toBe((3n << 13n) | (1n << 63n));
    }
  });
});

describe('WARL fields', () => {
  it('MPP keeps its value for the reserved mode 2', async () => {
    const { hart } = await bareMachine();
    hart.writeCsr(CSR_MSTATUS, MPP_S);
    hart.writeCsr(CSR_MSTATUS, 2n << 11n);
    expect(hart.readCsr(CSR_MSTATUS) & (3n << 11n)).toBe(MPP_S);
  });

  it('UXL and SXL read 2; satp ignores a write of an unknown mode', async () => {
    const { hart } = await bareMachine();
    hart.writeCsr(CSR_MSTATUS, 0n);
    expect((hart.readCsr(CSR_MSTATUS) >> 32n) & 15n).toBe(10n);
    hart.writeCsr(0x180, (8n << 60n) | 5n);
    hart.writeCsr(0x180, (10n << 60n) | 7n);
    expect(hart.readCsr(0x180)).toBe((8n << 60n) | 5n);
  });

  it('mie holds the six standard interrupts', async () => {
    const { hart } = await bareMachine();
    hart.writeCsr(CSR_MIE, 0xffff_ffffn);
    expect(hart.readCsr(CSR_MIE)).toBe(0xaaan);
  });
});

describe('host firmware', () => {
  it('S-mode ECALL leaves run() behind the instruction, and retires nothing', async () => {
    const machine = await bareMachine({ hart: { hostFirmware: true } });
    machine.load(RAM_BASE, [asm.addi('a0', 'zero', 7), asm.ecall(), asm.addi('a0', 'a0', 1)]);
    expect(machine.hart.privilege).toBe(1);
    expect(machine.hart.run(10)).toBe(1);
    expect(machine.hart.exit).toBe('sbi');
    expect(machine.hart.pc).toBe(BigInt(RAM_BASE) + 8n);
    expect(machine.hart.run(1)).toBe(1);
    expect(machine.hart.readX(10)).toBe(8n);
  });

  it('every other exception goes to S-mode', async () => {
    const machine = await bareMachine({ hart: { hostFirmware: true } });
    machine.hart.writeCsr(CSR_STVEC, BigInt(HANDLER));
    machine.load(RAM_BASE, [0xffff_ffff]);
    machine.hart.run(0);
    machine.load(HANDLER, [asm.wfi()]);
    machine.hart.run(10);
    expect(machine.hart.readCsr(CSR_SCAUSE)).toBe(2n);
    expect(machine.hart.privilege).toBe(1);
  });
});
