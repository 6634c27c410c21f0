import { assemble } from './assembler.js';
import { Label, type CodeBuilder } from './code-builder.js';
import type { Random } from './random.js';
import {
  immediate,
  randomAccess,
  randomAtomic,
  randomCompressed,
  randomCompressedAccess,
  randomPlain,
  ROLE,
  source,
  WORK,
} from './random-instructions.js';
import { rareEvent } from './random-events.js';
import { PLACE } from './random-layout.js';
import { immediateS } from '../operands.js';
import { findCompressed } from '../compressed.js';

/** An instruction that programs and devices overwrite with others of the same length. */
export interface PatchSlot {
  readonly label: Label;
  readonly bytes: 2 | 4;
}

/** A function that may be called, and about how many instructions that takes. */
interface Callee {
  readonly entry: Label;
  readonly cost: number;
}

const CONDITIONS = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'] as const;
const FRAME = 64;
/** Bytes of a frame that stores may hit: above lie the saved registers. */
const SCRATCH = 40;
const SAVED = [
  ['ra', 56],
  ['s0', 48],
  ['s1', 40],
] as const;
const MAX_COUNT = 600;

/**
 * Functions with loops, branches into and out of them, jump tables, calls and everything that an instruction
 * can do. Each one may call those made before it, so every call comes to its end.
 */
export class FunctionMaker {
  readonly slots: PatchSlot[] = [];
  readonly callees: Callee[] = [];
  /** Registers that count the loops around the present place. */
  readonly #counters: number[] = [];
  readonly #tables: { readonly at: Label; readonly targets: readonly Label[] }[] = [];

  constructor(
    readonly code: CodeBuilder,
    readonly random: Random,
    /** How many of 256 computing instructions are of the extensions F and D. */
    readonly float: number,
  ) {}

  /** Adds a function that takes about `budget` instructions at most. */
  make(budget: number): void {
    const { code } = this;
    const entry = code.place(new Label());
    const short = this.random.below(2) === 0;
    if (short)
      code.half(0x7139); // c.addi16sp -64
    else code.words(assemble('addi', 'sp', 'sp', -FRAME));
    for (const [register, offset] of SAVED) code.op('sd', register, offset, 'sp');
    const cost = this.block(budget, 6 + this.random.below(20));
    for (const [register, offset] of SAVED) code.op('ld', register, offset, 'sp');
    if (short)
      code.half(0x6121); // c.addi16sp 64
    else code.words(assemble('addi', 'sp', 'sp', FRAME));
    if (this.random.below(2) === 0) code.half(0x8082);
    else code.op('jalr', 'zero', 0, 'ra');
    this.#placeTables();
    this.callees.push({ entry, cost: cost + 9 });
  }

  /** Some statements; about how many instructions they take. */
  block(budget: number, statements: number): number {
    let cost = 0;
    for (let at = 0; at < statements; at++) cost += this.#statement(Math.max(1, budget - cost));
    return cost;
  }

  /** A few instructions that compute, some of which may be overwritten later. */
  plain(count: number): number {
    const { code, random } = this;
    for (let at = 0; at < count; at++) {
      if (random.below(24) === 0) this.#slot();
      else if (random.below(2) === 0) code.half(randomCompressed(random));
      else code.words(randomPlain(random, this.float));
    }
    return count;
  }

  /** The counter of the innermost loop. */
  get counter(): number | undefined {
    return this.#counters.at(-1);
  }

