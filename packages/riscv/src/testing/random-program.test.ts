import { physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { COMPRESSED } from '../compressed.js';
import { CSR_MCAUSE, CSR_SCAUSE } from '../csr-numbers.js';
import { disassemble, type Disassembled } from '../disassembler.js';
import { INSTRUCTIONS } from '../instructions.js';
import { PLACE } from './random-layout.js';
import { RandomSide } from './random-side.js';

/** What programs do, counted one instruction at a time. */
class Census {
  readonly mnemonics = new Map<string, number>();
  readonly compressed = new Map<string, number>();
  /** Mode and gigabyte of the address space in which code ran. */
  readonly places = new Map<string, number>();
  readonly causes = new Set<string>();
  readonly #known = new Map<number, Disassembled>();
  total = 0;
  handled = 0;

  count(side: RandomSide, instructions: number): void {
    for (let at = 0; at < instructions; at++) {
      for (const hart of side.harts) {
        const place = hart.translate(hart.pc, 'fetch');
        const offset = place === undefined ? -1 : side.machine.space.resolve(physical(Number(place)), 2);
        if (offset >= 0) this.#see(side.memory.view.getUint32(offset, true));
        const where = `${hart.privilege} ${(hart.pc >> 30n).toString(16)}`;
        increment(this.places, where);
        this.total++;
        if (place !== undefined && place < BigInt(PLACE.save)) this.handled++;
      }
      side.advance(1);
    }
  }

  /** Goes on without a look at each instruction. */
  skip(side: RandomSide, instructions: number): void {
    for (let at = 0; at < instructions; at += 50) {
      side.advance(50);
      for (const hart of side.harts) {
        for (const cause of [hart.readCsr(CSR_MCAUSE), hart.readCsr(CSR_SCAUSE)]) {
          this.causes.add(`${cause >> 63n === 0n ? 'exception' : 'interrupt'} ${cause & 63n}`);
        }
      }
    }
  }

  #see(word: number): void {
    let found = this.#known.get(word);
    if (found === undefined) this.#known.set(word, (found = disassemble(word)));
    const { instruction, compressed } = found;
    if (instruction !== undefined) increment(this.mnemonics, instruction.mnemonic);
    if (compressed !== undefined) increment(this.compressed, compressed);
  }
}

const increment = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

describe('random programs', () => {
  it('are the same for the same seed and others for other seeds', async () => {
    const bytes = async (seed: number): Promise<string> => {
      const { program } = await RandomSide.create({ name: '', seed });
      return program.images.map((image) => String(image.bytes)).join();
    };
    expect(await bytes(5)).toBe(await bytes(5));
    expect(await bytes(5)).not.toBe(await bytes(6));
  });

  it('carry out every instruction in all modes and address spaces, and trap in every way', async () => {
    const census = new Census();
    for (let seed = 1; seed <= 24; seed++) {
      const side = await RandomSide.create({ name: '', seed, harts: 1 + (seed & 1) });
      for (let part = 0; part < 4; part++) {
        census.count(side, 1000);
        census.skip(side, 12_000);
      }
    }
    const missing = (all: readonly { mnemonic: string }[], seen: Map<string, number>): string[] =>
      all.map(({ mnemonic }) => mnemonic).filter((mnemonic) => !seen.has(mnemonic));
    expect(missing(INSTRUCTIONS, census.mnemonics)).toEqual([]);
    expect(missing(COMPRESSED, census.compressed)).toEqual([]);
    const modes = ['3 2', '1 4', '1 6', '1 8', '1 c', '1 3ffffff00', '0 5', '0 7', '0 9', '0 c'];
    for (const mode of modes) expect(census.places.get(mode) ?? 0, mode).toBeGreaterThan(20);
    const exceptions = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15].map((cause) => `exception ${cause}`);
    const interrupts = [1, 3, 5, 7, 9, 11].map((cause) => `interrupt ${cause}`);
    expect([...exceptions, ...interrupts].filter((cause) => !census.causes.has(cause))).toEqual([]);
    // Most of the time is for the programs themselves.
    expect(census.handled / census.total).toBeLessThan(0.3);
  });
});
