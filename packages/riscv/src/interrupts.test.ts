import { describe, expect, it } from 'vitest';
import {
  CSR_MCAUSE,
  CSR_MEPC,
  CSR_MIDELEG,
  CSR_MIE,
  CSR_MIP,
  CSR_MSTATUS,
  CSR_MTVEC,
  CSR_SCAUSE,
  CSR_SIE,
  CSR_SIP,
  CSR_SSTATUS,
  CSR_STVEC,
} from './csr-numbers.js';
import type { InterruptBit } from './hart.js';
import { asm, bareMachine, RAM_BASE, type BareMachine } from './testing/index.js';

const HANDLER = RAM_BASE + 0x1000;
const INTERRUPT = 1n << 63n;
const MIE = 1n << 3n;
const SIE = 1n << 1n;
const ALL: InterruptBit[] = [1, 3, 5, 7, 9, 11];

async function spinning(): Promise<BareMachine> {
  const machine = await bareMachine();
  machine.load(RAM_BASE, [asm.addi('a0', 'a0', 1), asm.jal('zero', -4)]);
  machine.load(
    HANDLER,
    Array.from({ length: 64 }, () => asm.jal('zero', 0)),
  );
  machine.hart.writeCsr(CSR_MTVEC, BigInt(HANDLER));
  machine.hart.writeCsr(CSR_STVEC, BigInt(HANDLER) + 0x80n);
  machine.hart.writeCsr(CSR_MIE, 0xaaan);
  return machine;
}

describe('interrupts (privileged 3.1.9)', () => {
  it('priority in M-mode: MEI, MSI, MTI, SEI, SSI, STI', async () => {
    const order: bigint[] = [];
    const machine = await spinning();
    const { hart } = machine;
    for (const bit of ALL) hart.setInterrupt(bit, true);
    for (let round = 0; round < 6; round++) {
      hart.writeCsr(CSR_MSTATUS, MIE);
      hart.run(1);
      const cause = hart.readCsr(CSR_MCAUSE) & ~INTERRUPT;
      order.push(cause);
      hart.setInterrupt(Number(cause) as InterruptBit, false);
    }
    expect(order).toEqual([11n, 3n, 7n, 9n, 1n, 5n]);
  });

  it('delegated ones rank below those of M-mode: SEI, SSI, STI among themselves', async () => {
    const order: bigint[] = [];
    const { hart } = await spinning();
    hart.writeCsr(0x3b0, (1n << 54n) - 1n);
    hart.writeCsr(0x3a0, 0x1fn);
    hart.writeCsr(CSR_MIDELEG, 0x222n);
    for (const bit of [1, 5, 9] as const) hart.setInterrupt(bit, true);
    for (let round = 0; round < 3; round++) {
      hart.privilege = 0;
      hart.run(1);
      expect(hart.privilege).toBe(1);
      const cause = hart.readCsr(CSR_SCAUSE) & ~INTERRUPT;
      order.push(cause);
      hart.setInterrupt(Number(cause) as InterruptBit, false);
    }
    hart.setInterrupt(9, true);
    hart.setInterrupt(7, true);
    hart.privilege = 0;
    hart.run(1);
    expect(hart.readCsr(CSR_MCAUSE)).toBe(INTERRUPT | 7n);
    expect(order).toEqual([9n, 1n, 5n]);
  });

  it('global enables: MIE in M-mode, SIE in S-mode; lower modes always take, higher never', async () => {
    const machine = await spinning();
    const { hart } = machine;
    hart.writeCsr(0x3b0, (1n << 54n) - 1n);
    hart.writeCsr(0x3a0, 0x1fn);
    hart.writeCsr(CSR_MIDELEG, 0x222n);
    const taken = (privilege: 0 | 1 | 3, status: bigint, bit: InterruptBit): boolean => {
      hart.privilege = privilege;
      hart.pc = BigInt(RAM_BASE);
      hart.writeCsr(CSR_MSTATUS, status);
      hart.setInterrupt(bit, true);
      hart.run(1);
      hart.setInterrupt(bit, false);
      return hart.pc >= BigInt(HANDLER);
    };
    expect(taken(3, 0n, 7)).toBe(false);
    expect(taken(3, MIE, 7)).toBe(true);
    expect(taken(1, 0n, 7)).toBe(true);
    expect(taken(0, 0n, 7)).toBe(true);
    expect(taken(3, MIE | SIE, 9)).toBe(false);
    expect(taken(1, 0n, 9)).toBe(false);
    expect(taken(1, SIE, 9)).toBe(true);
    expect(taken(0, 0n, 9)).toBe(true);
  });

  it('vectored mode adds 4 times the cause for interrupts, not for exceptions (3.1.7)', async () => {
    const { hart, ...machine } = await spinning();
    hart.writeCsr(CSR_MTVEC, BigInt(HANDLER) | 1n);
    hart.writeCsr(CSR_MSTATUS, MIE);
    hart.setInterrupt(7, true);
    hart.run(1);
    expect(hart.pc).toBe(BigInt(HANDLER) + 28n);
    expect(hart.readCsr(CSR_MEPC)).toBe(BigInt(RAM_BASE));
    machine.load(RAM_BASE, [asm.ecall()]);
    hart.pc = BigInt(RAM_BASE);
    hart.run(1);
    expect(hart.pc).toBe(BigInt(HANDLER));
  });

  it('a CSR write that enables one takes it before the next instruction', async () => {
    const machine = await bareMachine();
    const { hart } = machine;
    machine.load(RAM_BASE, [
      asm.csrrsi('zero', 'mstatus', 8),
      asm.csrrs('zero', 'mie', 'a1'),
      asm.addi('a0', 'a0', 1),
    ]);
    machine.load(HANDLER, [asm.jal('zero', 0)]);
    hart.writeCsr(CSR_MTVEC, BigInt(HANDLER));
    hart.writeX(11, 0x80n);
    hart.setInterrupt(7, true);
    hart.run(10);
    expect(hart.readX(10)).toBe(0n);
    expect(hart.readCsr(CSR_MEPC)).toBe(BigInt(RAM_BASE) + 8n);
  });

  it('an MMIO access that raises one takes it before the next instruction', async () => {
    const machine = await spinning();
    const { hart } = machine;
    machine.space.mapMmio({
      name: 'device',
      base: 0x1000_0000,
      size: 4096,
      handler: { read: () => 0, write: () => hart.setInterrupt(11, true) },
    });
    machine.load(RAM_BASE, [asm.sw('zero', 0, 'a1'), asm.addi('a0', 'a0', 1)]);
    hart.writeX(11, 0x1000_0000n);
    hart.writeCsr(CSR_MSTATUS, MIE);
    hart.run(5);
    expect(hart.readX(10)).toBe(0n);
    expect(hart.readCsr(CSR_MEPC)).toBe(BigInt(RAM_BASE) + 4n);
  });
});

