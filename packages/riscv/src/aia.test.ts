import { describe, expect, it } from 'vitest';
import * as N from './csr-numbers.js';
import type { InterruptBit, Privilege } from './hart.js';
import { asm, catchingMachine, FakeImsic, RAM_BASE, runToTrap, type BareMachine } from './testing/index.js';

const ILLEGAL = 2n;
const SSIP = 1n << 1n;
const STIP = 1n << 5n;
const SEIP = 1n << 9n;
const ALL = 0xffff_ffff_ffff_ffffn;
const ALL_AIA = {
  siselect: N.CSR_SISELECT,
  sireg: N.CSR_SIREG,
  stopei: N.CSR_STOPEI,
  stopi: N.CSR_STOPI,
  mvien: N.CSR_MVIEN,
  mvip: N.CSR_MVIP,
  miselect: N.CSR_MISELECT,
  mireg: N.CSR_MIREG,
  mtopei: N.CSR_MTOPEI,
  mtopi: N.CSR_MTOPI,
};

interface AiaMachine extends BareMachine {
  readonly imsic: FakeImsic;
  /** A read (`csrrs rd, csr, x0`) or write in a mode: the value, or `illegal`. */
  access(csr: number, privilege: Privilege, value?: bigint): bigint | 'illegal';
  indirect(csr: 'mi' | 'si', select: number, value?: bigint): bigint | 'illegal';
}

async function make(options: { aia?: boolean; imsic?: boolean } = {}): Promise<AiaMachine> {
  const machine = await catchingMachine({ hart: { aia: options.aia ?? true } });
  const { hart } = machine;
  const imsic = new FakeImsic();
  if (options.imsic ?? true) hart.connectImsic(imsic);
  const access = (csr: number, privilege: Privilege, value?: bigint): bigint | 'illegal' => {
    const word = value === undefined ? asm.csrrs('a0', csr, 'zero') : asm.csrrw('a0', csr, 'a1');
    machine.load(RAM_BASE, [word, asm.ebreak()]);
    hart.writeX(11, value ?? 0n);
    hart.pc = BigInt(RAM_BASE);
    hart.privilege = privilege;
    const trap = runToTrap(machine, 1);
    hart.privilege = 3;
    if (trap === undefined) return hart.readX(10);
    if (trap.cause !== ILLEGAL) throw new Error(`cause ${trap.cause}`);
    return 'illegal';
  };
  const indirect = (csr: 'mi' | 'si', select: number, value?: bigint): bigint | 'illegal' => {
    const [number, register] = csr === 'mi' ? [N.CSR_MISELECT, N.CSR_MIREG] : [N.CSR_SISELECT, N.CSR_SIREG];
    hart.writeCsr(number, BigInt(select));
    return access(register, csr === 'mi' ? 3 : 1, value);
  };
  return { ...machine, imsic, access, indirect };
}

describe('which CSRs there are (AIA 2.1, 2.2)', () => {
  it('without Smaia there are none', async () => {
    const { access } = await make({ aia: false, imsic: false });
    for (const csr of Object.values(ALL_AIA)) expect(access(csr, 3)).toBe('illegal');
  });

  it('AIA 2.1, 2.2: without an IMSIC there are no mtopei and stopei, and registers 0x70 to 0xff are illegal', async () => {
    const { access, indirect } = await make({ imsic: false });
    const { mtopei, stopei, mireg, sireg, ...others } = ALL_AIA;
    for (const csr of Object.values(others)) expect(access(csr, 3)).not.toBe('illegal');
    for (const csr of [mtopei, stopei, mireg, sireg]) expect(access(csr, 3)).toBe('illegal');
    for (const select of [0x70, 0x72, 0x80, 0xfe]) {
      expect([indirect('mi', select), indirect('si', select)]).toEqual(['illegal', 'illegal']);
    }
    expect([indirect('mi', 0x30), indirect('si', 0x3e)]).toEqual([0n, 0n]);
  });

  it('S-mode has the supervisor CSRs, U-mode none, and the top interrupts are read-only', async () => {
    const { access } = await make();
    for (const [name, csr] of Object.entries(ALL_AIA)) {
      const supervisor = name.startsWith('s');
      if (!name.endsWith('ireg')) {
        expect([name, access(csr, 1) === 'illegal']).toEqual([name, !supervisor]);
        expect([name, access(csr, 3) === 'illegal']).toEqual([name, false]);
      }
      expect([name, access(csr, 0)]).toEqual([name, 'illegal']);
    }
    expect([access(N.CSR_MTOPI, 3, 0n), access(N.CSR_STOPI, 3, 0n)]).toEqual(['illegal', 'illegal']);
  });

  it('high-half CSRs are of RV32 only', async () => {
    const { access } = await make();
    for (const csr of [0x313, 0x314, 0x318, 0x319, 0x354, 0x114, 0x154])
      expect(access(csr, 3)).toBe('illegal');
  });
});

