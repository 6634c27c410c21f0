import { BOOT_INIT } from '@vmloom/guests';
import { debianInTurns, debianPeer } from './debian.mjs';
import { median, ratioOf } from './figures.mjs';
import { chosen } from './options.mjs';
import { lineOf } from './processes.mjs';
import { shareCells, SHARES } from './profile.mjs';
import { Table } from './table.mjs';

const SERIES = [{ name: '6.12' }, { name: '7.2' }];

/** From the start of the process to the first line of `/init`, with the same kernel, initial RAM disk and memory. */
export async function boot({ runs, only, clock }) {
  const peer = debianPeer();
  const columns = ['Linux', 'QEMU s', 'vmloom s', 'ratio', 'least', 'most', 'instructions', ...SHARES];
  const table = new Table(
    'Debian to /init: QEMU time / vmloom time, above 1 is faster than QEMU',
    columns.map((title) => ({ title, ratio: title === 'ratio', width: title === 'Linux' ? 30 : 0 })),
  );
  for (const { name } of chosen(SERIES, only)) {
    const result = await debianInTurns({ series: name, init: BOOT_INIT, files: [], runs, peer, clock });
    if (result === undefined) continue;
    const [ours, theirs] = [result.ours, result.theirs].map((all) =>
      all.map((lines) => lineOf(lines, /^@@ init/).at),
    );
    const { ratio, least, most } = peer === undefined ? {} : ratioOf(theirs, ours);
    const instructions = `${(result.cost.instructions / 1e9).toFixed(2)} G`;
    const figures = [median(theirs), median(ours), ratio, least, most, instructions];
    table.row([result.release, ...figures, ...shareCells(result.shares)]);
  }
  table.note(
    `Medians of ${runs} boots in turns, 128 MiB. ${peer?.version ?? 'QEMU is not installed: no ratios'}`,
  );
  return [table];
}
