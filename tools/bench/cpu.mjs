import { consoleOf, median, qemuVersion, QEMU, VMLOOM } from './processes.mjs';

const ROUNDS = 200;
const RUNS = 5;

/**
 * The guest's integer program (sieve and CRC, packages/guest/programs/intloop.c) with its own clock: `time` of
 * the guest follows the wall clock on both, so boot and process start do not count.
 */
export function cpu() {
  const args = [
    '-M',
    'virt',
    '-nographic',
    '-kernel',
    'packages/guest/prebuilt/intloop.elf',
    '-append',
    `n=${ROUNDS}`,
  ];
  const version = qemuVersion();
  const ours = [];
  const theirs = [];
  for (let run = 0; run < RUNS; run++) {
    ours.push(read(consoleOf(VMLOOM, args)));
    // QEMU's instret counts host cycles; the program retires the same instructions on both.
    if (version !== undefined) theirs.push({ ...ours.at(-1), seconds: read(consoleOf(QEMU, args)).seconds });
  }
  const show = (name, samples) => {
    const mips = samples.map(({ instructions, seconds }) => instructions / seconds / 1e6);
    const spread = `${Math.min(...mips).toFixed(0)} to ${Math.max(...mips).toFixed(0)}`;
    console.log(
      `${name.padEnd(10)} ${median(mips).toFixed(0).padStart(6)} MIPS (median of ${RUNS}; ${spread})`,
    );
  };
  show('vmloom', ours);
  if (version === undefined) return console.log('QEMU is not installed: no ratio');
  show('QEMU', theirs);
  const ratio = median(theirs.map(({ seconds }, run) => seconds / ours[run].seconds));
  console.log(
    `QEMU time / vmloom time: ${ratio.toFixed(3)} (pair by pair, above 1 is faster than QEMU; ${version})`,
  );
}

function read(text) {
  const [, instructions, ticks, timebase] = /instret=(\d+) ticks=(\d+) timebase=(\d+)/.exec(text).map(Number);
  return { instructions, seconds: ticks / timebase };
}
