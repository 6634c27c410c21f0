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
  .line { fill: none; stroke-width: 1.5; }
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
    if (table.series.length > 0) drawings.push(lines(table.title, table.series));
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

const HEIGHT = 240;
const LEFT = 60;
const COLOURS = ['#2f7d5b', '#b4552d', '#3c6cb4', '#8a5aa8'];
const STEPS = 4;

/** Series over the time, in seconds, from 0 on both axes. */
export function lines(title, series) {
  const all = series.flatMap(({ points }) => points);
  const [longest, most] = [0, 1].map((axis) => Math.max(1, ...all.map((point) => point[axis])));
  const top = 24;
  const x = (seconds) => LEFT + (seconds / longest) * (WIDTH + LABELS - LEFT);
  const y = (value) => top + HEIGHT * (1 - value / (most * 1.05));
  const unit = series[0].unit;
  const marks = Array.from({ length: STEPS + 1 }, (_, index) => {
    const [value, seconds] = [(most * index) / STEPS, (longest * index) / STEPS];
    const at = y(value).toFixed(1);
    return `<line class="mark" x1="${LEFT}" x2="${WIDTH + LABELS}" y1="${at}" y2="${at}"/><text class="ink" x="${LEFT - 8}" y="${at}" text-anchor="end">${value.toFixed(0)}</text><text class="ink" x="${x(seconds).toFixed(1)}" y="${top + HEIGHT + 18}" text-anchor="middle">${seconds.toFixed(0)} s</text>`;
  });
  const drawn = series.map(({ label, points }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const path = points
      .map(([seconds, value]) => `${x(seconds).toFixed(1)},${y(value).toFixed(1)}`)
      .join(' ');
    const below = top + HEIGHT + 40 + index * 18;
    return `<polyline class="line" stroke="${colour}" points="${path}"/><rect x="${LEFT}" y="${below - 10}" width="12" height="12" fill="${colour}"/><text class="ink" x="${LEFT + 18}" y="${below}">${escaped(label)}</text>`;
  });
  const bottom = top + HEIGHT + 40 + series.length * 18;
  const width = WIDTH + LABELS + 30;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom}" width="${width}" role="img" aria-label="${escaped(title)}">
<text class="ink" x="0" y="14" font-weight="bold">${escaped(`${title}: ${unit}`)}</text>
${[...marks, ...drawn].join('\n')}
</svg>`;
}

function escaped(text) {
  const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return String(text).replace(/[&<>"]/g, (character) => names[character]);
}
