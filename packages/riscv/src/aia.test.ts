import { describe, expect, it } from 'vitest';
import * as N from './csr-numbers.js';
import { aiaMachine, asm, RAM_BASE, runToTrap } from './testing/index.js';

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

describe('which CSRs there are (AIA 2.1, 2.2)', () => {
  it('without Smaia there are none', async () => {
    const { access } = await aiaMachine({ aia: false, imsic: false });
    for (const csr of Object.values(ALL_AIA)) expect(access(csr, 3)).toBe('illegal');
  });

  it('AIA 2.1, 2.2: without an IMSIC there are no mtopei and stopei, and registers 0x70 to 0xff are illegal', async () => {
    const { access, indirect } = await aiaMachine({ imsic: false });
    const { mtopei, stopei, mireg, sireg, ...others } = ALL_AIA;
    for (const csr of Object.values(others)) expect(access(csr, 3)).not.toBe('illegal');
    for (const csr of [mtopei, stopei, mireg, sireg]) expect(access(csr, 3)).toBe('illegal');
    for (const select of [0x70, 0x72, 0x80, 0xfe]) {
      expect([indirect('mi', select), indirect('si', select)]).toEqual(['illegal', 'illegal']);
    }
    expect([indirect('mi', 0x30), indirect('si', 0x3e)]).toEqual([0n, 0n]);
  });

  it('S-mode has the supervisor CSRs, U-mode none, and the top interrupts are read-only', async () => {
    const { access } = await aiaMachine();
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
    const { access } = await aiaMachine();
    for (const csr of [0x313, 0x314, 0x318, 0x319, 0x354, 0x114, 0x154])
      expect(access(csr, 3)).toBe('illegal');
  });
});

describe('indirect access (AIA 2.1, 2.2)', () => {
  it('AIA 2.1, 2.2: miselect and siselect hold 9 bits and are two registers', async () => {
    const { hart } = await aiaMachine();
    hart.writeCsr(N.CSR_MISELECT, 0x1ffn);
    hart.writeCsr(N.CSR_SISELECT, ALL - 0xffn);
    expect([hart.readCsr(N.CSR_MISELECT), hart.readCsr(N.CSR_SISELECT)]).toEqual([0x1ffn, 0x100n]);
  });

  it('AIA 2.1: registers of no range are illegal', async () => {
    const { indirect } = await aiaMachine();
    for (const select of [0, 0x2f, 0x40, 0x6f, 0x100, 0x1ff]) {
      expect([select, indirect('mi', select), indirect('si', select)]).toEqual([
        select,
        'illegal',
        'illegal',
      ]);
    }
  });

  it('AIA 3.7, 3.8.3: the whole range of the file; odd ones of the arrays are illegal with XLEN 64', async () => {
    const { indirect } = await aiaMachine();
    for (let select = 0x70; select <= 0xff; select++) {
      const expected = select >= 0x80 && select % 2 === 1 ? 'illegal' : 0n;
      expect([select, indirect('mi', select), indirect('si', select)]).toEqual([select, expected, expected]);
    }
  });

  it('AIA 3.7: mireg leads to the machine file, sireg to the supervisor file, 64 bits wide', async () => {
    const { indirect, imsic } = await aiaMachine();
    expect(indirect('mi', 0xc2, 0x1234_5678_9abc_def0n)).toBe(0n);
    expect(indirect('si', 0xc2, 0xfedc_ba98_8765_4321n)).toBe(0n);
    expect([indirect('mi', 0xc2), indirect('si', 0xc2)]).toEqual([
      0x1234_5678_9abc_def0n,
      0xfedc_ba98_8765_4321n,
    ]);
    expect([...imsic.registers.keys()]).toEqual(['0:194', '1:194']);
  });

  it('AIA 5.2.1, 5.4.1: iprio bytes of interrupts that can be enabled; the own external one is 0; odd ones illegal', async () => {
    const { indirect } = await aiaMachine();
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
    const { access, imsic } = await aiaMachine();
    imsic.tops.set(0, 0x5_0005);
    imsic.tops.set(1, 0x7_0007);
    expect([access(N.CSR_MTOPEI, 3), access(N.CSR_STOPEI, 1)]).toEqual([0x5_0005n, 0x7_0007n]);
    expect(imsic.claims).toEqual([]);
    expect([access(N.CSR_MTOPEI, 3, 99n), access(N.CSR_STOPEI, 1, 0n)]).toEqual([0x5_0005n, 0x7_0007n]);
    expect(imsic.claims).toEqual([0, 1]);
  });

  it('a claim that ends the interrupt keeps it from being taken behind the instruction', async () => {
    const machine = await aiaMachine();
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

describe('reset and snapshot', () => {
  it('a reset clears them and keeps lines and their priorities', async () => {
    const machine = await aiaMachine();
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
    const machine = await aiaMachine();
    const { hart, indirect } = machine;
    hart.writeCsr(N.CSR_MVIEN, ALL);
    hart.writeCsr(N.CSR_MVIP, SEIP);
    hart.writeCsr(N.CSR_SIE, SEIP);
    indirect('si', 0x30, 3n << 40n);
    indirect('mi', 0x30, 4n << 56n);
    hart.setInterrupt(9, true, 77);
    const saved = hart.save();
    const other = await aiaMachine();
    other.hart.restore(saved);
    expect(other.hart.save()).toEqual(saved);
    expect(other.hart.interruptPending).toBe(true);
    expect(other.hart.readCsr(N.CSR_STOPI)).toBe(hart.readCsr(N.CSR_STOPI));
  });
});
