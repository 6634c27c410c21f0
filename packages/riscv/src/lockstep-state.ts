import { PAGE_SIZE, type HostMemory } from '@vmloom/memory';
import type { Hart } from './hart.js';
import { SAVED_CSRS } from './hart-state.js';
import * as L from './layout.js';
import { F_NAMES, X_NAMES } from './operands.js';

/** One named part of a hart's state that two harts do not agree about. */
export interface StateDifference {
  readonly name: string;
  readonly reference: bigint;
  readonly subject: bigint;
}

/** A word of RAM that two memories do not agree about. */
export interface MemoryDifference {
  /** Bytes from the beginning of RAM, a multiple of 8. */
  readonly offset: number;
  readonly reference: bigint;
  readonly subject: bigint;
}

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly width: 4 | 8;
}

/** What software can see of a hart in its state block; x0 and what is derived are left out. */
const FIELDS: readonly Field[] = [
  ...X_NAMES.map((name, index): Field => ({ name, offset: L.S_X + index * 8, width: 8 })).slice(1),
  ...F_NAMES.map((name, index): Field => ({ name, offset: L.S_F + index * 8, width: 8 })),
  { name: 'pc', offset: L.S_PC, width: 8 },
  { name: 'privilege', offset: L.S_PRIVILEGE, width: 4 },
  { name: 'waiting', offset: L.S_WAITING, width: 4 },
  { name: 'fflags', offset: L.S_FFLAGS, width: 4 },
  { name: 'frm', offset: L.S_FRM, width: 4 },
  ...Object.entries(SAVED_CSRS).map(([name, offset]): Field => ({ name, offset, width: 8 })),
  ...Array.from({ length: 16 }, (_, index): Field => ({
    name: `pmpaddr${index}`,
    offset: L.S_PMPADDR + index * 8,
    width: 8,
  })),
];

/** Offsets of all 32-bit words that {@link FIELDS} covers. */
const WORDS = FIELDS.flatMap(({ offset, width }) => (width === 8 ? [offset, offset + 4] : [offset])).map(
  (offset) => offset / 4,
);

const PAGE_WORDS = PAGE_SIZE / 4;

/** A hart with quick access to its state, for comparing it often. */
export class ComparableHart {
  readonly #words: Uint32Array;
  readonly #view: DataView;
  readonly #ramOffset: number;

  constructor(readonly hart: Hart) {
    const { memory } = hart.core;
    this.#words = new Uint32Array(memory.wasm.buffer, hart.stateOffset, L.STATE_SIZE / 4);
    this.#view = new DataView(memory.wasm.buffer, hart.stateOffset, L.STATE_SIZE);
    this.#ramOffset = memory.ramOffset;
  }

  /** Whether everything that software can see is the same, virtual time and the reservation included. */
  equals(other: ComparableHart): boolean {
    const a = this.#words;
    const b = other.#words;
    for (const word of WORDS) if (a[word] !== b[word]) return false;
    return (
      this.hart.retired === other.hart.retired &&
      this.hart.localTime === other.hart.localTime &&
      this.#reservation === other.#reservation
    );
  }

  /** What is not the same, by name; this hart is the reference. */
  differences(subject: ComparableHart): StateDifference[] {
    const mine = this.#named();
    const others = subject.#named();
    return [...mine].flatMap(([name, reference]) => {
      const value = others.get(name)!;
      return value === reference ? [] : [{ name, reference, subject: value }];
    });
  }

  /** All that is compared, by name. */
  state(): ReadonlyMap<string, bigint> {
    return this.#named();
  }

  #named(): Map<string, bigint> {
    const named = new Map<string, bigint>(
      FIELDS.map(({ name, offset, width }) => [
        name,
        width === 8 ? this.#view.getBigUint64(offset, true) : BigInt(this.#view.getUint32(offset, true)),
      ]),
    );
    named.set('retired', BigInt(this.hart.retired));
    named.set('time', BigInt(this.hart.localTime));
    named.set('reservation', BigInt(this.#reservation));
    return named;
  }

  /** The reserved set as an offset into RAM, for RAM may begin elsewhere in the other memory; -1 without one. */
  get #reservation(): number {
    const reserved = this.#words[L.S_RESERVATION / 4];
    return reserved === 0 ? -1 : reserved - this.#ramOffset;
  }
}

/** Two memories of equal RAM size, and which of their pages were written since the last look. */
export class ComparableMemories {
  readonly #reference: Uint32Array;
  readonly #subject: Uint32Array;
  readonly #pages: number;

  constructor(
    readonly reference: HostMemory,
    readonly subject: HostMemory,
  ) {
    if (reference.ramSize !== subject.ramSize) throw new RangeError('the memories differ in size');
    this.#pages = reference.ramSize / PAGE_SIZE;
    this.#reference = ramWords(reference);
    this.#subject = ramWords(subject);
    for (const { flags, ramOffset } of [reference, subject]) {
      flags.armDirtyTracking(ramOffset / PAGE_SIZE, this.#pages);
    }
  }

  /** The first word that differs in a page that either side wrote since the last look. */
  writtenDifference(): MemoryDifference | undefined {
    let found: MemoryDifference | undefined;
    for (const { flags, ramOffset } of [this.reference, this.subject]) {
      const first = ramOffset / PAGE_SIZE;
      for (const page of flags.takeDirty(first, this.#pages)) {
        found ??= this.#differenceIn(page - first, page - first + 1);
      }
    }
    return found;
  }

  /** The first word that differs anywhere. */
  difference(): MemoryDifference | undefined {
    return this.#differenceIn(0, this.#pages);
  }

  #differenceIn(from: number, to: number): MemoryDifference | undefined {
    const a = this.#reference;
    const b = this.#subject;
    for (let word = from * PAGE_WORDS; word < to * PAGE_WORDS; word++) {
      if (a[word] === b[word]) continue;
      const even = word & ~1;
      return { offset: even * 4, reference: doubleWord(a, even), subject: doubleWord(b, even) };
    }
    return undefined;
  }
}

function ramWords(memory: HostMemory): Uint32Array {
  return new Uint32Array(memory.wasm.buffer, memory.ramOffset, memory.ramSize / 4);
}

function doubleWord(words: Uint32Array, at: number): bigint {
  return BigInt(words[at]) | (BigInt(words[at + 1]) << 32n);
}
