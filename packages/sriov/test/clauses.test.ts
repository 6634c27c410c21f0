import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const text = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

describe('CLAUSES.md', () => {
  it('every test exists that the table names', () => {
    const files = new Map<string, string>();
    let named = 0;
    for (const [, file, title] of text('../CLAUSES.md').matchAll(/`([\w/-]+)\.test`: ([^|]+?) *\|/g)) {
      const path = `../src/${file}.test.ts`;
      if (!files.has(path)) files.set(path, text(path));
      for (const one of title.split(';')) {
        expect(files.get(path), `${file}.test: ${one.trim()}`).toContain(one.trim());
        named++;
      }
    }
    expect(named).toBeGreaterThan(30);
  });
});
