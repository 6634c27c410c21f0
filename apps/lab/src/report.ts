import type { Result } from './cell.js';
import type { Outcome } from './expectations.js';
import { bars, stacks } from './svg.js';
import { figure, table } from './table.js';

const HEAD = [
  'exits/packet',
  'doorbells',
  'injected',
  'copies',
  'instructions',
  'guest ns',
  'vmm ns',
  'packets/s',
  'Mb/s',
  'rtt us',
];

/** A result as the cells of {@link HEAD}. */
function cells({ costs, packets, exitsPerPacket, ...result }: Result): string[] {
  const each = (sum: number): string => figure(sum / Math.max(1, packets));
  return [
    figure(exitsPerPacket),
    each(costs.doorbells),
    each(costs.injected),
    each(costs.copies),
    each(costs.guestInstructions),
    figure(result.guestTimePerPacket),
    figure(result.vmmTimePerPacket),
    result.rate.toFixed(0),
    figure(result.throughput / 1e6),
    result.latency === undefined ? '' : figure(result.latency.avg / 1000),
  ];
}

/** Counts are a packet; times are modelled, under the named preset. */
export function textReport(results: readonly Result[], checked: readonly Outcome[]): string {
  const parts = groups(results).map(([workload, group]) =>
    [
      `${workload}, ${group[0]?.preset ?? ''}`,
      table([['structure', ...HEAD], ...group.map((result) => [result.structure, ...cells(result)])]),
    ].join('\n'),
  );
  const shapes = checked.map(
    ({ name, source, holds, less, more }) =>
      `${holds ? 'holds ' : 'FAILED'} ${name}: ${figure(less)} < ${figure(more)} (${source})`,
  );
  return [...parts, ['published shapes', ...shapes].join('\n')].join('\n\n');
}

/** A page that needs nothing but itself. */
export function htmlReport(results: readonly Result[], checked: readonly Outcome[]): string {
  const preset = results[0]?.preset ?? '';
  const sections = groups(results).map(([workload, group]) => {
    const rows = group.map((result) => [result.structure, ...cells(result)]);
    const exits = group.map(({ structure, exitsPerPacket }) => ({ label: structure, value: exitsPerPacket }));
    const costs = group.map((result) => ({ label: result.structure, parts: causes(result) }));
    const last =
      group[0]?.latency === undefined
        ? bars(
            'packets a second',
            group.map(({ structure, rate }) => ({ label: structure, value: rate })),
          )
        : bars(
            'round trip, microseconds',
            group.map(({ structure, latency }) => ({ label: structure, value: (latency?.avg ?? 0) / 1000 })),
          );
    const charts = [
      bars('exits a packet', exits),
      stacks('cycles of the hypervisor a packet, by cause', costs),
      last,
    ];
    return `<section><h2>${escape(workload)}</h2>${charts.join('')}${htmlTable([['structure', ...HEAD], ...rows])}</section>`;
  });
  const shapes = checked.map(({ name, source, holds, less, more }) => [
    holds ? 'holds' : 'failed',
    name,
    `${figure(less)} < ${figure(more)}`,
    source,
  ]);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Network I/O structures</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;font-size:13px}td,th{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}svg{display:block;margin:1rem 0}h2{margin-top:2.5rem}
</style></head><body>
<h1>Structures for network I/O of virtual machines</h1>
<p>Counts are exact; times are modelled under the cost preset <b>${escape(preset)}</b>, whose costs drove virtual time during the run.
All figures but rates are for one packet of the machine under test.</p>
<h2>Published shapes</h2>${htmlTable([['outcome', 'shape', 'figures', 'source'], ...shapes])}
${sections.join('\n')}
</body></html>
`;
}

/** Results as data, in the order in which they were measured. */
export function jsonReport(results: readonly Result[], checked: readonly Outcome[]): string {
  return `${JSON.stringify({ results, shapes: checked }, undefined, 1)}\n`;
}

/** One line a result; counts are sums. */
export function csvReport(results: readonly Result[]): string {
  const line = (values: readonly (string | number)[]): string => values.join(',');
  const head = [
    'preset',
    'workload',
    'structure',
    'packets',
    'exits',
    'doorbells',
    'injected',
    'copied_bytes',
  ];
  const rows = results.map(({ preset, workload, structure, packets, exitsPerPacket, costs, ...rest }) =>
    line([
      preset,
      workload,
      structure,
      packets,
      Math.round(exitsPerPacket * packets),
      costs.doorbells,
      costs.injected,
      costs.copiedBytes,
      costs.guestTime,
      costs.vmmTime,
      rest.rate,
      rest.latency?.avg ?? '',
    ]),
  );
  return `${[line([...head, 'guest_ns', 'vmm_ns', 'packets_per_s', 'rtt_ns']), ...rows].join('\n')}\n`;
}

function groups(results: readonly Result[]): [string, Result[]][] {
  const names = [...new Set(results.map(({ workload }) => workload))];
  return names.map((name) => [name, results.filter(({ workload }) => workload === name)]);
}

function causes({ costs, packets }: Result): { readonly name: string; readonly value: number }[] {
  return Object.entries(costs.cycles).map(([name, value]) => ({ name, value: value / Math.max(1, packets) }));
}

function htmlTable([head, ...rows]: readonly (readonly string[])[]): string {
  const row = (tag: string, values: readonly string[]): string =>
    `<tr>${values.map((value) => `<${tag}>${escape(value)}</${tag}>`).join('')}</tr>`;
  return `<table>${row('th', head ?? [])}${rows.map((values) => row('td', values)).join('')}</table>`;
}

const escape = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
