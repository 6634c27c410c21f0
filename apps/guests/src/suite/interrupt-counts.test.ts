import { describe, expect, it } from 'vitest';
import { elsewhere, interruptLines, taken } from './interrupt-counts.js';

const BEFORE = `           CPU0       CPU1
 10:        140        144  RISC-V INTC   5 Edge      riscv-timer
 24:          3          7  PCI-MSIX-0000:00:01.0   1 Edge      virtio0-input.0
 25:          0          1  PCI-MSIX-0000:00:01.0   2 Edge      virtio0-output.0
IPI0:        35         47  Rescheduling interrupts
ERR:          0`;

describe('/proc/interrupts', () => {
  it('has a line with a count for each CPU', () => {
    expect(interruptLines(BEFORE, 2).map(({ number, counts }) => [number, counts])).toEqual([
      ['10', [140, 144]],
      ['24', [3, 7]],
      ['25', [0, 1]],
      ['IPI0', [35, 47]],
    ]);
  });

  it('between two looks, what each CPU took of an action', () => {
    const after = BEFORE.replace('3          7', '5         17').replace('0          1', '4          1');
    expect(taken(BEFORE, after, 2, 'virtio0-input')).toEqual([2, 10]);
    expect(taken(BEFORE, after, 2, 'virtio0')).toEqual([6, 10]);
    expect(taken(BEFORE, after, 2, 'virtio9')).toEqual([0, 0]);
    expect([0, 1].map((cpu) => elsewhere(BEFORE, after, 2, 'virtio0', cpu))).toEqual([10, 4]);
  });
});
