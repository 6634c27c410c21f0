import { describe, expect, it } from 'vitest';
import { bars, htmlReport, lines } from './drawing.mjs';
import { shown, Table } from './table.mjs';

describe('tables of benchmarks', () => {
  it.each([
    [1.2345, '1.23'],
    [12.345, '12.3'],
    [1234.5, '1235'],
    [0.01234, '0.012'],
    [0, '0'],
    [NaN, '-'],
    ['7 %', '7 %'],
    [undefined, ''],
  ])('shows %s as %s', (cell, text) => expect(shown(cell)).toBe(text));

  it('prints each row at once, aligned below its title', () => {
    const lines = [];
    const table = new Table('T', [{ title: 'a', width: 4 }, { title: 'ratio' }], (line) => lines.push(line));
    expect(lines).toEqual(['## T', 'a     ratio']);
    table.row(['x', 1.5]);
    table.note('done');
    expect(lines.slice(2)).toEqual(['x      1.50', 'done']);
  });

  it('prints some of a curve, its first and last point among them', () => {
    const printed = [];
    const table = new Table('T', [{ title: 'a' }], (line) => printed.push(line));
    table.curve(
      'size',
      'MiB',
      Array.from({ length: 100 }, (_, second) => [second, 200 + second]),
    );
    expect(printed[2]).toMatch(/^size, MiB: 200 \(0 s\), .*, 299 \(99 s\)$/);
    expect(printed[2].match(/ s\)/g)).toHaveLength(13);
    table.curve('short', 'MiB', [[0, 5]]);
    expect(printed[3]).toBe('short, MiB: 5 (0 s)');
  });
});

describe('drawings of benchmarks', () => {
  const quiet = () => undefined;
  const edge = (svg, kind) =>
    new RegExp(`<rect class="${kind}" x="([\\d.]+)" y="\\d+" width="([\\d.]+)"`).exec(svg);

  it('draws what is faster to the right of 1 and what is slower to the left', () => {
    const svg = bars('T', [
      { label: 'a', value: 2 },
      { label: 'b', value: 0.5 },
    ]);
    const [, fast, width] = edge(svg, 'fast').map(Number);
    const [, slow, other] = edge(svg, 'slow').map(Number);
    expect(slow + other).toBeCloseTo(fast, 0);
    expect(width).toBeCloseTo(other, 0);
  });

  it('draws a curve from left to right, what is more above what is less, and names it', () => {
    const svg = lines('T', [
      {
        label: 'a < b',
        unit: 'MiB',
        points: [
          [0, 10],
          [60, 40],
          [120, 40],
        ],
      },
    ]);
    const points = /points="([^"]+)"/
      .exec(svg)[1]
      .split(' ')
      .map((point) => point.split(',').map(Number));
    expect(points[1][0] - points[0][0]).toBeCloseTo(points[2][0] - points[1][0], 0);
    expect(points[0][1]).toBeGreaterThan(points[1][1]);
    expect(points[1][1]).toBe(points[2][1]);
    expect(svg).toContain('a &lt; b');
  });

  it('writes each table, draws its ratios alone, and escapes what it shows', () => {
    const table = new Table(
      'A < B',
      [{ title: 'name' }, { title: 'ratio', ratio: true }, { title: 's' }],
      quiet,
    );
    table.row(['<k>', 1.5, 2]);
    table.row(['none', NaN, 2]);
    table.note('a & b');
    const page = htmlReport([table], 'x > y');
    expect(page.match(/<svg/g)).toHaveLength(1);
    expect(page.match(/<rect/g)).toHaveLength(1);
    for (const text of ['A &lt; B', '<p>x &gt; y</p>', '<td>&lt;k&gt;</td><td>1.50</td>', '<p>a &amp; b</p>'])
      expect(page).toContain(text);
  });
});
