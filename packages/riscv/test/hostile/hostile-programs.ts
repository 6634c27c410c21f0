import { CodeBuilder, Label } from '../../src/testing/code-builder.js';
import { asm, assemble, li, RAM_BASE, type Random } from '../../src/testing/index.js';
import { randomPlain, ROLE, WORK } from '../../src/testing/random-instructions.js';

/** Programs that a compiler would rather not meet. Each ends in WFI, with what it computed in all work registers. */

export interface HostileProgram {
  readonly name: string;
  /** At the start of RAM. */
  readonly image: Uint8Array;
  readonly ram: number;
  /** Instructions to its end, at most. */
  readonly instructions: number;
}

const PAGE = 4096;
const JUMP = 4;
/** Bytes of a page that a group of blocks leaves for its counters and the way to the next one. */
const GROUP_SLACK = 96;
const BLOCK_WORDS = [2, 3, 4, 5];
const AROUND = 2;

function shuffled<T>(list: T[], random: Random): T[] {
  for (let at = list.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [list[at], list[other]] = [list[other], list[at]];
  }
  return list;
}

/** Every work register starts with something. */
function begin(code: CodeBuilder, random: Random): void {
  for (const register of WORK) code.li(register, random.below(1 << 20));
}

/** A page of blocks, all different, in a ring: its words and how many blocks there are. */
function blockPage(random: Random, most: number, rounds: number): { words: Uint8Array; blocks: number } {
  const code = new CodeBuilder();
  code.li(ROLE.innerCount, rounds);
  const top = code.place(new Label());
  const sizes: number[] = [];
  for (let room = PAGE - GROUP_SLACK; sizes.length < most;) {
    const words = random.pick(BLOCK_WORDS);
    room -= (words + 1) * JUMP;
    if (room < 0) break;
    sizes.push(words);
  }
  const labels = sizes.map(() => new Label());
  const last = new Label();
  const order = shuffled([...labels], random);
  const next = new Map(order.map((label, place) => [label, order[place + 1] ?? last]));
  code.jal('zero', order[0]);
  sizes.forEach((words, index) => {
    code.place(labels[index]);
    for (let word = 0; word < words; word++) code.words(randomPlain(random, 0));
    code.jal('zero', next.get(labels[index])!);
  });
  code.place(last);
  code.op('addi', ROLE.innerCount, ROLE.innerCount, -1);
  code.branch('bne', ROLE.innerCount, 'zero', top);
  const end = new Label();
  code.jal('zero', end);
  code.align(PAGE, 0);
  code.place(end);
  return { words: code.build(), blocks: sizes.length };
}

/**
 * `count` different blocks of a few instructions. Those of a page are run in a random order, `rounds` times; then
 * those of the next page; all of it twice.
 */
export function manyBlocks(random: Random, count: number, rounds: number): HostileProgram {
  const code = new CodeBuilder();
  begin(code, random);
  code.li(ROLE.outerCount, AROUND);
  code.align(PAGE);
  const pages = [code.build()];
  for (let left = count; left > 0;) {
    const { words, blocks } = blockPage(random, left, rounds);
    pages.push(words);
    left -= blocks;
  }
  const start = li(ROLE.pointer, RAM_BASE + PAGE);
  pages.push(
    words([
      asm.addi(ROLE.outerCount, ROLE.outerCount, -1),
      asm.beq(ROLE.outerCount, 'zero', 4 * (start.length + 2)),
      ...start,
      asm.jalr('zero', 0, ROLE.pointer),
      asm.wfi(),
    ]),
  );
  const image = new Uint8Array(pages.reduce((sum, { length }) => sum + length, 0));
  pages.reduce((at, page) => (image.set(page, at), at + page.length), 0);
  return finished('many blocks', image, (AROUND * rounds * (pages.length * PAGE)) / 4);
}

/** A short piece of code in each of `pages` pages, one after the other in a random order, `rounds` times. */
export function everyPage(random: Random, pages: number, rounds: number): HostileProgram {
  const image = new Uint8Array((pages + 1) * PAGE);
  const places = Array.from(
    { length: pages },
    (_, page) => (page + 1) * PAGE + 4 * random.below(PAGE / 4 - 24),
  );
  const order = shuffled([...places], random);
  const jumpTo = (place: number): number[] => [
    ...li(ROLE.pointer, RAM_BASE + place),
    asm.jalr('zero', 0, ROLE.pointer),
  ];
  const prelude = new CodeBuilder();
  begin(prelude, random);
  prelude.li(ROLE.innerCount, rounds);
  const top = prelude.size;
  prelude.words(...jumpTo(order[0]));
  const last = prelude.size;
  prelude.op('addi', ROLE.innerCount, ROLE.innerCount, -1);
  prelude.op('bne', ROLE.innerCount, 'zero', top - last - 4);
  prelude.op('wfi');
  image.set(prelude.build());
  let instructions = 8;
  order.forEach((place, index) => {
    const body = Array.from({ length: 1 + random.below(5) }, () => randomPlain(random, 0));
    const code = [...body, ...jumpTo(order[index + 1] ?? last)];
    image.set(words(code), place);
    instructions += code.length;
  });
  return finished('every page', image, (rounds + 1) * instructions);
}