describe('indirect access (AIA 2.1, 2.2)', () => {
  it('AIA 2.1, 2.2: miselect and siselect hold 9 bits and are two registers', async () => {
    const { hart } = await make();
    hart.writeCsr(N.CSR_MISELECT, 0x1ffn);
    hart.writeCsr(N.CSR_SISELECT, ALL - 0xffn);
    expect([hart.readCsr(N.CSR_MISELECT), hart.readCsr(N.CSR_SISELECT)]).toEqual([0x1ffn, 0x100n]);
  });

  it('AIA 2.1: registers of no range are illegal', async () => {
    const { indirect } = await make();
    for (const select of [0, 0x2f, 0x40, 0x6f, 0x100, 0x1ff]) {
      expect([select, indirect('mi', select), indirect('si', select)]).toEqual([
        select,
        'illegal',
        'illegal',
      ]);
    }
  });

  it('AIA 3.7, 3.8.3: the whole range of the file; odd ones of the arrays are illegal with XLEN 64', async () => {
    const { indirect } = await make();
    for (let select = 0x70; select <= 0xff; select++) {
      const expected = select >= 0x80 && select % 2 === 1 ? 'illegal' : 0n;
      expect([select, indirect('mi', select), indirect('si', select)]).toEqual([select, expected, expected]);
    }
  });

  it('AIA 3.7: mireg leads to the machine file, sireg to the supervisor file, 64 bits wide', async () => {
    const { indirect, imsic } = await make();
    expect(indirect('mi', 0xc2, 0x1234_5678_9abc_def0n)).toBe(0n);
    expect(indirect('si', 0xc2, 0xfedc_ba98_8765_4321n)).toBe(0n);
    expect([indirect('mi', 0xc2), indirect('si', 0xc2)]).toEqual([
      0x1234_5678_9abc_def0n,
      0xfedc_ba98_8765_4321n,
    ]);
    expect([...imsic.registers.keys()]).toEqual(['0:194', '1:194']);
  });

  it('AIA 5.2.1, 5.4.1: iprio bytes of interrupts that can be enabled; the own external one is 0; odd ones illegal', async () => {
    const { indirect } = await make();
    for (let select = 0x30; select <= 0x3f; select++) {
      const both = [indirect('mi', select, ALL), indirect('si', select, ALL)];
      expect(both.includes('illegal')).toBe(select % 2 === 1);
    }
    const values = (csr: 'mi' | 'si') => [0x30, 0x32, 0x34, 0x3e].map((select) => indirect(csr, select));
    expect(values('mi')).toEqual([0xff00_ff00_ff00_ff00n, 0xff00n, 0n, 0n]);
    expect(values('si')).toEqual([0x0000_ff00_0000_ff00n, 0n, 0n, 0n]);
  });
});

describe('top external interrupt (AIA 3.9)', () => {
  it('AIA 3.9: a read shows the file, a write of any value claims; both together do both', async () => {
    const { access, imsic } = await make();
    imsic.tops.set(0, 0x5_0005);
    imsic.tops.set(1, 0x7_0007);
    expect([access(N.CSR_MTOPEI, 3), access(N.CSR_STOPEI, 1)]).toEqual([0x5_0005n, 0x7_0007n]);
    expect(imsic.claims).toEqual([]);
    expect([access(N.CSR_MTOPEI, 3, 99n), access(N.CSR_STOPEI, 1, 0n)]).toEqual([0x5_0005n, 0x7_0007n]);
    expect(imsic.claims).toEqual([0, 1]);
  });

  it('a claim that ends the interrupt keeps it from being taken behind the instruction', async () => {
    const machine = await make();
    const { hart, imsic } = machine;
    hart.setInterrupt(11, true, 5);
    imsic.onChange = () => hart.setInterrupt(11, false);
    machine.load(RAM_BASE, [
      asm.csrrw('a0', 'mtopei', 'zero'),
      asm.csrrsi('zero', 'mstatus', 8),
      asm.addi('a1', 'a1', 1),
    ]);
    hart.writeCsr(N.CSR_MIE, 0x800n);
    expect(runToTrap(machine, 3)).toBeUndefined();
    expect(hart.readX(11)).toBe(1n);
  });
});

