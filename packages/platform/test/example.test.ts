import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { run } from './example.js';

const text = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

describe('README', () => {
  it('the example runs', () => {
    expect(run()).toEqual({
      taken: 3,
      before: false,
      after: true,
      source: 10,
      line: 'ls\n',
      done: true,
      output: '$',
    });
  });

  it('shows the example as it is', () => {
    const example = text('example.ts')
      .replace('../src/index.js', '@vmloom/platform')
      .replace('../src/testing/index.js', '@vmloom/platform/testing');
    expect(text('../README.md')).toContain(example.trimEnd());
  });

  it('every clause test exists that the clause table names', () => {
    const files = new Map<string, string>();
    let named = 0;
    for (const [, file, title] of text('../CLAUSES.md').matchAll(/`([\w/-]+)\.test`: ([^|]+?) *\|/g)) {
      const path = `../src/${file}.test.ts`;
      if (!files.has(path)) files.set(path, text(path));
      for (const one of title.split(';')) {
        expect(files.get(path)?.includes(one.trim()), `${file}.test: ${one.trim()}`).toBe(true);
        named++;
      }
    }
    expect(named).toBeGreaterThan(100);
  });
});
