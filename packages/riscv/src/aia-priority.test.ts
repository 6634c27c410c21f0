import { describe, expect, it } from 'vitest';
import * as N from './csr-numbers.js';
import type { InterruptBit } from './hart.js';
import { aiaMachine, asm, RAM_BASE, type BareMachine } from './testing/index.js';

const SEIP = 1n << 9n;
const ALL = 0xffff_ffff_ffff_ffffn;

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
    const machine = await aiaMachine();
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
    const machine = await aiaMachine();
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
    const machine = await aiaMachine();
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
    const machine = await aiaMachine();
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
    const machine = await aiaMachine();
    const { hart, indirect } = machine;
    hart.writeCsr(N.CSR_MIE, ALL);
    hart.setInterrupt(9, true, 1);
    hart.setInterrupt(11, true, 20);
    expect(mtopi(machine)).toEqual([11, 20]);
    indirect('mi', 0x32, 19n << 8n);
    expect(mtopi(machine)).toEqual([9, 19]);
  });

  it('AIA 5.4.1: the supervisor array orders what traps to S-mode, and the trap takes what stopi shows', async () => {
    const machine = await aiaMachine();
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
    const machine = await aiaMachine();
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
    const machine = await aiaMachine();
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
