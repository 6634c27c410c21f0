import { PAGE_WATCHED, physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { CSR_MSTATUS } from './csr-numbers.js';
import { asm, bareMachine, RAM_BASE } from './testing/index.js';

const DATA = RAM_BASE + 0x10_0000;

const STORES: [name: string, word: number, offset: number, length: number][] = [
  ['sb', asm.sb('a1', 5, 's0'), 5, 1],
  ['sh', asm.sh('a1', 6, 's0'), 6, 2],
  ['sw', asm.sw('a1', 8, 's0'), 8, 4],
  ['sd', asm.sd('a1', 16, 's0'), 16, 8],
  ['sd, misaligned', asm.sd('a1', 17, 's0'), 17, 8],
  ['fsw', asm.fsw('fa1', 4, 's0'), 4, 4],
  ['fsd', asm.fsd('fa1', 8, 's0'), 8, 8],
  ['amoadd.w', asm.amoadd_w('a0', 'a1', 's0'), 0, 4],
  ['amoswap.d', asm.amoswap_d('a0', 'a1', 's0'), 0, 8],
];

describe('page flags on every store of the hart', () => {
  it.each(STORES)('%s', async (_name, word, offset, length) => {
    const machine = await bareMachine();
    const { hart, memory, space } = machine;
    const at = space.resolve(physical(DATA), 8);
    const page = at >>> 12;
    const seen: [number, number][] = [];
    memory.flags.onStore(PAGE_WATCHED, (start, bytes) => void seen.push([start - at, bytes]));
    machine.load(RAM_BASE, [word, word]);
    hart.writeCsr(CSR_MSTATUS, 1n << 13n);
    hart.writeX(8, BigInt(DATA));
    // The first store brings the page into the translation buffer without a flag.
    hart.run(1);
    expect(seen).toEqual([]);
    memory.flags.set(page, PAGE_WATCHED);
    memory.flags.armDirtyTracking(page, 1);
    hart.run(1);
    expect(seen).toEqual([[offset, length]]);
    expect(memory.flags.takeDirty(page, 1)).toEqual([page]);
  });

  it('SC, and a store across two pages, of which either is watched', async () => {
    const machine = await bareMachine();
    const { hart, memory, space } = machine;
    const page = space.resolve(physical(DATA), 8) >>> 12;
    machine.load(RAM_BASE, [asm.lr_d('a0', 's0'), asm.sc_d('a0', 'a1', 's0'), asm.sd('a1', -4, 's0')]);
    hart.writeX(8, BigInt(DATA));
    memory.flags.armDirtyTracking(page - 1, 2);
    hart.run(2);
    expect(memory.flags.takeDirty(page - 1, 2)).toEqual([page]);
    hart.run(1);
    expect(memory.flags.takeDirty(page - 1, 2)).toEqual([page - 1, page]);
  });
});
