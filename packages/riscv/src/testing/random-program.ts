import { li } from './assembler.js';
import { CodeBuilder, Label } from './code-builder.js';
import { CONSTANTS, SATP_ENTRIES, SLOT_ENTRIES } from './random-events.js';
import { FunctionMaker, type PatchSlot } from './random-functions.js';
import { randomCompressed, randomPlain, WORK } from './random-instructions.js';
import {
  CODE_PAGES,
  CONSTANT_PAGES,
  kernelAddress,
  PLACE,
  REMAPPED_PAGES,
  VIRTUAL,
} from './random-layout.js';
import { CONTEXTS, SATPS, trapHandler, xorshift } from './random-traps.js';
import { Random } from './random.js';
import { assemble } from './assembler.js';

/** A piece of code at physical addresses, which may be in pages that do not follow each other. */
export interface CodeImage {
  readonly bytes: Uint8Array;
  /** Physical addresses of its pages, in their order. */
  readonly pages: readonly number[];
}

/** What does not depend on a machine: the same for the same seed. */
export interface RandomProgram {
  readonly seed: number;
  readonly images: readonly CodeImage[];
  /** Pages of the piece of code that lies scattered in RAM. */
  readonly scattered: readonly number[];
  /** For every second one of them a page that differs from it in a few instructions. */
  readonly twins: readonly (number | undefined)[];
  readonly constants: Uint8Array;
  /** Physical addresses of the half-words of each instruction that may be overwritten. */
  readonly slots: readonly (readonly number[])[];
  /** Physical addresses of functions. */
  readonly functions: readonly number[];
  readonly satps: readonly bigint[];
}

const PAGE = 4096;
const CODE_BYTES = CODE_PAGES * PAGE;
/** Room for the last function of an image. */
const SLACK = 6 * 1024;
const FUNCTIONS = 16;
const MASKS = [0xfff8, 0x3ff8, 0xff8];
const JUMP_OVER = 8;
const SHORT_JUMP_OVER = 0xa019; // c.j 6

/** Machine-mode code, handlers and tables: everything of a program but its page tables. */
export function randomProgram(seed: number, satps: readonly bigint[]): RandomProgram {
  const random = new Random(Math.imul(seed + 1, 0x9e37_79b9));
  const constants = new Uint8Array(CONSTANT_PAGES * PAGE);
  const view = new DataView(constants.buffer);
  for (let at = 0; at < SLOT_ENTRIES; at++) {
    view.setUint32(CONSTANTS.words + at * 4, slotWord(random), true);
    view.setUint16(CONSTANTS.halves + at * 2, slotHalf(random), true);
  }
  for (let at = 0; at < SATP_ENTRIES; at++) view.setBigUint64(CONSTANTS.satps + at * 8, satps[at], true);
  const images: CodeImage[] = [handlerImage('m', satps), handlerImage('s', satps)];
  const slots: number[][] = [];
  const functions: number[] = [];
  const places = shuffled(pagesFrom(PLACE.scattered, 4 * CODE_PAGES), random);
  const scattered = places.splice(0, CODE_PAGES);
  const twins = scattered.map((_, index) => (index % 2 === 1 ? places.pop() : undefined));
  for (const [index, pages] of [pagesFrom(PLACE.contiguous, CODE_PAGES), scattered].entries()) {
    const { code, main, maker } = codeImage(random, index);
    const bytes = code.build();
    images.push({ bytes, pages });
    const at = (offset: number): number => pages[Math.floor(offset / PAGE)] + (offset % PAGE);
    maker.callees.forEach(({ entry }, number) => {
      functions.push(at(entry.at!));
      view.setUint32(functionTable(index) + number * 4, entry.at! - main.at!, true);
    });
    slots.push(...maker.slots.map((slot) => slotHalves(slot).map(at)));
    if (pages === scattered) images.push(...twinImages(bytes, twins, maker.slots, random));
  }
  for (const page of pagesFrom(PLACE.remapped, REMAPPED_PAGES)) {
    images.push({ bytes: remappedPage(random), pages: [page] });
  }
  return { seed, images, scattered, twins, constants, slots, functions, satps };
}

const functionTable = (image: number): number => CONSTANTS.functions + image * 0x100;

const slotHalves = ({ label, bytes }: PatchSlot): number[] =>
  bytes === 2 ? [label.at!] : [label.at!, label.at! + 2];

function pagesFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index * PAGE);
}

function shuffled(list: number[], random: Random): number[] {
  for (let at = list.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [list[at], list[other]] = [list[other], list[at]];
  }
  return list;
}

/** Copies of pages of code with other instructions in their slots. */
function twinImages(
  bytes: Uint8Array,
  twins: readonly (number | undefined)[],
  slots: readonly PatchSlot[],
  random: Random,
): CodeImage[] {
  const other = bytes.slice();
  const view = new DataView(other.buffer);
  for (const { label, bytes: length } of slots) {
    if (length === 2) view.setUint16(label.at!, randomCompressed(random), true);
    else view.setUint32(label.at!, randomPlain(random), true);
  }
  return twins.flatMap((page, index) =>
    page === undefined ? [] : [{ bytes: other.slice(index * PAGE, (index + 1) * PAGE), pages: [page] }],
  );
}