describe('top interrupts and priority (AIA 5.1, 5.2, 5.4)', () => {
  const mtopi = ({ hart }: BareMachine): number[] => {
    const value = Number(hart.readCsr(N.CSR_MTOPI));
    return [value >>> 16, value & 0xff];
  };
  const stopi = ({ hart }: BareMachine): number[] => {
    const value = Number(hart.readCsr(N.CSR_STOPI));
    return [value >>> 16, value & 0xff];
  };

  it('AIA 5.1: default order at machine level: 11, 3, 7, 9, 1, 5', async () => {
    const machine = await make();
    const { hart } = machine;
    hart.writeCsr(N.CSR_MIE, ALL);
    for (const bit of [1, 3, 5, 7, 9, 11] as const) hart.setInterrupt(bit, true, 40);
    const order: number[] = [];
    for (;;) {
      const [top] = mtopi(machine);
      if (top === 0) break;
      order.push(top);
      hart.setInterrupt(top as InterruptBit, false);
    }
    expect(order).toEqual([11, 3, 7, 9, 1, 5]);
  });

  it('AIA 5.2.2: mtopi shows what is pending, enabled and not delegated, whatever mstatus.MIE says', async () => {
    const machine = await make();
    const { hart } = machine;
    hart.setInterrupt(7, true);
    expect(mtopi(machine)).toEqual([0, 0]);
    hart.writeCsr(N.CSR_MIE, 1n << 7n);
    expect(mtopi(machine)).toEqual([7, 255]);
    hart.writeCsr(N.CSR_MIE, ALL);
    hart.writeCsr(N.CSR_MIDELEG, SEIP);
    hart.setInterrupt(9, true, 3);
    hart.setInterrupt(7, false);
    expect([mtopi(machine), stopi(machine)]).toEqual([
      [0, 0],
      [9, 3],
    ]);
  });

  it('AIA 5.2.2: IPRIO is the number from 1 to 255; 255 above that, and for a default below the external one', async () => {
    const machine = await make();
    const { hart } = machine;
    hart.writeCsr(N.CSR_MIE, ALL);
    for (const [priority, shown] of [
      [1, 1],
      [255, 255],
      [256, 255],
      [2047, 255],
    ]) {
      hart.setInterrupt(11, true, priority);
      expect(mtopi(machine)).toEqual([11, shown]);
    }
    hart.setInterrupt(11, false);
    hart.setInterrupt(3, true);
    expect(mtopi(machine)).toEqual([3, 255]);
    machine.indirect('mi', 0x30, 0x77n << 24n);
    expect(mtopi(machine)).toEqual([3, 0x77]);
  });

  it('AIA 5.2.1: a number raises an interrupt over external ones of larger numbers; ties go by default order', async () => {
    const machine = await make();
    const { hart, indirect } = machine;
    hart.writeCsr(N.CSR_MIE, ALL);
    hart.setInterrupt(11, true, 10);
    hart.setInterrupt(7, true);
    hart.setInterrupt(3, true);
    for (const [timer, top] of [
      [0n, 11],
      [11n, 11],
      [10n, 11],
      [9n, 7],
    ] as const) {
      indirect('mi', 0x30, timer << 56n);
      expect([timer, mtopi(machine)[0]]).toEqual([timer, top]);
    }
    indirect('mi', 0x30, (9n << 56n) | (9n << 24n));
    expect(mtopi(machine)).toEqual([3, 9]);
    hart.setInterrupt(11, true, 8);
    expect(mtopi(machine)).toEqual([11, 8]);
    hart.setInterrupt(11, true, 256);
    indirect('mi', 0x30, 255n << 56n);
    expect(mtopi(machine)).toEqual([7, 255]);
  });

  it('AIA 5.2.1: the number of the supervisor external interrupt counts where it traps to M-mode', async () => {
    const machine = await make();
    const { hart, indirect } = machine;
    hart.writeCsr(N.CSR_MIE, ALL);
    hart.setInterrupt(9, true, 1);
    hart.setInterrupt(11, true, 20);
    expect(mtopi(machine)).toEqual([11, 20]);
    indirect('mi', 0x32, 19n << 8n);
    expect(mtopi(machine)).toEqual([9, 19]);
  });

  it('AIA 5.4.1: the supervisor array orders what traps to S-mode, and the trap takes what stopi shows', async () => {
    const machine = await make();
    const { hart, indirect } = machine;
    hart.writeCsr(N.CSR_MIDELEG, ALL);
    hart.writeCsr(N.CSR_MIE, ALL);
    hart.writeCsr(N.CSR_STVEC, BigInt(RAM_BASE) + 0x800n);
    for (const bit of [1, 5, 9] as const) hart.setInterrupt(bit, true, 100);
    indirect('mi', 0x30, ALL);
    expect(stopi(machine)).toEqual([9, 100]);
    for (const [numbers, top] of [
      [0n, 9],
      [99n << 40n, 5],
      [(99n << 40n) | (98n << 8n), 1],
      [(100n << 40n) | (101n << 8n), 9],
    ] as const) {
      indirect('si', 0x30, numbers);
      expect(stopi(machine)[0]).toBe(top);
      hart.privilege = 0;
      hart.pc = BigInt(RAM_BASE);
      machine.load(RAM_BASE + 0x800, [asm.jal('zero', 0)]);
      hart.run(1);
      expect([hart.privilege, hart.readCsr(N.CSR_SCAUSE)]).toEqual([1, (1n << 63n) | BigInt(top)]);
      hart.privilege = 3;
    }
  });

  it('AIA 5.2.1: a trap to M-mode takes what mtopi shows', async () => {
    const machine = await make();
    const { hart, indirect } = machine;
    hart.writeCsr(N.CSR_MIE, ALL);
    indirect('mi', 0x30, 9n << 56n);
    hart.setInterrupt(11, true, 10);
    hart.setInterrupt(7, true);
    hart.writeCsr(N.CSR_MSTATUS, 8n);
    hart.pc = BigInt(RAM_BASE);
    hart.run(1);
    expect(hart.readCsr(N.CSR_MCAUSE)).toBe((1n << 63n) | 7n);
  });

  it('AIA 5.4.1: a supervisor external interrupt that only software made has the number 256', async () => {
    const machine = await make();
    const { hart, indirect } = machine;
    hart.writeCsr(N.CSR_MIDELEG, ALL);
    hart.writeCsr(N.CSR_MIE, ALL);
    hart.writeCsr(N.CSR_MVIP, SEIP);
    expect(stopi(machine)).toEqual([9, 255]);
    hart.setInterrupt(5, true);
    indirect('si', 0x30, 255n << 40n);
    expect(stopi(machine)).toEqual([5, 255]);
    indirect('si', 0x30, 0n);
    expect(stopi(machine)).toEqual([9, 255]);
  });
});

