import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const text = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

it('every test exists that the table of clauses names', () => {
  let named = 0;
  for (const [, file, titles] of text('../CLAUSES.md').matchAll(/`([\w-]+)\.test`: ([^|]+?)(?= *\||; `)/g)) {
    for (const title of titles.split(';')) {
      expect(text(`${file}.test.ts`).includes(title.trim()), `${file}.test: ${title.trim()}`).toBe(true);
      named++;
    }
  }
  expect(named).toBeGreaterThan(50);
});