/** What may stand in a slot of four bytes: now and then it jumps over the next instruction, or traps. */
function slotWord(random: Random): number {
  switch (random.below(16)) {
    case 0:
      return assemble('jal', 'zero', JUMP_OVER);
    case 1:
      return assemble('beq', random.pick(WORK), random.pick(WORK), JUMP_OVER);
    case 2:
      return random.below(4) === 0
        ? random.pick([0, 0xffff_ffff, assemble('ecall'), assemble('ebreak')])
        : assemble('fence.i');
    case 3:
      return assemble('ld', random.pick(WORK), 0, 'gp');
    default:
      return randomPlain(random);
  }
}

function slotHalf(random: Random): number {
  const kind = random.below(24);
  if (kind === 0) return SHORT_JUMP_OVER;
  return kind === 1 ? 0x9002 : randomCompressed(random);
}

function handlerImage(mode: 'm' | 's', satps: readonly bigint[]): CodeImage {
  const code = trapHandler(mode).build();
  const bytes = new Uint8Array(PAGE);
  bytes.set(code);
  const view = new DataView(bytes.buffer);
  const contexts =
    mode === 'm'
      ? [
          machine(PLACE.contiguous),
          machine(PLACE.contiguous),
          ...SUPERVISOR.map(asMachine),
          ...USER.map(asMachine),
        ]
      : [...SUPERVISOR, SUPERVISOR[0], ...USER, USER[0]];
  contexts.forEach(([address, bits], index) => {
    view.setBigUint64(CONTEXTS + index * 16, address, true);
    view.setBigUint64(CONTEXTS + index * 16 + 8, bits, true);
  });
  satps.forEach((satp, index) => view.setBigUint64(SATPS + index * 8, satp, true));
  return { bytes, pages: [mode === 'm' ? PLACE.machineHandler : PLACE.supervisorHandler] };
}

type Context = readonly [address: bigint, status: bigint];
const SPP = 0x100n;
const MPP_SUPERVISOR = 0x800n;
const MPP_MACHINE = 0x1800n;
const SUPERVISOR: readonly Context[] = [
  [VIRTUAL.supervisorContiguous, SPP],
  [VIRTUAL.supervisorSuperpage, SPP],
  [VIRTUAL.supervisorScattered, SPP],
];
const USER: readonly Context[] = [
  [VIRTUAL.userContiguous, 0n],
  [VIRTUAL.userSuperpage, 0n],
  [VIRTUAL.userScattered, 0n],
];
const machine = (address: number): Context => [BigInt(address), MPP_MACHINE];
const asMachine = ([address, status]: Context): Context => [address, status === SPP ? MPP_SUPERVISOR : 0n];

/** The main loop, which calls one function after the other, and the functions. */
function codeImage(random: Random, index: number) {
  const code = new CodeBuilder();
  const main = code.place(new Label());
  code.words(...li('gp', PLACE.data + PAGE), ...li('tp', PLACE.trouble + PAGE));
  code.words(...li('s2', random.pick(MASKS)), ...li('s3', random.pick(MASKS) | 7));
  const loop = code.place(new Label());
  code.li('a4', PLACE.state);
  code.op('ld', 'a0', 0, 'a4');
  xorshift(code, 'a0', 'a1');
  code.op('sd', 'a0', 0, 'a4');
  code.op('andi', 'a1', 'a0', (FUNCTIONS - 1) * 4);
  code.li('a2', PLACE.constants + functionTable(index));
  code.op('add', 'a1', 'a1', 'a2');
  code.op('lw', 'a1', 0, 'a1');
  code.la('a2', main);
  code.op('add', 'a1', 'a1', 'a2');
  code.op('jalr', 'ra', 0, 'a1');
  code.li('a4', PLACE.state);
  code.op('ld', 'a0', 0, 'a4');
  code.op('andi', 'a0', 'a0', 0x700);
  code.branch('bne', 'a0', 'zero', loop);
  code.op('ecall');
  code.jal('zero', loop);

  const maker = new FunctionMaker(code, random, random.pick([16, 48, 128]));
  const limit = CODE_BYTES - SLACK;
  for (let number = 0; number < FUNCTIONS; number++) {
    const start = code.size;
    if (start > limit) break;
    maker.make(random.pick([60, 400, 2000, 8000]));
    // Some functions cross pages or end them exactly.
    if (random.below(6) === 0 && code.size < limit) code.align(random.pick([64, 1024, 2048]));
  }
  while (maker.callees.length < FUNCTIONS) maker.callees.push(random.pick(maker.callees));
  if (code.size > CODE_BYTES) throw new RangeError(`seed gives ${code.size} bytes of code`);
  return { code, main, maker };
}

/** One version of the page that is mapped here and there: a short loop and a return. */
function remappedPage(random: Random): Uint8Array {
  const code = new CodeBuilder();
  const maker = new FunctionMaker(code, random, 48);
  maker.plain(2 + random.below(6));
  code.li('s1', 2 + random.below(40));
  const top = code.place(new Label());
  maker.plain(2 + random.below(6));
  code.op('addi', 's1', 's1', -1);
  code.branch('bne', 's1', 'zero', top);
  code.op('jalr', 'zero', 0, 'ra');
  return code.build();
}

/** Where the handlers find their save areas and S-mode its handler. */
export const supervisorVector = kernelAddress(PLACE.supervisorHandler);
