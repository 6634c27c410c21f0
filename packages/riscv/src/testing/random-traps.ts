import { assemble } from './assembler.js';
import { CodeBuilder, Label } from './code-builder.js';
import { DEVICE, PLACE } from './random-layout.js';

/** Offsets in a save area. */
export const SAVE = { t0: 0, t1: 8, t2: 16, t6: 24, stack: 32, seed: 40 } as const;
/** Where a handler's tables begin in its page: 8 ways to go on (address, privilege bits), then 4 values of satp. */
export const CONTEXTS = 0x800;
export const SATPS = 0x880;
/** Where a hart starts: as after a trap from which the program cannot go on. */
export const RECOVER = 8;

const MPP = 0x1800;
const SPP = 0x100;
const MPIE = 0x80;
const SPIE = 0x20;
const FS_INITIAL = 0x2000;
const MPRV = 0x2_0000;
const SUM = 0x4_0000;
const MXR = 0x8_0000;
/** TVM, TW and TSR. */
const VIRTUALIZATION_TRAPS = 0x70_0000;
const FETCH_FAULTS = [0, 1, 12];
const ILLEGAL = 2;
const FIRST_ECALL = 8;
const LAST_ECALL = 11;

/** `x ^= x << 13; x ^= x >> 7; x ^= x << 17` on a register. */
export function xorshift(code: CodeBuilder, register: string, scratch: string): void {
  for (const [shift, count] of [
    ['slli', 13],
    ['srli', 7],
    ['slli', 17],
  ] as const) {
    code.op(shift, scratch, register, count);
    code.op('xor', register, register, scratch);
  }
}

/**
 * The trap handler of M-mode or S-mode. It skips what traps, whatever it is, acknowledges interrupts, switches
 * the floating-point unit on again, and answers three of four ECALLs, fetch faults and its own faults by going
 * on elsewhere, in another mode and perhaps another address space.
 */
