import { CSR_MIREG, CSR_MISELECT, CSR_SIREG, CSR_SISELECT } from '../csr-numbers.js';
import type { Privilege } from '../hart.js';
import { asm } from './assembler.js';
import { RAM_BASE, type BareMachine } from './bare-machine.js';
import { FakeImsic } from './fake-imsic.js';
import { catchingMachine, runToTrap } from './trap-catcher.js';

const ILLEGAL_INSTRUCTION = 2n;

/** A bare machine with Smaia and Ssaia and, unless told, an IMSIC that only remembers. */
export interface AiaMachine extends BareMachine {
  readonly imsic: FakeImsic;
  /** A read (`csrrs rd, csr, x0`) or write in a mode: the value, or `illegal`. */
  access(csr: number, privilege: Privilege, value?: bigint): bigint | 'illegal';
  indirect(csr: 'mi' | 'si', select: number, value?: bigint): bigint | 'illegal';
}

export async function aiaMachine(options: { aia?: boolean; imsic?: boolean } = {}): Promise<AiaMachine> {
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
    if (trap.cause !== ILLEGAL_INSTRUCTION) throw new Error(`cause ${trap.cause}`);
    return 'illegal';
  };
  const indirect = (csr: 'mi' | 'si', select: number, value?: bigint): bigint | 'illegal' => {
    const [number, register] = csr === 'mi' ? [CSR_MISELECT, CSR_MIREG] : [CSR_SISELECT, CSR_SIREG];
    hart.writeCsr(number, BigInt(select));
    return access(register, csr === 'mi' ? 3 : 1, value);
  };
  return { ...machine, imsic, access, indirect };
}