describe('filtering and virtual interrupts (AIA 5.3)', () => {
  it('AIA 5.3: bits 1 and 9 of mvien are writable, bits 1, 5 and 9 of mvip', async () => {
    const { hart } = await make();
    hart.writeCsr(N.CSR_MVIP, ALL);
    expect(hart.readCsr(N.CSR_MVIP)).toBe(SSIP | STIP | SEIP);
    hart.writeCsr(N.CSR_MVIP, 0n);
    hart.writeCsr(N.CSR_MVIEN, ALL);
    expect(hart.readCsr(N.CSR_MVIEN)).toBe(SSIP | SEIP);
  });

  it('AIA 5.3: without mvien, bits of mvip are those of mip', async () => {
    const { hart } = await make();
    hart.writeCsr(N.CSR_MIP, SSIP | STIP | SEIP);
    expect(hart.readCsr(N.CSR_MVIP)).toBe(SSIP | STIP | SEIP);
    hart.writeCsr(N.CSR_MVIP, STIP);
    expect(hart.readCsr(N.CSR_MIP)).toBe(STIP);
  });

  it('AIA 5.3: bit 9 of mvip is what software wrote of SEIP, without the line', async () => {
    const { hart } = await make();
    hart.setInterrupt(9, true, 1);
    expect([hart.readCsr(N.CSR_MIP), hart.readCsr(N.CSR_MVIP)]).toEqual([SEIP, 0n]);
    hart.writeCsr(N.CSR_MVIP, SEIP);
    hart.setInterrupt(9, false);
    expect([hart.readCsr(N.CSR_MIP), hart.readCsr(N.CSR_MVIP)]).toEqual([SEIP, SEIP]);
  });

  it('AIA 5.3: bit 5 of mvip is 0 while STCE makes STIP read-only', async () => {
    const { hart } = await make();
    hart.writeCsr(N.CSR_MENVCFG, 1n << 63n);
    hart.writeCsr(N.CSR_MVIP, STIP);
    expect(hart.readCsr(N.CSR_MVIP)).toBe(0n);
  });

  it('AIA 5.3: with mvien bit 1, mvip and mip have an SSIP each', async () => {
    const { hart } = await make();
    hart.writeCsr(N.CSR_MIP, SSIP);
    hart.writeCsr(N.CSR_MVIEN, SSIP);
    hart.writeCsr(N.CSR_MVIP, 0n);
    expect([hart.readCsr(N.CSR_MIP), hart.readCsr(N.CSR_MVIP)]).toEqual([SSIP, 0n]);
    hart.writeCsr(N.CSR_MVIP, SSIP);
    hart.writeCsr(N.CSR_MIP, 0n);
    expect([hart.readCsr(N.CSR_MIP), hart.readCsr(N.CSR_MVIP)]).toEqual([0n, SSIP]);
    hart.writeCsr(N.CSR_MVIEN, 0n);
    expect(hart.readCsr(N.CSR_MVIP)).toBe(0n);
  });

  it('AIA 5.3: mvien bit 9 takes the bit of software out of mip, and its change keeps mvip', async () => {
    const { hart } = await make();
    hart.writeCsr(N.CSR_MVIP, SEIP);
    hart.writeCsr(N.CSR_MVIEN, SEIP);
    expect([hart.readCsr(N.CSR_MIP), hart.readCsr(N.CSR_MVIP)]).toEqual([0n, SEIP]);
    hart.writeCsr(N.CSR_MIP, SEIP);
    expect(hart.readCsr(N.CSR_MIP)).toBe(0n);
    hart.setInterrupt(9, true, 1);
    expect(hart.readCsr(N.CSR_MIP)).toBe(SEIP);
    hart.setInterrupt(9, false);
    hart.writeCsr(N.CSR_MVIEN, 0n);
    expect([hart.readCsr(N.CSR_MIP), hart.readCsr(N.CSR_MVIP)]).toEqual([SEIP, SEIP]);
  });

  it('AIA table 5.3: sip and sie by mideleg and mvien', async () => {
    const { hart } = await make();
    hart.writeCsr(N.CSR_MIE, 0n);
    for (const [mideleg, mvien, pending, enable, machineEnable] of [
      [0n, 0n, 0n, 0n, 0n],
      [0n, SEIP, SEIP, SEIP, 0n],
      [SEIP, 0n, SEIP, SEIP, SEIP],
      [SEIP, SEIP, 0n, SEIP, SEIP],
    ]) {
      hart.writeCsr(N.CSR_MIDELEG, mideleg);
      hart.writeCsr(N.CSR_MVIEN, mvien);
      hart.writeCsr(N.CSR_MVIP, SEIP);
      hart.writeCsr(N.CSR_SIE, ALL);
      expect([hart.readCsr(N.CSR_SIP), hart.readCsr(N.CSR_SIE), hart.readCsr(N.CSR_MIE)]).toEqual([
        pending,
        enable,
        machineEnable,
      ]);
      hart.writeCsr(N.CSR_SIE, 0n);
      hart.writeCsr(N.CSR_MIE, 0n);
    }
  });

  it('AIA 5.3: sip.SSIP writes mvip where mvien says so, mip where mideleg does', async () => {
    const { hart } = await make();
    hart.writeCsr(N.CSR_MVIEN, SSIP);
    hart.writeCsr(N.CSR_SIP, SSIP);
    expect([hart.readCsr(N.CSR_MVIP), hart.readCsr(N.CSR_MIP)]).toEqual([SSIP, 0n]);
    hart.writeCsr(N.CSR_MIDELEG, SSIP);
    hart.writeCsr(N.CSR_SIP, SSIP);
    hart.writeCsr(N.CSR_SIP, 0n);
    expect([hart.readCsr(N.CSR_MVIP), hart.readCsr(N.CSR_MIP)]).toEqual([SSIP, 0n]);
  });

  it('AIA 5.3: a virtual interrupt traps to S-mode while the real one traps to M-mode', async () => {
    const machine = await make();
    const { hart } = machine;
    const handler = RAM_BASE + 0x800;
    machine.load(RAM_BASE, [asm.jal('zero', 0)]);
    machine.load(handler, [asm.jal('zero', 0)]);
    hart.writeCsr(N.CSR_STVEC, BigInt(handler));
    hart.writeCsr(N.CSR_MVIEN, SEIP);
    hart.writeCsr(N.CSR_SIE, SEIP);
    hart.writeCsr(N.CSR_MVIP, SEIP);
    hart.pc = BigInt(RAM_BASE);
    hart.privilege = 1;
    hart.writeCsr(N.CSR_MSTATUS, 0n);
    hart.run(1);
    expect(hart.pc).toBe(BigInt(RAM_BASE));
    hart.writeCsr(N.CSR_SSTATUS, 2n);
    hart.run(1);
    expect([hart.pc, hart.readCsr(N.CSR_SCAUSE)]).toEqual([BigInt(handler), (1n << 63n) | 9n]);
    hart.writeCsr(N.CSR_MIE, SEIP);
    hart.setInterrupt(9, true, 1);
    hart.run(1);
    expect([hart.privilege, hart.readCsr(N.CSR_MCAUSE)]).toEqual([3, (1n << 63n) | 9n]);
  });

  it('AIA 5.3: while M-mode filters SEI, S-mode may not have its interrupt file', async () => {
    const { access, indirect, hart } = await make();
    hart.writeCsr(N.CSR_MVIEN, SEIP);
    expect(access(N.CSR_STOPEI, 1)).toBe('illegal');
    for (const select of [0x70, 0x7f, 0x80, 0xfe]) expect(indirect('si', select)).toBe('illegal');
    expect([indirect('si', 0x30), access(N.CSR_STOPEI, 3), indirect('mi', 0x70)]).toEqual([0n, 0n, 0n]);
    hart.writeCsr(N.CSR_MVIEN, SSIP);
    expect(access(N.CSR_STOPEI, 1)).toBe(0n);
  });

  it('AIA 5.5: a virtual interrupt that is enabled ends WFI, one that is not does not', async () => {
    const machine = await make();
    const { hart } = machine;
    machine.load(RAM_BASE, [asm.wfi(), asm.addi('a0', 'a0', 1)]);
    hart.writeCsr(N.CSR_MVIEN, SSIP);
    hart.writeCsr(N.CSR_MVIP, SSIP);
    hart.pc = BigInt(RAM_BASE);
    hart.run(10);
    expect([hart.exit, hart.interruptPending]).toEqual(['wfi', false]);
    hart.writeCsr(N.CSR_SIE, SSIP);
    expect(hart.interruptPending).toBe(true);
    hart.run(1);
    expect(hart.readX(10)).toBe(1n);
  });
});

