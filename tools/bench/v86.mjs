import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { geometricMean, median, ratioOf, wordsOf } from './figures.mjs';
import { chosen } from './options.mjs';
import { lineOf, timedLines, VMLOOM } from './processes.mjs';
import { Table } from './table.mjs';

/** Units of work that are about half a second of QEMU. */
const LOOPS = [
  { name: 'hash', units: 600 },
  { name: 'sieve', units: 900 },
  { name: 'sort', units: 120 },
];
const IMAGE = 'packages/guest/prebuilt/bench.elf';
const V86 = [process.execPath, fileURLToPath(new URL('v86-machine.mjs', import.meta.url))];

/**
 * Three loops on 32-bit values from one source (packages/guest/programs/loops.c), compiled for RV64 and for i386, on
 * vmloom and v86 in turns. Both without paging; the host takes the time between lines of the console.
 */
export async function v86({ runs, long, only, clock }) {
  const { version } = createRequire(import.meta.url)('v86/package.json');
  const columns = ['loop', 'v86 s', 'vmloom s', 'short', 'v86 s', 'vmloom s', 'steady', 'least', 'most'];
  const table = new Table(
    'Loops of 32 bits: v86 time / vmloom time, above 1 is faster than v86',
    columns.map((title) => ({
      title,
      ratio: title === 'short' || title === 'steady',
      width: title === 'loop' ? 8 : 0,
    })),
  );
  const steady = [];
  for (const { name, units } of chosen(LOOPS, only)) {
    const append = `kernel=${name} short=${units} long=${Math.round(units * long)}`;
    const ours = [];
    const theirs = [];
    for (let run = 0; run < runs; run++) {
      const args = ['-nographic', '-kernel', IMAGE, '-append', append];
      ours.push(read(await timedLines({ command: VMLOOM }, args, { clock })));
      theirs.push(read(await timedLines({ command: V86 }, [append], { clock })));
    }
    const sums = new Set([...ours, ...theirs].map(({ checksum }) => checksum));
    if (sums.size !== 1) throw new Error(`${name}: the checksums differ: ${[...sums].join(', ')}`);
    const of = (part) => [theirs.map((one) => one[part]), ours.map((one) => one[part])];
    const [short, long_] = [ratioOf(...of('short')), ratioOf(...of('long'))];
    const [themShort, usShort, themLong, usLong] = [...of('short'), ...of('long')].map(median);
    steady.push(long_.ratio);
    table.row([
      name,
      themShort,
      usShort,
      short.ratio,
      themLong,
      usLong,
      long_.ratio,
      long_.least,
      long_.most,
    ]);
  }
  table.note(
    `Geometric mean of the steady state: ${geometricMean(steady).toFixed(2)}, least ${Math.min(...steady).toFixed(2)}`,
  );
  table.note(`Medians of ${runs} runs in turns; v86 ${version}`);
  return [table];
}

function read(lines) {
  const [begin, then, end] = [/^begin/, /^then/, /^bench: .*checksum=/].map((pattern) =>
    lineOf(lines, pattern),
  );
  // 32 bits of it on either machine.
  const checksum = wordsOf(end.text).checksum.slice(-8);
  return { short: then.at - begin.at, long: end.at - then.at, checksum };
}