  #statement(budget: number): number {
    const { random } = this;
    const kind = random.below(100);
    if (kind < 30) return this.plain(1 + random.below(8));
    if (kind < 52) return this.#accesses();
    if (kind < 62) return this.#choice(budget);
    if (kind < 76) return budget < 40 || this.#counters.length === 2 ? this.plain(4) : this.#loop(budget);
    if (kind < 80) return this.#table(budget);
    if (kind < 87) return this.#call(budget);
    if (kind < 90) return this.#atomics();
    return this.#rarely();
  }

  #slot(): void {
    const { code, random } = this;
    const label = code.place(new Label());
    const bytes = random.below(3) === 0 ? 2 : 4;
    if (bytes === 2) code.half(randomCompressed(random));
    else if (random.below(3) === 0) {
      code.half(randomCompressed(random));
      code.half(randomCompressed(random));
    } else code.words(randomPlain(random, this.float));
    // What an instruction that jumps over the next one jumps over.
    code.words(randomPlain(random, this.float));
    this.slots.push({ label, bytes });
  }

  /** A pointer into one of the windows, then accesses through it; or through the stack pointer. */
  #accesses(): number {
    const { code, random } = this;
    const count = 1 + random.below(4);
    const kind = random.below(20);
    if (kind < 4) {
      for (let at = 0; at < count; at++) this.#stackAccess();
      return count;
    }
    if (kind === 4) {
      code.words(randomAccess(random, source(random)));
      return 1;
    }
    const mask = random.below(3) === 0 ? ROLE.anyMask : ROLE.alignedMask;
    const base = this.#base();
    code.op('and', ROLE.pointer, random.pick(WORK), mask);
    code.op('add', ROLE.pointer, ROLE.pointer, base);
    for (let at = 0; at < count; at++) {
      if (random.below(3) === 0) code.half(randomCompressedAccess(random, 'pointer'));
      else code.words(randomAccess(random, ROLE.pointer));
    }
    return count + 2;
  }

  /** In loops the window that faults is used seldom: a hot loop that traps at each turn is not hot. */
  #base(): number {
    const often = this.#counters.length === 0 ? 12 : 60;
    return this.random.below(often) === 0 ? ROLE.trouble : ROLE.data;
  }

  #stackAccess(): void {
    const { code, random } = this;
    if (random.below(2) === 0) return code.words(randomAccess(random, ROLE.stack, SCRATCH - 7));
    for (;;) {
      const half = randomCompressedAccess(random, 'stack');
      const { mnemonic, expand } = findCompressed(half)!;
      const stores = /^c\.f?s/.test(mnemonic);
      if (!stores || immediateS(expand(half)) <= SCRATCH - 8) return code.half(half);
    }
  }

  #atomics(): number {
    const { code, random } = this;
    const mask = random.below(16) === 0 ? ROLE.anyMask : ROLE.alignedMask;
    code.op('and', ROLE.pointer, random.pick(WORK), mask);
    code.op('add', ROLE.pointer, ROLE.pointer, this.#base());
    const count = 1 + random.below(3);
    for (let at = 0; at < count; at++) code.words(randomAtomic(random, ROLE.pointer));
    if (random.below(2) === 0) {
      const width = random.pick(['w', 'd']);
      code.op(`lr.${width}`, random.pick(WORK), ROLE.pointer);
      if (random.below(4) === 0) code.words(randomAccess(random, ROLE.pointer));
      code.op(`sc.${width}`, random.pick(WORK), random.pick(WORK), ROLE.pointer);
    }
    return count + 4;
  }

  /** Both ways of a branch, or one. */
  #choice(budget: number): number {
    const { code, random } = this;
    const other = new Label();
    const end = new Label();
    if (random.below(3) === 0) {
      code.shortBranch(random.below(2) === 0, 10 + random.below(5), other);
      const cost = this.plain(1 + random.below(6));
      const both = random.below(2) === 0;
      if (both) code.shortJump(end);
      code.place(other);
      if (both) this.plain(1 + random.below(6));
      code.place(end);
      return cost + 1;
    }
    code.branch(random.pick(CONDITIONS), source(random), source(random), other);
    const first = this.block(budget / 2, 1 + random.below(2));
    if (random.below(2) === 0) {
      code.place(other);
      return first + 1;
    }
    code.jal('zero', end);
    code.place(other);
    const second = this.block(budget / 2, 1 + random.below(2));
    code.place(end);
    return (first + second) / 2 + 2;
  }

  /** A counted loop, at times left early, at times entered in its middle. */
  #loop(budget: number): number {
    const { code, random } = this;
    const counter = this.#counters.length === 0 ? ROLE.outerCount : ROLE.innerCount;
    const count = 2 + random.below(Math.max(1, Math.min(MAX_COUNT, Math.floor(budget / 16))));
    const top = new Label();
    const middle = new Label();
    const exit = new Label();
    code.li(counter, count);
    if (random.below(5) === 0) code.branch(random.pick(CONDITIONS), source(random), source(random), middle);
    if (random.below(3) === 0) code.align(4);
    const start = code.size;
    code.place(top);
    this.#counters.push(counter);
    let cost = this.block(budget / count / 2, 1 + random.below(3));
    code.place(middle);
    cost += this.block(budget / count / 2, 1 + random.below(2));
    this.#counters.pop();
    if (random.below(5) === 0) {
      code.op('andi', ROLE.pointer, random.pick(WORK), 0xff);
      code.branch('beq', ROLE.pointer, 'zero', exit);
    }
    const near = code.size - start < 200;
    if (random.below(2) === 0) {
      // c.addi counter, -1
      code.half(0x107d | (counter << 7));
    } else code.op('addi', counter, counter, -1);
    if (near && random.below(2) === 0) code.shortBranch(false, counter, top);
    else if (random.below(3) === 0) code.branch('blt', 'zero', counter, top);
    else code.branch('bne', counter, 'zero', top);
    code.place(exit);
    return cost * count + 2 * count;
  }

  /** A jump to one of four or eight places: by a table in the code, or by its distance. */
  #table(budget: number): number {
    const { code, random } = this;
    const targets = Array.from({ length: random.pick([4, 8]) }, () => new Label());
    const end = new Label();
    const [index, base] = [ROLE.pointer, random.pick(WORK)];
    code.op('andi', index, source(random), (targets.length - 1) * 4);
    if (random.below(2) === 0) {
      const at = new Label();
      code.la(base, at);
      code.op('add', index, index, base);
      code.op('lw', index, 0, index);
      code.op('add', base, index, base);
      // Bit 0 of the sum is cleared.
      code.op('jalr', 'zero', random.below(3) === 0 ? 1 : 0, base);
      this.#tables.push({ at, targets });
    } else {
      const jumps = new Label();
      code.la(base, jumps);
      code.op('add', base, base, index);
      code.op('jalr', random.below(8) === 0 ? 't0' : 'zero', 0, base);
      code.place(jumps);
      for (const target of targets) code.jal('zero', target);
    }
    let cost = 0;
    for (const target of targets) {
      code.place(target);
      cost += this.block(Math.min(budget / 8, 30), 1);
      if (random.below(3) !== 0) code.jal('zero', end);
    }
    code.place(end);
    return cost / 2 + 8;
  }

  #placeTables(): void {
    for (const { at, targets } of this.#tables.splice(0)) {
      this.code.align(4);
      this.code.place(at);
      for (const target of targets) this.code.offset(target, at);
    }
  }

  #call(budget: number): number {
    const { code, random } = this;
    const possible = this.callees.filter(({ cost }) => cost < budget);
    if (possible.length === 0) return this.plain(3);
    const { entry, cost } = random.pick(possible);
    const scratch = random.pick(WORK);
    switch (random.below(5)) {
      case 0:
        code.farJump('ra', scratch, entry);
        break;
      case 1:
        code.la(scratch, entry);
        code.op('jalr', 'ra', random.below(2), scratch);
        break;
      case 2:
        code.la(scratch, entry);
        code.half(0x9002 | (scratch << 7)); // c.jalr
        break;
      default:
        code.jal('ra', entry);
    }
    return cost + 2;
  }

  /** Something that is seldom seen in real code, in loops at few of the turns. */
  #rarely(): number {
    const { code, random, counter } = this;
    const skip = new Label();
    const sometimes = counter !== undefined && random.below(6) !== 0;
    if (sometimes) {
      code.op('andi', ROLE.pointer, counter, random.pick([31, 63, 127, 255]));
      code.branch('bne', ROLE.pointer, 'zero', skip);
    }
    rareEvent(this);
    code.place(skip);
    return sometimes ? 4 : 20;
  }

  /** Overwrites an instruction with one of `entries` (a power of two) from a table, with or without FENCE.I. */
  patch(tableOf: Readonly<Record<2 | 4, number>>, entries: number): void {
    const { code, random } = this;
    if (this.slots.length === 0) return;
    const { label, bytes } = random.below(2) === 0 ? this.slots.at(-1)! : random.pick(this.slots);
    const value = random.pick(WORK);
    // Another one at each turn of a loop.
    code.op('andi', value, source(random), (entries - 1) * bytes);
    code.li(ROLE.pointer, PLACE.constants + tableOf[bytes]);
    code.op('add', ROLE.pointer, ROLE.pointer, value);
    code.op(bytes === 4 ? 'lw' : 'lhu', value, 0, ROLE.pointer);
    code.la(ROLE.pointer, label);
    code.op(bytes === 4 ? 'sw' : 'sh', value, 0, ROLE.pointer);
    if (random.below(2) === 0) code.op('fence.i');
    if (random.below(4) === 0) code.op('addi', random.pick(WORK), random.pick(WORK), immediate(random));
  }
}
