import { CSR_MCAUSE, CSR_MEPC, CSR_MTVAL, CSR_MTVEC, CSR_PMPADDR0, CSR_PMPCFG0 } from '../csr-numbers.js';
import { asm } from './assembler.js';
import { bareMachine, RAM_BASE, type BareMachine, type BareOptions } from './bare-machine.js';

/** Where a catching machine's M-mode handler lies: an EBREAK that ends run(). */
export const HANDLER = RAM_BASE + 0xf000;

export interface CaughtTrap {
  readonly cause: bigint;
  readonly epc: bigint;
  readonly value: bigint;
}

/** A bare machine whose traps to M-mode end run(), with PMP open for all modes. */
export async function catchingMachine(options: BareOptions = {}): Promise<BareMachine> {
  const machine = await bareMachine({ ...options, hart: { ebreakExits: true, ...options.hart } });
  machine.load(HANDLER, [asm.ebreak()]);
  for (const hart of machine.harts) {
    hart.writeCsr(CSR_MTVEC, BigInt(HANDLER));
    hart.writeCsr(CSR_PMPADDR0, (1n << 54n) - 1n);
    hart.writeCsr(CSR_PMPCFG0, 0x1fn);
  }
  return machine;
}

/** Runs until a trap is taken to M-mode; undefined when `count` instructions retire without one. */
export function runToTrap({ hart }: BareMachine, count = 1000): CaughtTrap | undefined {
  hart.run(count);
  if (hart.exit !== 'breakpoint' || hart.pc !== BigInt(HANDLER)) return undefined;
  return { cause: hart.readCsr(CSR_MCAUSE), epc: hart.readCsr(CSR_MEPC), value: hart.readCsr(CSR_MTVAL) };
}
