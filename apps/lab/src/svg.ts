const LABEL = 190;
const WIDTH = 900;
const ROW = 20;
const COLOURS = [
  '#4c78a8',
  '#f58518',
  '#54a24b',
  '#e45756',
  '#72b7b2',
  '#b279a2',
  '#ff9da6',
  '#9d755d',
  '#bab0ac',
  '#eeca3b',
  '#2f4b7c',
  '#a05195',
  '#665191',
];

export interface Bar {
  readonly label: string;
  readonly value: number;
}

export interface Stack {
  readonly label: string;
  readonly parts: readonly { readonly name: string; readonly value: number }[];
}

/** Horizontal bars with their figures, as an SVG element. */
export function bars(title: string, rows: readonly Bar[]): string {
  return stacks(
    title,
    rows.map(({ label, value }) => ({ label, parts: [{ name: '', value }] })),
  );
}

/** Horizontal bars cut by cause, with a legend. */
export function stacks(title: string, rows: readonly Stack[]): string {
  const names = [...new Set(rows.flatMap(({ parts }) => parts.map(({ name }) => name)))];
  const total = ({ parts }: Stack): number => parts.reduce((sum, { value }) => sum + value, 0);
  const most = Math.max(...rows.map(total), Number.MIN_VALUE);
  const scale = (WIDTH - LABEL - 80) / most;
  const lines = rows.map((row, index) => {
    const y = 26 + index * ROW;
    let x = LABEL;
    const boxes = row.parts.map(({ name, value }) => {
      const width = value * scale;
      const colour = COLOURS[names.indexOf(name) % COLOURS.length];
      const box = `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${ROW - 5}" fill="${colour}"/>`;
      x += width;
      return value > 0 ? box : '';
    });
    const sum = total(row);
    const text = sum < 10 ? sum.toFixed(2) : sum.toFixed(0);
    return `<text x="${LABEL - 8}" y="${y + 12}" text-anchor="end">${row.label}</text>${boxes.join('')}<text x="${round(x + 6)}" y="${y + 12}">${text}</text>`;
  });
  const foot = 26 + rows.length * ROW;
  const legend = names
    .filter((name) => name !== '')
    .map((name, index) => {
      const x = LABEL + (index % 5) * 140;
      const y = foot + 6 + Math.floor(index / 5) * 18;
      return `<rect x="${x}" y="${y}" width="12" height="12" fill="${COLOURS[index % COLOURS.length]}"/><text x="${x + 17}" y="${y + 11}">${name}</text>`;
    });
  const height = foot + 10 + Math.ceil(legend.length / 5) * 18;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12"><text x="0" y="14" font-weight="bold">${title}</text>${lines.join('')}${legend.join('')}</svg>`;
}

const round = (value: number): string => value.toFixed(1);