describe('reset and snapshot', () => {
  it('a reset clears them and keeps lines and their priorities', async () => {
    const machine = await make();
    const { hart, indirect } = machine;
    hart.writeCsr(N.CSR_MVIEN, ALL);
    hart.writeCsr(N.CSR_MVIP, ALL);
    hart.writeCsr(N.CSR_SIE, ALL);
    indirect('mi', 0x30, ALL);
    hart.setInterrupt(11, true, 7);
    hart.reset({ pc: BigInt(RAM_BASE) });
    const csrs = [N.CSR_MVIEN, N.CSR_MVIP, N.CSR_SIE, N.CSR_MISELECT].map((csr) => hart.readCsr(csr));
    expect([csrs, hart.interruptPending]).toEqual([[0n, 0n, 0n, 0n], false]);
    hart.writeCsr(N.CSR_MISELECT, 0x30n);
    expect(hart.readCsr(N.CSR_MIREG)).toBe(0n);
    hart.writeCsr(N.CSR_MIE, ALL);
    expect(hart.readCsr(N.CSR_MTOPI)).toBe(0xb_0007n);
  });

  it('a snapshot has them, the virtual interrupt that is due among them', async () => {
    const machine = await make();
    const { hart, indirect } = machine;
    hart.writeCsr(N.CSR_MVIEN, ALL);
    hart.writeCsr(N.CSR_MVIP, SEIP);
    hart.writeCsr(N.CSR_SIE, SEIP);
    indirect('si', 0x30, 3n << 40n);
    indirect('mi', 0x30, 4n << 56n);
    hart.setInterrupt(9, true, 77);
    const saved = hart.save();
    const other = await make();
    other.hart.restore(saved);
    expect(other.hart.save()).toEqual(saved);
    expect(other.hart.interruptPending).toBe(true);
    expect(other.hart.readCsr(N.CSR_STOPI)).toBe(hart.readCsr(N.CSR_STOPI));
  });
});
