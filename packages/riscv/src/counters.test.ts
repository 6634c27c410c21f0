import { describe, expect, it } from 'vitest';
import {
  CSR_CYCLE,
  CSR_INSTRET,
  CSR_MCOUNTEREN,
  CSR_MCOUNTINHIBIT,
  CSR_MCYCLE,
  CSR_MENVCFG,
  CSR_MIE,
  CSR_MINSTRET,
  CSR_MIP,
  CSR_MSTATUS,
  CSR_MTVEC,
  CSR_SCOUNTEREN,
  CSR_STIMECMP,
  CSR_TIME,
} from './csr-numbers.js';
import { asm, bareMachine, catchingMachine, RAM_BASE, runToTrap } from './testing/index.js';

const STCE = 1n << 63n;
const STIP = 1n << 5n;
const nop = asm.addi('zero', 'zero', 0);

describe('minstret and mcycle (privileged 3.1.10)', () => {
  it('count retired instructions; a trap retires nothing', async () => {
    const machine = await catchingMachine();
    machine.load(RAM_BASE, [nop, nop, asm.ecall()]);
    runToTrap(machine);
    expect(machine.hart.readCsr(CSR_MINSTRET)).toBe(2n);
    expect(machine.hart.readCsr(CSR_MCYCLE)).toBe(2n);
  });

  it('a read sees the instructions before it, a write is what the next instruction reads', async () => {
    const machine = await bareMachine();
    machine.load(RAM_BASE, [
      nop,
      asm.csrrs('a0', 'minstret', 'zero'),
      asm.csrrwi('zero', 'minstret', 9),
      asm.csrrs('a1', 'minstret', 'zero'),
      asm.csrrs('a2', 'instret', 'zero'),
    ]);
    machine.hart.run(5);
    expect([10, 11, 12].map((index) => machine.hart.readX(index))).toEqual([1n, 9n, 10n]);
  });

  it('mcountinhibit stops each one and lets it go on (3.1.12)', async () => {
    const machine = await bareMachine();
    machine.load(RAM_BASE, [
      nop,
      asm.csrrwi('zero', 'mcountinhibit', 4),
      nop,
      nop,
      asm.csrrs('a0', 'minstret', 'zero'),
      asm.csrrs('a1', 'mcycle', 'zero'),
      asm.csrrwi('zero', 'mcountinhibit', 0),
      asm.csrrs('a2', 'minstret', 'zero'),
    ]);
    machine.hart.run(8);
    expect([10, 11, 12].map((index) => machine.hart.readX(index))).toEqual([2n, 5n, 2n]);
    machine.hart.writeCsr(CSR_MCOUNTINHIBIT, 0xffff_ffffn);
    expect(machine.hart.readCsr(CSR_MCOUNTINHIBIT)).toBe(5n);
  });

  it('mcounteren and scounteren let lower modes read (3.1.11, 4.1.5)', async () => {
    const attempt = async (
      privilege: 0 | 1,
      machineBits: bigint,
      supervisorBits: bigint,
    ): Promise<boolean> => {
      const machine = await catchingMachine();
      machine.load(RAM_BASE, [asm.csrrs('a0', CSR_INSTRET, 'zero')]);
      machine.hart.writeCsr(CSR_MCOUNTEREN, machineBits);
      machine.hart.writeCsr(CSR_SCOUNTEREN, supervisorBits);
      machine.hart.privilege = privilege;
      return runToTrap(machine, 1) === undefined;
    };
    expect(await attempt(1, 4n, 0n)).toBe(true);
    expect(await attempt(1, 3n, 7n)).toBe(false);
    expect(await attempt(0, 4n, 0n)).toBe(false);
    expect(await attempt(0, 4n, 4n)).toBe(true);
    expect(await attempt(0, 0n, 4n)).toBe(false);
  });

  it('performance counters 3 to 31 exist in M-mode and are zero', async () => {
    const { hart } = await bareMachine();
    for (const csr of [0xb03, 0xb1f, 0x323, 0x33f, 0xc03, 0xc1f]) expect(hart.readCsr(csr)).toBe(0n);
    hart.writeCsr(0xb03, 5n);
    expect(hart.readCsr(0xb03)).toBe(0n);
  });
});

