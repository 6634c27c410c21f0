import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const text = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

it('every test exists that the table of AIA clauses names', () => {
  let named = 0;
  for (const [, file, titles] of text('../AIA-CLAUSES.md').matchAll(/`([\w-]+)\.test`: ([^|]+?) *\|/g)) {
    for (const title of titles.split(';')) {
      const start = `it('${title.trim()}`;
      expect(text(`${file}.test.ts`).includes(start), `${file}.test: ${title}`).toBe(true);
      named++;
    }
  }
  expect(named).toBeGreaterThan(25);
});
