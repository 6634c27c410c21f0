import type { FunctionMaker } from './random-functions.js';
import { randomAccess, randomAtomic, ROLE, WORK } from './random-instructions.js';
import { DEVICE, PLACE, VIRTUAL } from './random-layout.js';

/** Tables in the pages of constants, by offset. */
export const CONSTANTS = {
  /** Instructions for slots of 4 bytes and of 2. */
  words: 0,
  halves: 0x200,
  satps: 0x400,
  /** Pairs of an address of a page-table entry and a value for it. */
  entries: 0x800,
  /** Offsets of functions from the main loop, for each piece of code. */
  functions: 0x1000,
} as const;
export const SLOT_ENTRIES = 64;
export const PAGE_TABLE_ENTRIES = 96;
export const SATP_ENTRIES = 4;

const FS = 0x6000;
const SUM = 0x4_0000;
const MXR = 0x8_0000;
const MPRV = 0x2_0000;
const TRAPS = [1 << 20, 1 << 21, 1 << 22];

type Event = (maker: FunctionMaker) => void;

const csrOps = ['csrrw', 'csrrs', 'csrrc'];
const csrImmediateOps = ['csrrwi', 'csrrsi', 'csrrci'];

/** FFLAGS, FRM and FCSR, in all the ways of writing them. */
const floatingControl: Event = ({ code, random }) => {
  const csr = random.pick(['fflags', 'fflags', 'frm', 'fcsr']);
  const value = random.below(csr === 'fflags' ? 32 : 5);
  if (random.below(2) === 0) {
    code.op(random.pick(csrImmediateOps), random.pick(WORK), csr, value);
    return;
  }
  const register = random.pick(WORK);
  code.li(register, csr === 'fcsr' ? (value << 5) | random.below(32) : value);
  code.op(random.pick(csrOps), random.pick(WORK), csr, register);
};

/** Bits of mstatus or sstatus that software switches while it runs. */
const status: Event = ({ code, random }) => {
  const register = random.pick(WORK);
  const bits = [FS, FS, 0x2000, 0x4000, SUM, MXR, SUM | MXR, 2, 8, MPRV, random.pick(TRAPS)];
  code.li(register, random.pick(bits));
  const csr = random.pick(['mstatus', 'sstatus']);
  // Set more often than cleared, or the program does little more than trap.
  code.op(random.below(3) === 0 ? 'csrrc' : 'csrrs', random.pick([0, ...WORK]), csr, register);
};

const READABLE = [
  'cycle',
  'instret',
  'time',
  'mcycle',
  'minstret',
  'misa',
  'mhartid',
  'mip',
  'sip',
  'sstatus',
];
READABLE.push('mstatus', 'sepc', 'mepc', 'scause', 'mcause', 'stval', 'mtval', 'satp', 'stimecmp', 'tselect');

const readCsr: Event = ({ code, random }) => {
  code.op('csrrs', random.pick(WORK), random.pick(READABLE), 'zero');
};

/** What may hold any value without an end to the program's ways. */
const writeCsr: Event = ({ code, random }) => {
  const any = ['sepc', 'mepc', 'scause', 'mtval', 'stval', 'mie', 'sie', 'mideleg', 'medeleg', 'mcycle'];
  const csr = random.pick([...any, 'minstret', 'mcountinhibit', 'scounteren']);
  code.op(random.pick(csrOps), random.pick(WORK), csr, random.pick(WORK));
};

/** A timer interrupt soon, perhaps waited for; a software interrupt, or no more of it. */
const interrupts: Event = ({ code, random }) => {
  const register = random.pick(WORK);
  if (random.below(2) === 0) {
    code.op('csrrs', register, 'time', 'zero');
    code.op('addi', register, register, random.below(64));
    code.op('csrrw', 'zero', 'stimecmp', register);
    if (random.below(2) === 0) code.op('wfi');
  } else code.op(random.pick(['csrrsi', 'csrrci']), random.pick(WORK), random.pick(['sip', 'mip']), 2);
};

/** Another address space, with or without a fence. */
const addressSpace: Event = (maker) => {
  const { code, random } = maker;
  code.li(ROLE.pointer, PLACE.constants + CONSTANTS.satps + 8 * random.below(SATP_ENTRIES));
  const register = random.pick(WORK);
  code.op('ld', register, 0, ROLE.pointer);
  code.op('csrrw', 'zero', 'satp', register);
  if (random.below(2) === 0) fence(maker);
};

