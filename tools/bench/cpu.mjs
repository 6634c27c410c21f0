import { geometricMean, ratioOf, median, wordsOf } from './figures.mjs';
import { chosen } from './options.mjs';
import { profiledShares, shareCells, SHARES } from './profile.mjs';
import { lineOf, qemuVersion, QEMU, timedLines, VMLOOM } from './processes.mjs';
import { Table } from './table.mjs';

/** Units of work that are about a second of QEMU 7.2. */
export const KERNELS = [
  { name: 'integer', units: 1200 },
  { name: 'mix', units: 4000 },
  { name: 'pointer', units: 700 },
  { name: 'stream', units: 120 },
  { name: 'bytecode', units: 1000 },
  { name: 'matrix', units: 120 },
];
const IMAGE = 'packages/guest/prebuilt/bench.elf';
const PAGINGS = [
  ['bare', 0],
  ['Sv39', 1],
];
/** A ratio counts as this at most in a mean, so that one kernel cannot carry the others. */
const MOST = 3;
/** The guest's clock and the host's may differ so much over a run, in hundredths. */
const TOLERANCE = 5;

/**
 * Six kernels of different nature (packages/guest/programs/bench*.c), paging off and Sv39, on QEMU and vmloom in
 * turns. The guest takes the time of a short run from its start, and of a longer one behind it in the steady state.
 */
export async function cpu({ runs, long, only, clock }) {
  const version = qemuVersion();
  const columns = [
    { title: 'kernel', width: 14 },
    ...['QEMU s', 'vmloom s', 'short'].map((title) => ({ title })),
    ...['QEMU s', 'vmloom s', 'steady', 'least', 'most', 'MIPS'].map((title) => ({ title })),
    ...SHARES.map((title) => ({ title })),
  ];
  for (const column of columns) column.ratio = column.title === 'short' || column.title === 'steady';
  const table = new Table('Kernels: QEMU time / vmloom time, above 1 is faster than QEMU', columns);
  const means = new Map();
  for (const [paging, sv39] of PAGINGS) {
    for (const kernel of chosen(KERNELS, only)) {
      const measured = await measure(kernel, sv39, { runs, long, clock, withQemu: version !== undefined });
      const { ours, theirs } = measured;
      const seconds = (samples, part) => samples.map((one) => one[`${part}.seconds`]);
      const cells = [];
      for (const part of ['short', 'long']) {
        const [us, them] = [seconds(ours, part), seconds(theirs, part)];
        if (them.length === 0) {
          cells.push(NaN, median(us), NaN, ...(part === 'long' ? [NaN, NaN] : []));
          continue;
        }
        const { ratio, least, most } = ratioOf(them, us);
        const key = `${part === 'long' ? 'steady state' : 'short'}, ${paging}`;
        means.set(key, [...(means.get(key) ?? []), ratio]);
        cells.push(median(them), median(us), ratio, ...(part === 'long' ? [least, most] : []));
      }
      const mips = median(ours.map((one) => one['long.instret'] / one['long.seconds'] / 1e6));
      table.row([
        `${kernel.name}, ${paging}`,
        ...cells,
        mips.toFixed(0),
        ...shareCells(profiledShares(argsOf(kernel, sv39, 0))),
      ]);
    }
  }
  for (const [key, ratios] of means) {
    const mean = geometricMean(ratios, MOST).toFixed(2);
    table.note(
      `Geometric mean, ${key}: ${mean} (least ${Math.min(...ratios).toFixed(2)}; above ${MOST} counts as ${MOST})`,
    );
  }
  table.note(
    `Medians of ${runs} runs in turns; shares are of a short run of vmloom under V8's profiler; the steady state is ${long} times the short run. ${version ?? 'QEMU is not installed: no ratios'}`,
  );
  return [table];
}

function argsOf({ name, units }, sv39, long) {
  const append = `kernel=${name} sv39=${sv39} short=${units} long=${Math.round(units * long)}`;
  return ['-M', 'virt', '-nographic', '-kernel', IMAGE, '-append', append];
}

/** @throws Error when a machine computes something else than the other */
async function measure(kernel, sv39, { runs, long, clock, withQemu }) {
  const args = argsOf(kernel, sv39, long);
  const ours = [];
  const theirs = [];
  for (let run = 0; run < runs; run++) {
    ours.push(read(await timedLines({ command: VMLOOM }, args, { clock }), clock));
    if (withQemu) theirs.push(read(await timedLines({ command: QEMU }, args, { clock }), clock));
  }
  const sums = new Set([...ours, ...theirs].map(({ checksum }) => checksum));
  if (sums.size !== 1) throw new Error(`${kernel.name}: the checksums differ: ${[...sums].join(', ')}`);
  return { ours, theirs };
}

/**
 * What the guest printed, with the seconds of both parts: by its own clock if that has seen as much time pass as the
 * host's, or by the processor.
 */
function read(lines, clock) {
  const [begin, then, end] = [/^begin/, /^then/, /^bench: kernel=/].map((pattern) => lineOf(lines, pattern));
  const words = wordsOf(end.text);
  if (clock === 'processor') {
    return { ...words, 'short.seconds': then.at - begin.at, 'long.seconds': end.at - then.at };
  }
  const [short, long] = ['short', 'long'].map((part) => words[`${part}.ticks`] / words.timebase);
  const host = end.at - begin.at;
  if (Math.abs(short + long - host) > (host * TOLERANCE) / 100 + 0.5) {
    throw new Error(
      `${(short + long).toFixed(2)} s by the guest's clock were ${host.toFixed(2)} s of the host`,
    );
  }
  return { ...words, 'short.seconds': short, 'long.seconds': long };
}
