import { readFileSync } from 'node:fs';
import { PROGRAM_PLANS, programFiles, programRuns, programsInit } from '@vmloom/guests';
import { debianInTurns, debianPeer } from './debian.mjs';
import { geometricMean, median, ratioOf } from './figures.mjs';
import { chosen } from './options.mjs';
import { shareCells, SHARES } from './profile.mjs';
import { Table } from './table.mjs';

const MOST = 3;
const LINUXBENCH = 'packages/guest/prebuilt/linuxbench.elf';

/** Programs inside Debian 6.12, all in one boot; the host takes the time between lines of the console. */
export async function programs({ runs, only, clock }) {
  const peer = debianPeer();
  const plans = chosen(PROGRAM_PLANS, only);
  const result = await debianInTurns({
    series: '6.12',
    init: programsInit(plans),
    files: programFiles(new Uint8Array(readFileSync(LINUXBENCH))),
    runs,
    peer,
    clock,
  });
  if (result === undefined) return [];
  const columns = ['program', 'QEMU s', 'vmloom s', 'ratio', 'least', 'most'];
  const table = new Table(
    `Programs inside Linux ${result.release}: QEMU time / vmloom time, above 1 is faster than QEMU`,
    columns.map((title) => ({ title, ratio: title === 'ratio', width: title === 'program' ? 12 : 0 })),
  );
  const [ours, theirs] = [result.ours, result.theirs].map((all) => all.map(programRuns));
  const ratios = [];
  for (const { name } of plans) {
    const [us, them] = [ours, theirs].map((all) => all.map((runs) => finished(name, runs)));
    const sums = new Set([...us, ...them].map(({ sum }) => sum));
    if (sums.size !== 1) throw new Error(`${name}: the outputs differ: ${[...sums].join(', ')}`);
    const seconds = (samples) => samples.map((run) => run.seconds);
    const { ratio, least, most } = peer === undefined ? {} : ratioOf(seconds(them), seconds(us));
    if (ratio !== undefined) ratios.push(ratio);
    table.row([name, median(seconds(them)), median(seconds(us)), ratio, least, most]);
  }
  if (ratios.length > 0) {
    const mean = geometricMean(ratios, MOST).toFixed(2);
    table.note(
      `Geometric mean: ${mean} (least ${Math.min(...ratios).toFixed(2)}; above ${MOST} counts as ${MOST})`,
    );
  }
  const shares = shareCells(result.shares).map((share, index) => `${SHARES[index]} ${share}`);
  table.note(`The whole run, boot included: ${shares.join(', ')}`);
  table.note(`Medians of ${runs} boots in turns. ${peer?.version ?? 'QEMU is not installed: no ratios'}`);
  return [table];
}

function finished(name, runs) {
  const run = runs.get(name);
  if (run?.status === 0 && run.sum === '') throw new Error(`the output of ${name} could not be summed`);
  if (run?.status === 0) return run;
  throw new Error(`${name} ${run === undefined ? 'never ended' : `ended with ${run.status}`}`);
}
