import { DirectTranslator, DmaPort } from '@vmloom/device';
import { commands, IommuBench, PageTable, tables } from '@vmloom/iommu/testing';
import { median } from './figures.mjs';
import { Table } from './table.mjs';

const RAM = 0x8000_0000n;
/** Requests of one round, each to a page of its own that the round before used too. */
const PAGES = 64;
/** How long each figure is measured. */
const MILLISECONDS = 200;
const HUGE = 1;

/**
 * Nanoseconds that a port's request for 64 bytes takes, and how many there are in a second: without an IOMMU, by a
 * context that passes everything, by translations at hand, and by walks, whose caches are emptied before each round.
 * The last column is the time without an IOMMU as a share.
 */
export async function iommu({ runs }) {
  const columns = ['request', 'page', 'table reads', 'ns', 'M/s', 'direct as a share'];
  const table = new Table(
    'iommu: ns for the translation of a request of 64 bytes; the same without an IOMMU as a share of it',
    columns.map((title) => ({
      title,
      width: title === 'request' ? 28 : 0,
      ratio: title === 'direct as a share',
    })),
  );
  for (const [name, page, make] of CASES) {
    const samples = Array.from({ length: runs }, () => make());
    const [ns, direct, reads] = ['ns', 'direct', 'reads'].map((what) =>
      median(samples.map((one) => one[what])),
    );
    table.row([name, page, reads.toFixed(1), ns, 1000 / ns, direct / ns]);
  }
  return [table];
}

const CASES = [
  ['pass-through (context)', '-', () => measure({ context: () => ({}) })],
  ['first stage, hit', '4 KiB', () => measure({ context: first(0) })],
  ['first stage, hit', '2 MiB', () => measure({ context: first(HUGE) })],
  ['both stages, hit', '4 KiB', () => measure({ context: nested(0) })],
  ['first stage, miss', '4 KiB', () => measure({ context: first(0), flush: true })],
  ['both stages, miss', '4 KiB', () => measure({ context: nested(0), flush: true })],
];

const first = (level) => (bench) => {
  const table = new PageTable(bench.memory);
  fill(table, level);
  return { fsc: table.pointer };
};

const nested = (level) => (bench) => {
  const guest = new PageTable(bench.memory, { guest: true });
  for (let at = 0n; at < 0x80_0000n; at += 0x1000n) guest.map(RAM + at, RAM + at);
  const table = new PageTable(bench.memory);
  fill(table, level);
  return { fsc: table.pointer, iohgatp: guest.pointer | tables.gscid(1) };
};

function fill(table, level) {
  if (level === 0) for (let at = 0n; at < BigInt(PAGES) << 12n; at += 0x1000n) table.map(RAM + at, RAM + at);
  else table.map(RAM, RAM, tables.DATA, level);
}

function measure({ context, flush = false }) {
  const bench = new IommuBench();
  bench.directory.set(1, context(bench));
  const behind = bench.port(1);
  const before = new DmaPort(bench.host.memory, new DirectTranslator(bench.host.space), 1);
  const empty = flush
    ? () => bench.driver.command(commands.vma(), commands.vma({ gscid: 1 }))
    : () => undefined;
  const round = (port) => {
    for (let page = 0; page < PAGES; page++) port.map(0x8000_0000 + (page << 12), 0, 64, true);
  };
  const time = (port, prepare) => {
    const samples = [];
    for (const end = performance.now() + MILLISECONDS; performance.now() < end;) {
      prepare();
      const start = process.hrtime.bigint();
      round(port);
      samples.push(Number(process.hrtime.bigint() - start) / PAGES);
    }
    return median(samples);
  };
  round(behind);
  empty();
  const reads = bench.count('walk-read');
  round(behind);
  const perRequest = (bench.count('walk-read') - reads) / PAGES;
  if (bench.count('fault') !== 0) throw new Error('a request of the benchmark faulted');
  // In turns, so that both see the same machine.
  const direct = time(before, () => undefined);
  return { ns: time(behind, empty), direct, reads: perRequest };
}
