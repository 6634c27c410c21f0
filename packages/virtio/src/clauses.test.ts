import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const text = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/** Each table, and how many proofs it names at least. */
const TABLES: readonly (readonly [table: string, proofs: number])[] = [
  ['../CLAUSES.md', 90],
  ['9p/CLAUSES.md', 50],
  ['blk/CLAUSES.md', 35],
  ['console/CLAUSES.md', 18],
  ['net/CLAUSES.md', 60],
  ['rng/CLAUSES.md', 8],
  ['vsock/CLAUSES.md', 30],
];

it.each(TABLES)('every test exists that the table %s names', (table, proofs) => {
  let named = 0;
  for (const [, file, titles] of text(table).matchAll(
    /`([\w/-]+)\.test`: ([^|]+?)(?= *\||; (?:defined by )?`)/g,
  )) {
    for (const title of titles.split(';')) {
      const start = title.trim();
      expect(text(`${file}.test.ts`).includes(start), `${file}.test: ${start}`).toBe(true);
      named++;
    }
  }
  expect(named).toBeGreaterThanOrEqual(proofs);
});