describe('time (Zicntr 8.1)', () => {
  it('is local time in ticks of the timebase, rounded down', async () => {
    const machine = await bareMachine({ hart: { picosecondsPerInstruction: 333, timebase: 10_000_000 } });
    machine.load(RAM_BASE, [nop, asm.jal('zero', -4)]);
    machine.hart.run(1_000_001);
    expect(machine.hart.localTime).toBe(333_000);
    expect(machine.hart.readCsr(CSR_TIME)).toBe(3330n);
    expect(machine.hart.readCsr(CSR_CYCLE)).toBe(1_000_001n);
  });

  it('skipTo passes time without instructions, never backwards', async () => {
    const { hart } = await bareMachine();
    hart.skipTo(1_000_000);
    hart.skipTo(10);
    expect([hart.localTime, hart.retired]).toEqual([1_000_000, 0]);
    expect(hart.readCsr(CSR_TIME)).toBe(10_000n);
  });

  it('stays exact over fifty days of idle time', async () => {
    const { hart } = await bareMachine({ hart: { timebase: 32_768 } });
    hart.skipTo(2 ** 52);
    expect(hart.localTime).toBe(2 ** 52);
    expect(hart.readCsr(CSR_TIME)).toBe((2n ** 52n * 32_768n) / 1_000_000_000n);
  });

  it('instructionsUntil is the first boundary at or after a time', async () => {
    const machine = await bareMachine({ hart: { picosecondsPerInstruction: 700 } });
    machine.load(RAM_BASE, [nop, asm.jal('zero', -4)]);
    const { hart } = machine;
    for (const time of [1, 7, 70, 1001, 12_345]) {
      const count = hart.instructionsUntil(time);
      hart.run(count - 1);
      expect(hart.localTime).toBeLessThan(time);
      hart.run(1);
      expect(hart.localTime).toBeGreaterThanOrEqual(time);
    }
    expect(hart.instructionsUntil(0)).toBe(0);
  });
});

describe('Sstc', () => {
  const armed = async (compare: number) => {
    const machine = await bareMachine();
    machine.load(RAM_BASE, [nop, asm.jal('zero', -4)]);
    machine.hart.writeCsr(CSR_MENVCFG, STCE);
    machine.hart.writeCsr(CSR_STIMECMP, BigInt(compare));
    return machine;
  };

  it('STIP is set from the instruction at which time reaches stimecmp', async () => {
    const machine = await armed(3);
    machine.run(299);
    expect(machine.hart.readCsr(CSR_MIP) & STIP).toBe(0n);
    machine.run(1);
    machine.run(1);
    expect(machine.hart.readCsr(CSR_MIP) & STIP).toBe(STIP);
  });

  it('a deadline written inside a slice ends the slice there: the handler is entered on time', async () => {
    const machine = await bareMachine();
    const { hart } = machine;
    const handler = RAM_BASE + 0x1000;
    machine.load(RAM_BASE, [
      asm.csrrw('zero', 'stimecmp', 'a1'),
      asm.csrrsi('zero', 'mstatus', 8),
      asm.addi('a0', 'a0', 1),
      asm.jal('zero', -4),
    ]);
    machine.load(handler, [asm.csrrs('a2', 'mcycle', 'zero'), asm.jal('zero', 0)]);
    hart.writeCsr(CSR_MENVCFG, STCE);
    hart.writeCsr(CSR_MIE, STIP);
    hart.writeCsr(CSR_MTVEC, BigInt(handler));
    hart.writeX(11, 5n);
    machine.run(100_000);
    expect(hart.readX(12)).toBe(500n);
    expect(hart.readX(10)).toBe(249n);
  });

  it('a deadline in the past sets STIP at once, a later one clears it', async () => {
    const machine = await armed(0);
    expect(machine.hart.readCsr(CSR_MIP) & STIP).toBe(STIP);
    machine.hart.writeCsr(CSR_STIMECMP, 100n);
    expect(machine.hart.readCsr(CSR_MIP) & STIP).toBe(0n);
  });

  it('with STCE the bit is read-only; without it software owns it', async () => {
    const machine = await armed(1000);
    machine.hart.writeCsr(CSR_MIP, STIP);
    expect(machine.hart.readCsr(CSR_MIP) & STIP).toBe(0n);
    machine.hart.writeCsr(CSR_MENVCFG, 0n);
    machine.hart.writeCsr(CSR_MIP, STIP);
    expect(machine.hart.readCsr(CSR_MIP) & STIP).toBe(STIP);
  });

  it('an event that was replaced or switched off never comes', async () => {
    const machine = await armed(5);
    machine.hart.writeCsr(CSR_STIMECMP, 500n);
    machine.run(2000);
    expect(machine.hart.readCsr(CSR_MIP) & STIP).toBe(0n);
    machine.hart.writeCsr(CSR_MENVCFG, 0n);
    expect(machine.clock.nextEvent).toBe(Infinity);
  });

  it('wakes WFI', async () => {
    const machine = await armed(1000);
    machine.load(RAM_BASE, [asm.wfi(), asm.csrrs('a0', CSR_TIME, 'zero')]);
    machine.hart.writeCsr(CSR_MIE, STIP);
    machine.hart.writeCsr(CSR_MSTATUS, 0n);
    machine.run(2);
    expect(machine.hart.readX(10)).toBe(1000n);
  });
});
