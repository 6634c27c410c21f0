import { shown } from './table.mjs';

const BAR = 14;
const ROW = 22;
const LABELS = 190;
const WIDTH = 520;
const MARKS = [0.1, 0.2, 0.5, 1, 2, 5, 10];

const STYLE = `
  :root { color-scheme: light dark; --ink: #1d2329; --faint: #cfd6dd; --fast: #2f7d5b; --slow: #b4552d; --page: #fff; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #dfe5ea; --faint: #3a434c; --fast: #5cb98d; --slow: #e08a5f; --page: #14181c; }
  }
  body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
  th, td { padding: 0.2rem 0.8rem 0.2rem 0; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; }
  svg { max-width: 100%; height: auto; font: 13px system-ui, sans-serif; margin-top: 1rem; }
  .ink { fill: var(--ink); } .fast { fill: var(--fast); } .slow { fill: var(--slow); }
  .mark { stroke: var(--faint); } .one { stroke: var(--ink); }
`;

/** Tables as a page of its own below a sentence, each column of ratios drawn as bars to both sides of 1. */
export function htmlReport(tables, lead) {
  const sections = tables.map((table) => {
    const head = table.columns.map(({ title }) => `<th>${escaped(title)}</th>`).join('');
    const rows = table.rows.map(
      (row) => `<tr>${row.map((cell) => `<td>${escaped(shown(cell))}</td>`).join('')}</tr>`,
    );
    const notes = table.notes.map((note) => `<p>${escaped(note)}</p>`).join('\n');
    const drawings = table.columns.flatMap((column, index) =>
      column.ratio ? [bars(`${table.title}: ${column.title}`, barsOf(table, index))] : [],
    );
    return `<h2>${escaped(table.title)}</h2>
<table><thead><tr>${head}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table>
${notes}
${drawings.join('\n')}`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>vmloom: benchmarks</title>
<style>${STYLE}</style>
<h1>vmloom beside its peers</h1>
<p>${escaped(lead)}</p>
${sections.join('\n')}
</html>
`;
}

function barsOf(table, index) {
  return table.rows
    .filter((row) => Number.isFinite(row[index]) && row[index] > 0)
    .map((row) => ({ label: row[0], value: row[index] }));
}

/** Bars on a logarithmic scale: to the right of 1 is faster than the peer. */
export function bars(title, values) {
  const numbers = values.map(({ value }) => value);
  const least = Math.min(0.5, ...numbers) / 1.1;
  const most = Math.max(2, ...numbers) * 1.1;
  const x = (value) => LABELS + (Math.log(value / least) / Math.log(most / least)) * (WIDTH - 40);
  const bottom = 30 + values.length * ROW;
  const marks = MARKS.filter((mark) => mark > least && mark < most).map((mark) => {
    const at = x(mark).toFixed(1);
    const kind = mark === 1 ? 'one' : 'mark';
    return `<line class="${kind}" x1="${at}" x2="${at}" y1="24" y2="${bottom}"/><text class="ink" x="${at}" y="${bottom + 16}" text-anchor="middle">${mark}</text>`;
  });
  const drawn = values.map(({ label, value }, index) => {
    const y = 30 + index * ROW;
    const [from, to] = [x(1), x(value)].sort((a, b) => a - b);
    const kind = value >= 1 ? 'fast' : 'slow';
    return `<text class="ink" x="0" y="${y + 12}">${escaped(label)}</text><rect class="${kind}" x="${from.toFixed(1)}" y="${y}" width="${Math.max(to - from, 1).toFixed(1)}" height="${BAR}"/><text class="ink" x="${(to + 5).toFixed(1)}" y="${y + 12}">${shown(value)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LABELS + WIDTH + 30} ${bottom + 24}" width="${LABELS + WIDTH + 30}" role="img" aria-label="${escaped(title)}">
<text class="ink" x="0" y="14" font-weight="bold">${escaped(title)}</text>
${[...marks, ...drawn].join('\n')}
</svg>`;
}

function escaped(text) {
  const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return String(text).replace(/[&<>"]/g, (character) => names[character]);
}