/** SFENCE.VMA with any of its operands. */
const fence: Event = ({ code, random }) => {
  const address = random.pick(WORK);
  const space = random.pick(WORK);
  const kind = random.below(5);
  if (kind === 1 || kind === 3) code.li(address, random.pick(Object.values(VIRTUAL)));
  if (kind >= 2) code.li(space, 1 + random.below(3));
  const operands = [
    [0, 0],
    [address, 0],
    [0, space],
    [address, space],
    [random.pick(WORK), space],
  ][kind];
  code.op('sfence.vma', ...operands);
};

/** A page-table entry becomes another one; mostly a fence follows. */
const remap: Event = (maker) => {
  const { code, random } = maker;
  const [entry, value] = [random.pick(WORK), random.pick(WORK)];
  code.li(ROLE.pointer, PLACE.constants + CONSTANTS.entries + 16 * random.below(PAGE_TABLE_ENTRIES));
  code.op('ld', value, 8, ROLE.pointer);
  code.op('ld', entry, 0, ROLE.pointer);
  if (entry !== value) code.op('sd', value, 0, entry);
  if (random.below(6) !== 0) fence(maker);
  if (random.below(2) === 0) callRemapped(maker);
};

/** A call of the code that lies now in one page, now in another. */
const callRemapped: Event = ({ code, random }) => {
  const register = random.pick(WORK);
  code.li(register, random.pick([VIRTUAL.supervisorRemapped, VIRTUAL.userRemapped]));
  code.op('jalr', 'ra', 0, register);
};

/** Loads and stores of device registers; some have the device act. */
const device: Event = ({ code, random }) => {
  code.li(ROLE.pointer, PLACE.device);
  const register = random.pick(WORK);
  switch (random.below(8)) {
    case 0:
      code.li(register, random.pick([1, 3, 7, 9, 11]));
      code.op('sw', register, DEVICE.raise, ROLE.pointer);
      break;
    case 1:
      code.op('sw', random.pick(WORK), DEVICE.dma, ROLE.pointer);
      break;
    case 2:
      code.op('andi', register, random.pick(WORK), 0x3ff);
      code.op('sw', register, DEVICE.timer, ROLE.pointer);
      break;
    case 3:
      code.op('sw', register, DEVICE.stop, ROLE.pointer);
      break;
    case 4:
      code.words(randomAccess(random, ROLE.pointer, 64));
      break;
    case 5:
      if (random.below(4) === 0) code.words(randomAtomic(random, ROLE.pointer));
      break;
    default:
      code.op(random.pick(['lw', 'lwu', 'ld', 'lhu', 'lb']), register, random.below(8) * 8, ROLE.pointer);
  }
};

/** What traps wherever it stands, or in some of the modes. */
const trap: Event = ({ code, random }) => {
  const kind = random.below(12);
  if (kind < 1) code.op('ecall');
  else if (kind < 3) code.op('ebreak');
  else if (kind < 5)
    code.half(0x9002); // c.ebreak
  else if (kind < 6)
    code.half(0x8000); // reserved
  else if (kind < 7) code.words((random.u32() | 3) >>> 0);
  else if (kind < 8) code.op('mret');
  else if (kind < 9) code.op('sret');
  else if (kind < 10) code.op('wfi');
  else {
    code.li(ROLE.pointer, random.pick([0, 0x4000_0000, 0x7fff_fffc, 0x8040_0000, 0x4000_0000_0000n, -8]));
    code.words(randomAccess(random, ROLE.pointer));
  }
};

/** Code that is overwritten. */
const patch: Event = (maker) => {
  maker.patch({ 2: CONSTANTS.halves, 4: CONSTANTS.words }, SLOT_ENTRIES);
};

const EVENTS: readonly (readonly [weight: number, event: Event])[] = [
  [10, floatingControl],
  [6, status],
  [6, readCsr],
  [3, writeCsr],
  [3, interrupts],
  [2, addressSpace],
  [3, fence],
  [6, remap],
  [2, callRemapped],
  [12, device],
  [10, trap],
  [12, patch],
];
const WEIGHT = EVENTS.reduce((sum, [weight]) => sum + weight, 0);

/** One of the things that seldom happen. */
export function rareEvent(maker: FunctionMaker): void {
  let at = maker.random.below(WEIGHT);
  for (const [weight, event] of EVENTS) {
    if ((at -= weight) < 0) return event(maker);
  }
}
