import { readdir } from 'node:fs/promises';
import { physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { CSR_MSTATUS } from '../csr-numbers.js';
import { disassemble } from '../disassembler.js';
import { asm, bareMachine, RAM_BASE } from '../testing/index.js';
import { regionText } from '../testing/region-text.js';

/**
 * The code that the compiler makes of small programs, committed as text: a change of the emitter is reviewed as the
 * difference that it makes there. `npm run goldens` writes the files anew.
 */

const DATA = RAM_BASE + 0x10_0000;
const PAGE = 4096;
const FS_DIRTY = 0x6000n;

interface Golden {
  readonly name: string;
  /** Pages of code, the first at the start of RAM; an endless loop runs through what is shown. */
  readonly code: readonly (readonly number[])[];
  /** Bytes from the start of its page at which the program begins. */
  readonly start?: number;
  /** Compiled for speed, with registers in locals. */
  readonly fast?: boolean;
}

const loop = (...body: readonly number[]): number[] => [...body, asm.jal('zero', -4 * body.length)];

const GOLDENS: readonly Golden[] = [
  {
    name: 'sum',
    code: [
      [asm.addi('a0', 'a0', 1), asm.add('a1', 'a1', 'a0'), asm.bne('a0', 's0', -8), asm.jal('zero', -12)],
    ],
  },
  {
    name: 'sum-fast',
    fast: true,
    code: [
      [asm.addi('a0', 'a0', 1), asm.add('a1', 'a1', 'a0'), asm.bne('a0', 's0', -8), asm.jal('zero', -12)],
    ],
  },
  {
    name: 'load-store-fast',
    fast: true,
    code: [loop(asm.lw('t0', 4, 's1'), asm.addiw('t0', 't0', 1), asm.sd('t0', 8, 's1'))],
  },
  {
    name: 'diamond-fast',
    fast: true,
    code: [
      [
        asm.andi('t0', 'a0', 1),
        asm.beq('t0', 'zero', 12),
        asm.addi('a1', 'a1', 3),
        asm.jal('zero', 8),
        asm.xori('a1', 'a1', 5),
        asm.addi('a0', 'a0', 1),
        asm.jal('zero', -24),
      ],
    ],
  },
  {
    name: 'irreducible',
    code: [
      [
        asm.xori('t0', 't0', 1),
        asm.bne('t0', 'zero', 12),
        asm.addi('a0', 'a0', 1),
        asm.blt('zero', 's2', 8),
        asm.addi('a1', 'a1', 1),
        asm.blt('zero', 's2', -12),
        asm.jal('zero', -24),
      ],
    ],
  },
  {
    name: 'call-and-return',
    code: [
      [
        asm.jal('ra', 12),
        asm.addi('a1', 'a1', 1),
        asm.jal('zero', -8),
        asm.slli('a0', 'a1', 1),
        asm.jalr('zero', 0, 'ra'),
      ],
    ],
  },
  {
    name: 'two-pages',
    start: PAGE - 4,
    code: [
      [...Array<number>(PAGE / 4 - 1).fill(0), asm.addi('a0', 'a0', 1)],
      [asm.addi('a1', 'a1', 1), asm.jal('zero', -8)],
    ],
  },
  {
    name: 'crossing',
    start: PAGE - 6,
    code: [
      // c.addi a1,1; c.nop; the first half of addi a0,a0,1.
      [...Array<number>(PAGE / 4 - 2).fill(0), 0x0585_0000, ((asm.addi('a0', 'a0', 1) << 16) | 1) >>> 0],
      // Its second half, and c.j to the first instruction.
      [(0xbfe5_0000 | (asm.addi('a0', 'a0', 1) >>> 16)) >>> 0],
    ],
  },
  { name: 'divide', code: [loop(asm.divw('a0', 'a1', 's2'), asm.remu('a1', 'a0', 's3'))] },
  {
    name: 'float-fast',
    fast: true,
    code: [loop(asm.fld('fa0', 0, 's1'), asm.fadd_d('fa1', 'fa1', 'fa0'), asm.flt_d('a0', 'fa0', 'fa1'))],
  },
  {
    name: 'atomic',
    code: [loop(asm.amoadd_w('a0', 's2', 's1'), asm.lr_d('a1', 's1'), asm.sc_d('a2', 'a1', 's1'))],
  },
  {
    name: 'csr',
    code: [
      loop(
        asm.csrrw('t0', 'sscratch', 't0'),
        asm.csrrs('a0', 'fflags', 'zero'),
        asm.csrrs('a1', 'time', 'zero'),
      ),
    ],
  },
];

/** The instructions, one of two bytes or four after the other; zeros are no code. */
function listing(code: Golden['code']): string[] {
  const halves = code.flatMap((words) => {
    const page = new Uint16Array(PAGE / 2);
    page.set(new Uint16Array(new Uint32Array(words).buffer));
    return [...page];
  });
  const lines: string[] = [];
  for (let at = 0; at < halves.length; at++) {
    const half = halves[at];
    if (half === 0) continue;
    const where = at * 2;
    const word = (half & 3) === 3 ? (half | (halves[++at] << 16)) >>> 0 : half;
    lines.push(`# ${where.toString(16).padStart(4, '0')}  ${disassemble(word, BigInt(where)).text}`);
  }
  return lines;
}

/** What the compiler makes of a program once its loop is hot: the last module. */
async function compiled({ code, start = 0, fast = false }: Golden): Promise<string> {
  const modules: Uint8Array[] = [];
  const machine = await bareMachine({
    jit: {
      threshold: 2,
      batch: 1,
      mergeThreshold: 65_535,
      fastThreshold: fast ? 1 : 2 ** 30,
      onModule: (bytes) => modules.push(bytes.slice()),
    },
  });
  code.forEach((words, index) => machine.load(RAM_BASE + index * PAGE, words));
  const { hart } = machine;
  hart.reset({ pc: BigInt(RAM_BASE + start) });
  Object.entries({ 8: 1000, 9: DATA, 18: 3, 19: 5 }).forEach(([x, value]) =>
    hart.writeX(Number(x), BigInt(value)),
  );
  hart.writeCsr(CSR_MSTATUS, FS_DIRTY);
  for (let slice = 0; slice < 40; slice++) machine.run(200);
  const offset = machine.space.resolve(physical(RAM_BASE), PAGE);
  const pages = new Map(code.map((_, index) => [offset + index * PAGE, `page${index}`]));
  pages.set(machine.core.base, 'core');
  return `${listing(code).join('\n')}\n\n${regionText(modules.at(-1)!, pages)}`;
}

describe('emitted code', () => {
  it.each(GOLDENS)('$name', async (golden) => {
    await expect(await compiled(golden)).toMatchFileSnapshot(`goldens/${golden.name}.txt`);
  });

  it('every file of the folder belongs to a program', async () => {
    const names = (await readdir(new URL('goldens', import.meta.url))).map((file) =>
      file.replace('.txt', ''),
    );
    expect(GOLDENS.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });
});