export function trapHandler(mode: 'm' | 's'): CodeBuilder {
  const code = new CodeBuilder();
  const status = `${mode}status`;
  const scratch = `${mode}scratch`;
  const label = (): Label => new Label();
  const [entry, start, recover, skip, restore, interrupt, timer, software, end, table] = Array.from(
    { length: 10 },
    label,
  );
  const write = (csr: string, register: string): void => code.op('csrrw', 'zero', csr, register);
  const read = (register: string, csr: string): void => code.op('csrrs', register, csr, 'zero');

  code.jal('zero', entry);
  code.op('addi', 'zero', 'zero', 0);
  // At RECOVER.
  code.place(start);
  code.op('csrrw', 't6', scratch, 't6');
  write(scratch, 't6');
  code.jal('zero', recover);

  code.align(64);
  code.place(entry);
  code.op('csrrw', 't6', scratch, 't6');
  code.op('sd', 't0', SAVE.t0, 't6');
  code.op('sd', 't1', SAVE.t1, 't6');
  code.op('sd', 't2', SAVE.t2, 't6');
  read('t0', scratch);
  code.op('sd', 't0', SAVE.t6, 't6');
  write(scratch, 't6');
  if (mode === 'm') {
    // TSR would make S-mode's handler trap for ever.
    code.li('t0', VIRTUALIZATION_TRAPS);
    code.op('csrrc', 'zero', status, 't0');
  }
  read('t0', `${mode}cause`);
  code.branch('blt', 't0', 'zero', interrupt);
  read('t1', `${mode}epc`);
  // The handler's own fault, on reading the instruction that trapped.
  const foreign = label();
  code.la('t2', start);
  code.branch('bltu', 't1', 't2', foreign);
  code.la('t2', end);
  code.branch('bltu', 't1', 't2', recover);
  code.place(foreign);
  for (const cause of FETCH_FAULTS) {
    code.li('t2', cause);
    code.branch('beq', 't0', 't2', recover);
  }
  const legal = label();
  code.li('t2', ILLEGAL);
  code.branch('bne', 't0', 't2', legal);
  code.li('t2', FS_INITIAL);
  code.op('csrrs', 'zero', status, 't2');
  code.op('csrrwi', 'zero', 'frm', 0);
  code.place(legal);
  code.li('t2', FIRST_ECALL);
  code.branch('bltu', 't0', 't2', skip);
  code.li('t2', LAST_ECALL + 1);
  code.branch('bgeu', 't0', 't2', skip);
  code.op('ld', 't2', SAVE.seed, 't6');
  xorshift(code, 't2', 't0');
  code.op('sd', 't2', SAVE.seed, 't6');
  code.op('andi', 't2', 't2', 3);
  code.branch('bne', 't2', 'zero', recover);

  code.place(skip);
  read('t0', status);
  code.li('t2', mode === 'm' ? MPRV | SUM | MXR : SUM | MXR);
  code.op('csrrs', 'zero', status, 't2');
  code.op('lhu', 't2', 0, 't1');
  write(status, 't0');
  // Whoever took himself the right to reach data gets it back, or the program does little more than trap.
  if (mode === 'm') {
    code.li('t0', MPRV);
    code.op('csrrc', 'zero', status, 't0');
  }
  code.li('t0', SUM);
  code.op('csrrs', 'zero', status, 't0');
  // Beyond the end of the code.
  code.branch('beq', 't2', 'zero', recover);
  code.op('andi', 't2', 't2', 3);
  code.op('addi', 't2', 't2', -3);
  code.op('addi', 't1', 't1', 2);
  const short = label();
  code.branch('bne', 't2', 'zero', short);
  code.op('addi', 't1', 't1', 2);
  code.place(short);
  write(`${mode}epc`, 't1');

  code.place(restore);
  code.op('ld', 't0', SAVE.t0, 't6');
  code.op('ld', 't1', SAVE.t1, 't6');
  code.op('ld', 't2', SAVE.t2, 't6');
  code.op('ld', 't6', SAVE.t6, 't6');
  code.words(assemble(`${mode}ret`));

  code.place(interrupt);
  code.op('andi', 't1', 't0', 15);
  code.li('t2', 5);
  code.branch('beq', 't1', 't2', timer);
  code.li('t2', 1);
  code.branch('beq', 't1', 't2', software);
  code.li('t2', PLACE.device);
  code.op('sw', 't1', DEVICE.acknowledge, 't2');
  code.jal('zero', restore);
  code.place(timer);
  code.op('ld', 't2', SAVE.seed, 't6');
  xorshift(code, 't2', 't0');
  code.op('sd', 't2', SAVE.seed, 't6');
  code.op('andi', 't2', 't2', 0x1ff);
  read('t1', 'time');
  code.op('add', 't1', 't1', 't2');
  code.op('addi', 't1', 't1', 20);
  write('stimecmp', 't1');
  code.jal('zero', restore);
  code.place(software);
  code.op('csrrci', 'zero', `${mode}ip`, 2);
  code.jal('zero', restore);

  code.place(recover);
  code.op('ld', 't0', SAVE.seed, 't6');
  xorshift(code, 't0', 't1');
  code.op('sd', 't0', SAVE.seed, 't6');
  code.op('andi', 't1', 't0', 0x70);
  code.la('t2', table);
  code.op('add', 't2', 't2', 't1');
  code.op('ld', 't1', 0, 't2');
  write(`${mode}epc`, 't1');
  code.li('t1', mode === 'm' ? MPP | MPRV : SPP);
  code.op('csrrc', 'zero', status, 't1');
  code.op('ld', 't1', 8, 't2');
  code.op('csrrs', 'zero', status, 't1');
  code.li('t1', mode === 'm' ? MPIE | SUM : SPIE | SUM);
  code.op('csrrs', 'zero', status, 't1');
  code.op('srli', 't1', 't0', 8);
  const sameSpace = label();
  code.op('andi', 't2', 't1', 3);
  code.branch('bne', 't2', 'zero', sameSpace);
  code.op('andi', 't1', 't1', 0x18);
  code.la('t2', table);
  code.op('add', 't2', 't2', 't1');
  code.op('ld', 't1', SATPS - CONTEXTS, 't2');
  write('satp', 't1');
  code.place(sameSpace);
  code.op('ld', 'sp', SAVE.stack, 't6');
  code.jal('zero', restore);
  code.place(end);
  if (code.size > CONTEXTS) throw new RangeError('the handler reaches into its tables');
  code.align(CONTEXTS, 0);
  code.place(table);
  return code;
}
