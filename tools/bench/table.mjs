const GAP = '  ';
/** Points of a curve that are printed. */
const PRINTED = 13;

/** A table that prints each row when it is there, since the next may take minutes. */
export class Table {
  rows = [];
  notes = [];
  /** What is drawn as lines below the table: `{ label, unit, points: [x, y][] }`. */
  series = [];

  /**
   * @param {string} title
   * @param {{ title: string, width?: number, ratio?: boolean }[]} columns the first is aligned to the left; those with
   *   `ratio` are drawn as bars
   * @param {(line: string) => void} print
   */
  constructor(title, columns, print = console.log) {
    this.title = title;
    this.columns = columns;
    this.print = print;
    print(`## ${title}`);
    print(this.#line(columns.map((column) => column.title)));
  }

  /** A cell is a text, or a number that is shown with three digits. */
  row(cells) {
    this.rows.push(cells);
    this.print(this.#line(cells.map(shown)));
  }

  note(text) {
    this.notes.push(text);
    this.print(text);
  }

  /** Values over the time, in seconds: some of them are printed, all are drawn. */
  curve(label, unit, points) {
    this.series.push({ label, unit, points });
    const count = Math.min(PRINTED, points.length);
    const place = (index) => Math.round((index * (points.length - 1)) / Math.max(1, count - 1));
    const some = Array.from({ length: count }, (_, index) => points[place(index)]);
    const text = some.map(([x, y]) => `${y.toFixed(0)} (${x.toFixed(0)} s)`);
    this.print(`${label}, ${unit}: ${text.join(', ')}`);
  }

  #line(cells) {
    const width = (column) => Math.max(column.width ?? 0, column.title.length);
    return cells
      .map((cell, index) =>
        index === 0 ? cell.padEnd(width(this.columns[0])) : cell.padStart(width(this.columns[index])),
      )
      .join(GAP)
      .trimEnd();
  }
}

/** Three significant digits, without exponents. */
export function shown(cell) {
  if (typeof cell !== 'number') return cell ?? '';
  if (!Number.isFinite(cell)) return '-';
  const digits = Math.abs(cell) < 1e-9 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(cell))));
  return cell.toFixed(Math.min(digits, 3));
}
