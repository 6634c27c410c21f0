import { describe, expect, it } from 'vitest';
import * as N from './csr-numbers.js';
import { aiaMachine, asm, RAM_BASE } from './testing/index.js';

const SSIP = 1n << 1n;
const STIP = 1n << 5n;
const SEIP = 1n << 9n;
const ALL = 0xffff_ffff_ffff_ffffn;

describe('filtering and virtual interrupts (AIA 5.3)', () => {
  it('AIA 5.3: bits 1 and 9 of mvien are writable, bits 1, 5 and 9 of mvip', async () => {
    const { hart } = await aiaMachine();
    hart.writeCsr(N.CSR_MVIP, ALL);
    expect(hart.readCsr(N.CSR_MVIP)).toBe(SSIP | STIP | SEIP);
    hart.writeCsr(N.CSR_MVIP, 0n);
    hart.writeCsr(N.CSR_MVIEN, ALL);
    expect(hart.readCsr(N.CSR_MVIEN)).toBe(SSIP | SEIP);
  });

  it('AIA 5.3: without mvien, bits of mvip are those of mip', async () => {
    const { hart } = await aiaMachine();
    hart.writeCsr(N.CSR_MIP, SSIP | STIP | SEIP);
    expect(hart.readCsr(N.CSR_MVIP)).toBe(SSIP | STIP | SEIP);
    hart.writeCsr(N.CSR_MVIP, STIP);
    expect(hart.readCsr(N.CSR_MIP)).toBe(STIP);
  });

  it('AIA 5.3: bit 9 of mvip is what software wrote of SEIP, without the line', async () => {
    const { hart } = await aiaMachine();
    hart.setInterrupt(9, true, 1);
    expect([hart.readCsr(N.CSR_MIP), hart.readCsr(N.CSR_MVIP)]).toEqual([SEIP, 0n]);
    hart.writeCsr(N.CSR_MVIP, SEIP);
    hart.setInterrupt(9, false);
    expect([hart.readCsr(N.CSR_MIP), hart.readCsr(N.CSR_MVIP)]).toEqual([SEIP, SEIP]);
  });

  it('AIA 5.3: bit 5 of mvip is 0 while STCE makes STIP read-only', async () => {
    const { hart } = await aiaMachine();
    hart.writeCsr(N.CSR_MENVCFG, 1n << 63n);
    hart.writeCsr(N.CSR_MVIP, STIP);
    expect(hart.readCsr(N.CSR_MVIP)).toBe(0n);
  });

  it('AIA 5.3: with mvien bit 1, mvip and mip have an SSIP each', async () => {
    const { hart } = await aiaMachine();
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
    const { hart } = await aiaMachine();
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
    const { hart } = await aiaMachine();
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
    const { hart } = await aiaMachine();
    hart.writeCsr(N.CSR_MVIEN, SSIP);
    hart.writeCsr(N.CSR_SIP, SSIP);
    expect([hart.readCsr(N.CSR_MVIP), hart.readCsr(N.CSR_MIP)]).toEqual([SSIP, 0n]);
    hart.writeCsr(N.CSR_MIDELEG, SSIP);
    hart.writeCsr(N.CSR_SIP, SSIP);
    hart.writeCsr(N.CSR_SIP, 0n);
    expect([hart.readCsr(N.CSR_MVIP), hart.readCsr(N.CSR_MIP)]).toEqual([SSIP, 0n]);
  });

  it('AIA 5.3: a virtual interrupt traps to S-mode while the real one traps to M-mode', async () => {
    const machine = await aiaMachine();
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
    const { access, indirect, hart } = await aiaMachine();
    hart.writeCsr(N.CSR_MVIEN, SEIP);
    expect(access(N.CSR_STOPEI, 1)).toBe('illegal');
    for (const select of [0x70, 0x7f, 0x80, 0xfe]) expect(indirect('si', select)).toBe('illegal');
    expect([indirect('si', 0x30), access(N.CSR_STOPEI, 3), indirect('mi', 0x70)]).toEqual([0n, 0n, 0n]);
    hart.writeCsr(N.CSR_MVIEN, SSIP);
    expect(access(N.CSR_STOPEI, 1)).toBe(0n);
  });

  it('AIA 5.5: a virtual interrupt that is enabled ends WFI, one that is not does not', async () => {
    const machine = await aiaMachine();
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
