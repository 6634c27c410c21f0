import * as csr from '@vmloom/riscv';
import type { Hart } from '@vmloom/riscv';

// Register numbers of GDB's RISC-V target.
const PC = 32;
const F0 = 33;
const CSR0 = 65;
const PRIVILEGE = CSR0 + 4096;

const X_NAMES =
  'zero ra sp gp tp t0 t1 t2 fp s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(
    ' ',
  );
const F_NAMES =
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'.split(
    ' ',
  );

/** Kept in 32 bits, where all others have 64. */
const FLOAT_CSRS: ReadonlyMap<number, string> = new Map([
  [csr.CSR_FFLAGS, 'fflags'],
  [csr.CSR_FRM, 'frm'],
  [csr.CSR_FCSR, 'fcsr'],
]);

const CSRS: ReadonlyMap<number, string> = new Map([
  [csr.CSR_SSTATUS, 'sstatus'],
  [csr.CSR_SIE, 'sie'],
  [csr.CSR_STVEC, 'stvec'],
  [csr.CSR_SCOUNTEREN, 'scounteren'],
  [csr.CSR_SENVCFG, 'senvcfg'],
  [csr.CSR_SSCRATCH, 'sscratch'],
  [csr.CSR_SEPC, 'sepc'],
  [csr.CSR_SCAUSE, 'scause'],
  [csr.CSR_STVAL, 'stval'],
  [csr.CSR_SIP, 'sip'],
  [csr.CSR_STIMECMP, 'stimecmp'],
  [csr.CSR_SATP, 'satp'],
  [csr.CSR_MSTATUS, 'mstatus'],
  [csr.CSR_MISA, 'misa'],
  [csr.CSR_MEDELEG, 'medeleg'],
  [csr.CSR_MIDELEG, 'mideleg'],
  [csr.CSR_MIE, 'mie'],
  [csr.CSR_MTVEC, 'mtvec'],
  [csr.CSR_MCOUNTEREN, 'mcounteren'],
  [csr.CSR_MENVCFG, 'menvcfg'],
  [csr.CSR_MCOUNTINHIBIT, 'mcountinhibit'],
  [csr.CSR_MSCRATCH, 'mscratch'],
  [csr.CSR_MEPC, 'mepc'],
  [csr.CSR_MCAUSE, 'mcause'],
  [csr.CSR_MTVAL, 'mtval'],
  [csr.CSR_MIP, 'mip'],
  [csr.CSR_PMPCFG0, 'pmpcfg0'],
  [csr.CSR_PMPCFG2, 'pmpcfg2'],
  ...Array.from({ length: 16 }, (_, index): [number, string] => [
    csr.CSR_PMPADDR0 + index,
    `pmpaddr${index}`,
  ]),
  [csr.CSR_MCYCLE, 'mcycle'],
  [csr.CSR_MINSTRET, 'minstret'],
  [csr.CSR_CYCLE, 'cycle'],
  [csr.CSR_TIME, 'time'],
  [csr.CSR_INSTRET, 'instret'],
  [csr.CSR_MVENDORID, 'mvendorid'],
  [csr.CSR_MARCHID, 'marchid'],
  [csr.CSR_MIMPID, 'mimpid'],
  [csr.CSR_MHARTID, 'mhartid'],
]);

/** Bytes of a register; undefined for a number that the description has not. */
export function registerSize(register: number): number | undefined {
  if (register >= 0 && register < CSR0) return 8;
  if (register === PRIVILEGE || CSRS.has(register - CSR0)) return 8;
  return FLOAT_CSRS.has(register - CSR0) ? 4 : undefined;
}

/** Unsigned; undefined for a register that the hart has not. */
export function readRegister(hart: Hart, register: number): bigint | undefined {
  if (registerSize(register) === undefined) return undefined;
  if (register < PC) return hart.readX(register);
  if (register === PC) return hart.pc;
  if (register < CSR0) return hart.readF(register - F0);
  if (register === PRIVILEGE) return BigInt(hart.privilege);
  return attempt(() => hart.readCsr(register - CSR0));
}

/** CSRs keep to legal values as in M-mode's writes. False for what cannot be written. */
export function writeRegister(hart: Hart, register: number, value: bigint): boolean {
  if (registerSize(register) === undefined) return false;
  if (register < PC) hart.writeX(register, value);
  else if (register === PC) hart.pc = value;
  else if (register < CSR0) hart.writeF(register - F0, value);
  else if (register === PRIVILEGE) return writePrivilege(hart, value);
  else {
    return (
      attempt(() => {
        hart.writeCsr(register - CSR0, value);
        hart.flushTlb();
        return true;
      }) ?? false
    );
  }
  return true;
}

function writePrivilege(hart: Hart, value: bigint): boolean {
  if (value !== 0n && value !== 1n && value !== 3n) return false;
  hart.privilege = value === 0n ? 0 : value === 1n ? 1 : 3;
  return true;
}

/** A CSR that is not there, or is read-only, is no fault of the program. */
function attempt<Value>(act: () => Value): Value | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof csr.RiscvError) return undefined;
    throw error;
  }
}

const line = (name: string, register: number, type: string, bits = 64): string =>
  `<reg name="${name}" bitsize="${bits}" regnum="${register}" type="${type}"/>`;

function feature(name: string, lines: readonly string[]): string {
  return [`<feature name="org.gnu.gdb.riscv.${name}">`, ...lines, '</feature>'].join('\n');
}

function integerType(index: number): string {
  if (index === 1) return 'code_ptr';
  return index >= 2 && index <= 4 ? 'data_ptr' : 'int';
}

/** `target.xml`: the features cpu, fpu, csr and virtual of GDB's RISC-V targets (GDB manual, G.5.13). */
export function targetDescription(): string {
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE target SYSTEM "gdb-target.dtd">',
    '<target version="1.0">',
    '<architecture>riscv:rv64</architecture>',
    feature('cpu', [
      ...X_NAMES.map((name, index) => line(name, index, integerType(index))),
      line('pc', PC, 'code_ptr'),
    ]),
    feature('fpu', [
      '<union id="riscv_double">',
      '<field name="float" type="ieee_single"/>',
      '<field name="double" type="ieee_double"/>',
      '</union>',
      ...F_NAMES.map((name, index) => line(name, F0 + index, 'riscv_double')),
      ...[...FLOAT_CSRS].map(([number, name]) => line(name, CSR0 + number, 'int', 32)),
    ]),
    feature(
      'csr',
      [...CSRS].map(([number, name]) => line(name, CSR0 + number, 'int')),
    ),
    feature('virtual', [line('priv', PRIVILEGE, 'int')]),
    '</target>',
    '',
  ].join('\n');
}
