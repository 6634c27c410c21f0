import { PAGE_LOAD_WATCHED, physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { CSR_MSTATUS } from './csr-numbers.js';
import { asm, bareMachine, RAM_BASE } from './testing/index.js';

const DATA = RAM_BASE + 0x10_0000;

const LOADS: [name: string, word: number, offset: number, length: number][] = [
  ['lb', asm.lb('a1', 5, 's0'), 5, 1],
  ['lbu', asm.lbu('a1', 5, 's0'), 5, 1],
  ['lh', asm.lh('a1', 6, 's0'), 6, 2],
  ['lhu', asm.lhu('a1', 6, 's0'), 6, 2],
  ['lw', asm.lw('a1', 8, 's0'), 8, 4],
  ['lwu', asm.lwu('a1', 8, 's0'), 8, 4],
  ['ld', asm.ld('a1', 16, 's0'), 16, 8],
  ['ld, misaligned', asm.ld('a1', 17, 's0'), 17, 8],
  ['flw', asm.flw('fa1', 4, 's0'), 4, 4],
  ['fld', asm.fld('fa1', 8, 's0'), 8, 8],
  ['lr.w', asm.lr_w('a0', 's0'), 0, 4],
  ['amoadd.w', asm.amoadd_w('a0', 'a1', 's0'), 0, 4],
  ['amoswap.d', asm.amoswap_d('a0', 'a1', 's0'), 0, 8],
];

/** A machine with its loads from the page of DATA told. */
async function watched() {
  const machine = await bareMachine();
  const { hart, memory, space } = machine;
  const at = space.resolve(physical(DATA), 8);
  const seen: [number, number][] = [];
  memory.flags.onLoad((start, bytes) => void seen.push([start - at, bytes]));
  hart.writeCsr(CSR_MSTATUS, 1n << 13n);
  hart.writeX(8, BigInt(DATA));
  return { machine, hart, flags: memory.flags, page: at >>> 12, seen };
}

describe('watched pages: every load of the hart is told', () => {
  it.each(LOADS)('%s', async (_name, word, offset, length) => {
    const { machine, hart, flags, page, seen } = await watched();
    machine.load(RAM_BASE, [word, word, word, word]);
    // The first load brings the page into the translation buffer.
    hart.run(1);
    expect(seen).toEqual([]);
    hart.core.watchLoads(page);
    hart.run(2);
    expect(seen).toEqual([
      [offset, length],
      [offset, length],
    ]);
    flags.clear(page, PAGE_LOAD_WATCHED);
    hart.run(1);
    expect(seen).toHaveLength(2);
  });

  it('a load across two pages is told for its part in the watched one', async () => {
    const { machine, hart, page, seen } = await watched();
    machine.load(RAM_BASE, [asm.ld('a1', -4, 's0'), asm.ld('a1', 0xff - 0x100, 's0')]);
    hart.core.watchLoads(page);
    hart.run(2);
    expect(seen).toEqual([
      [0, 4],
      [0, 7],
    ]);
  });

  it('the value is the same, and stores and the neighbours are not told', async () => {
    const { machine, hart, page, seen } = await watched();
    machine.write64(DATA + 8, 0x1122_3344_5566_7788n);
    machine.load(RAM_BASE, [
      asm.sd('a2', 0, 's0'),
      asm.ld('a1', -8, 's0'),
      asm.ld('a3', 8, 's0'),
      asm.sd('a3', 16, 's0'),
    ]);
    hart.writeX(12, 5n);
    hart.core.watchLoads(page);
    hart.run(4);
    expect(seen).toEqual([[8, 8]]);
    expect([machine.read64(DATA), machine.read64(DATA + 16)]).toEqual([5n, 0x1122_3344_5566_7788n]);
  });
});
