import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MAX_LINES, findLongFiles, findMachineTraces } from './tracked-files.mjs';

let root;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tracked-'));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function lay(file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
  return file;
}

describe('file length', () => {
  it('allows the limit, and not one line more', () => {
    const exact = lay('exact.ts', 'x\n'.repeat(MAX_LINES));
    const over = lay('over.c', 'x\n'.repeat(MAX_LINES + 1));
    expect(findLongFiles(root, [exact, over], {})).toEqual([expect.stringMatching(/^over\.c has 501 lines/)]);
  });

  it('allows a listed file, and refuses a listing that is no longer needed', () => {
    const over = lay('over.ts', 'x\n'.repeat(MAX_LINES + 1));
    expect(findLongFiles(root, [over], { 'over.ts': 'one table' })).toEqual([]);
    expect(findLongFiles(root, [], { 'over.ts': 'one table' })).toEqual([
      expect.stringContaining('no longer'),
    ]);
  });

  it('looks at sources only', () => {
    const data = lay('data.json', 'x\n'.repeat(MAX_LINES * 2));
    expect(findLongFiles(root, [data], {})).toEqual([]);
  });
});

describe('machine traces', () => {
  const find = (text) =>
    findMachineTraces(root, [lay('f.txt', text)], ['mirror.example.test'], ['/barn/', '/data/me/']);

  it('finds a host of the package sources, without repeating it', () => {
    const faults = find('first\n"resolved": "https://mirror.example.test/x.tgz"\n');
    expect(faults).toEqual(["f.txt:2 names a host of this machine's package sources"]);
  });

  it.each(['"/barn/x"', 'see /barn/bin/y', 'file:///barn/x', 'cd /data/me/z', '\0bytes\0/barn/main\0'])(
    'finds an absolute path in %j',
    (text) => expect(find(text)).toEqual([expect.stringContaining('f.txt:1')]),
  );

  it.each([
    'my.mirror.example.testing',
    '../barn/x',
    'src/barn/x',
    '${root}/barn/x',
    'a /barn/ b',
    '/barner/x',
  ])('leaves %j alone', (text) => expect(find(text)).toEqual([]));
});