/**
 * Writes an instruction that never was before and runs it `calls` times, `rounds` times over: into the loop's own page, another one, and
 * in turn one of many.
 */
export function codeWriter(random: Random, rounds: number, calls: number): HostileProgram {
  const code = new CodeBuilder();
  begin(code, random);
  const [own, near, many] = [new Label(), new Label(), new Label()];
  const [word, place, link] = ['t0', 't1', 't2'];
  code.li(ROLE.innerCount, rounds);
  const top = code.place(new Label());
  for (const target of [own, near, many]) {
    code.la(place, target);
    if (target === many) {
      code.op('andi', 't3', ROLE.innerCount, 31);
      code.op('slli', 't3', 't3', 12);
      code.op('add', place, place, 't3');
    }
    // addi a0, a0, and the counter's low bits.
    code.op('slli', word, ROLE.innerCount, 20);
    code.op('addi', word, word, assemble('addi', 'a0', 'a0', 0) & 0x7ff);
    code.li('t3', (assemble('addi', 'a0', 'a0', 0) >>> 11) << 11);
    code.op('or', word, word, 't3');
    code.op('sw', word, 0, place);
    code.li(ROLE.outerCount, calls);
    const again = code.place(new Label());
    code.op('jalr', link, 0, place);
    code.op('slli', 'a1', 'a0', 7);
    code.op('xor', 'a0', 'a0', 'a1');
    code.op('addi', ROLE.outerCount, ROLE.outerCount, -1);
    code.branch('bne', ROLE.outerCount, 'zero', again);
  }
  code.op('addi', ROLE.innerCount, ROLE.innerCount, -1);
  code.branch('bne', ROLE.innerCount, 'zero', top);
  code.op('wfi');
  const callee = [asm.addi('a0', 'a0', 0), asm.addi('a2', 'a2', 1), asm.jalr('zero', 0, link)];
  code.place(own);
  code.words(...callee);
  code.align(PAGE, 0);
  code.place(near);
  code.words(...callee);
  code.align(PAGE, 0);
  code.place(many);
  for (let page = 0; page < 32; page++) {
    code.words(...callee);
    code.align(PAGE, 0);
  }
  return finished('code writer', code.build(), rounds * (100 + 30 * calls));
}

/** Writes functions with a loop over its own oldest ones, page after page, and calls each: what an engine in the guest does. */
export function codeMaker(random: Random, functions: number, loops: number): HostileProgram {
  const PAGES = 64;
  const BODY = 8;
  const code = new CodeBuilder();
  begin(code, random);
  const [room, template] = [new Label(), new Label()];
  code.li(ROLE.outerCount, functions);
  const top = code.place(new Label());
  code.la('t1', room);
  code.li('t3', PAGES * 16 - 1);
  code.op('and', 't3', 't3', ROLE.outerCount);
  code.op('slli', 't3', 't3', 8);
  code.op('add', 't1', 't1', 't3');
  code.op('addi', 'a5', 't1', 0);
  code.la('t2', template);
  code.li(ROLE.innerCount, BODY);
  const copy = code.place(new Label());
  // Every word of the body gets a new immediate.
  code.op('slli', 'a3', 'a3', 5);
  code.op('xor', 'a3', 'a3', ROLE.outerCount);
  code.op('add', 'a3', 'a3', ROLE.innerCount);
  code.op('slli', 't4', 'a3', 20);
  code.op('lw', 't5', 0, 't2');
  code.op('or', 't4', 't4', 't5');
  code.op('sw', 't4', 0, 'a5');
  code.op('addi', 'a5', 'a5', 4);
  code.op('addi', 't2', 't2', 4);
  code.op('addi', ROLE.innerCount, ROLE.innerCount, -1);
  code.branch('bne', ROLE.innerCount, 'zero', copy);
  for (let word = 0; word < 3; word++) {
    code.op('lw', 't4', word * 4, 't2');
    code.op('sw', 't4', word * 4, 'a5');
  }
  code.op('fence.i');
  code.li(ROLE.innerCount, loops);
  code.op('jalr', 'ra', 0, 't1');
  code.op('addi', ROLE.outerCount, ROLE.outerCount, -1);
  code.branch('bne', ROLE.outerCount, 'zero', top);
  code.op('wfi');
  code.place(template);
  for (let word = 0; word < BODY; word++)
    code.words(assemble(random.pick(['addi', 'xori', 'addiw']), 'a0', 'a0', 0));
  code.op('addi', ROLE.innerCount, ROLE.innerCount, -1);
  code.words(assemble('bne', ROLE.innerCount, 'zero', -4 * (BODY + 1)), asm.jalr('zero', 0, 'ra'));
  code.align(PAGE, 0);
  code.place(room);
  for (let page = 0; page < PAGES; page++) {
    code.words(0);
    code.align(PAGE, 0);
  }
  return finished('code maker', code.build(), functions * (loops * (BODY + 2) + 200));
}

function words(list: readonly number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(list).buffer);
}

function finished(name: string, image: Uint8Array, instructions: number): HostileProgram {
  // Whole MiB, and one more.
  const ram = (Math.ceil(image.length / 2 ** 20) + 1) * 2 ** 20;
  return { name, image, ram, instructions: instructions + 1000 };
}