describe('mip and sip (privileged 3.1.9, 4.1.3)', () => {
  it('software writes SSIP, STIP and SEIP; the rest follows the lines', async () => {
    const { hart } = await bareMachine();
    hart.writeCsr(CSR_MIP, 0xffffn);
    expect(hart.readCsr(CSR_MIP)).toBe(0x222n);
    hart.setInterrupt(7, true);
    hart.writeCsr(CSR_MIP, 0n);
    expect(hart.readCsr(CSR_MIP)).toBe(0x80n);
  });

  it('SEIP is the OR of line and software; setting a bit elsewhere does not latch the line', async () => {
    const machine = await bareMachine();
    const { hart } = machine;
    machine.load(RAM_BASE, [asm.csrrsi('a0', 'mip', 2)]);
    hart.setInterrupt(9, true);
    hart.run(1);
    expect(hart.readX(10)).toBe(0x200n);
    hart.setInterrupt(9, false);
    expect(hart.readCsr(CSR_MIP)).toBe(2n);
  });

  it('SSIP from the line stays until software clears it', async () => {
    const { hart } = await bareMachine();
    hart.writeCsr(CSR_MIDELEG, 0x222n);
    hart.setInterrupt(1, true);
    expect(hart.readCsr(CSR_SIP)).toBe(2n);
    hart.writeCsr(CSR_SIP, 0n);
    expect(hart.readCsr(CSR_SIP)).toBe(0n);
  });

  it('sie and sip show delegated bits alone; sip writes SSIP alone', async () => {
    const { hart } = await bareMachine();
    hart.writeCsr(CSR_MIDELEG, 0x2n);
    hart.writeCsr(CSR_MIE, 0xaaan);
    expect(hart.readCsr(CSR_SIE)).toBe(2n);
    hart.writeCsr(CSR_SIP, 0x222n);
    expect(hart.readCsr(CSR_MIP)).toBe(2n);
    hart.writeCsr(CSR_SIE, 0n);
    expect(hart.readCsr(CSR_MIE)).toBe(0xaa8n);
  });
});

describe('WFI (privileged 3.3.3)', () => {
  it('retires, then waits until an enabled interrupt is pending, whatever the global enable', async () => {
    const machine = await bareMachine();
    const { hart } = machine;
    machine.load(RAM_BASE, [asm.wfi(), asm.addi('a0', 'a0', 1)]);
    hart.writeCsr(CSR_MIE, 0x80n);
    expect(hart.run(100)).toBe(1);
    expect([hart.exit, hart.waiting, hart.interruptPending]).toEqual(['wfi', true, false]);
    expect(hart.run(100)).toBe(0);
    hart.setInterrupt(3, true);
    expect(hart.run(100)).toBe(0);
    hart.setInterrupt(7, true);
    expect(hart.interruptPending).toBe(true);
    expect(hart.run(1)).toBe(1);
    expect(hart.readX(10)).toBe(1n);
  });

  it('does not wait when one is pending already', async () => {
    const machine = await bareMachine();
    machine.load(RAM_BASE, [asm.wfi(), asm.addi('a0', 'a0', 1)]);
    machine.hart.writeCsr(CSR_MIE, 0x80n);
    machine.hart.setInterrupt(7, true);
    expect(machine.hart.run(2)).toBe(2);
    expect(machine.hart.exit).toBe('budget');
  });

  it('an interrupt after it has the address of the next instruction', async () => {
    const machine = await spinning();
    const { hart } = machine;
    machine.load(RAM_BASE, [asm.wfi()]);
    hart.writeCsr(CSR_MSTATUS, MIE);
    hart.run(10);
    hart.setInterrupt(11, true);
    hart.run(1);
    expect(hart.readCsr(CSR_MEPC)).toBe(BigInt(RAM_BASE) + 4n);
    expect(hart.readCsr(CSR_SSTATUS) & SIE).toBe(0n);
  });
});
