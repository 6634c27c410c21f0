import { describe, expect, it, vi } from 'vitest';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { documents, extractExamples, promisedOutput, unpromised } from './examples.mjs';

const WORKSPACE = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const FOLDER = join(WORKSPACE, '.cache/readme');

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const examples = documents(WORKSPACE).flatMap((document) =>
  extractExamples(readFileSync(join(WORKSPACE, document), 'utf8')).map(({ line, code }) => {
    const file = join(FOLDER, `${document.replace(/\.md$/, '').replaceAll('/', '-')}-${line}.ts`);
    writeFileSync(file, `${code}export {};\n`);
    return { name: `${document}:${line}`, file, code };
  }),
);

describe('the examples of the documents', () => {
  it.each(examples)('$name runs, and prints what it says', async ({ file, code }) => {
    const printed = [];
    const log = vi
      .spyOn(console, 'log')
      .mockImplementation((...words) => void printed.push(...words.join(' ').split('\n')));
    try {
      await import(/* @vite-ignore */ file);
    } finally {
      log.mockRestore();
    }
    expect(unpromised(printed, promisedOutput(code))).toBeUndefined();
  });

  it('type-check', () => {
    const config = {
      extends: '../../tsconfig.base.json',
      compilerOptions: {
        composite: false,
        declaration: false,
        declarationMap: false,
        noEmit: true,
        noUnusedLocals: false,
        types: ['node'],
      },
      include: ['*.ts'],
    };
    writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(WORKSPACE, 'node_modules/typescript/bin/tsc');
    const result = spawnSync(process.execPath, [tsc, '-p', FOLDER], { cwd: FOLDER, encoding: 'utf8' });
    expect(result.error).toBeUndefined();
    // An error of a package itself, with a path that leads out of here, is the linter's to report.
    expect(result.stdout.split('\n').filter((line) => /^[\w-]+\.ts\(/.test(line))).toEqual([]);
  });
});

describe('extractExamples', () => {
  it('takes blocks of ts that import, with their line, and no others', () => {
    const text =
      'a\n\n```ts\nimport a;\n\nlet b;\n```\n```sh\nls\n```\n```ts\nlet c;\n```\n```ts no-run\nimport d;\n```\n';
    expect(extractExamples(text)).toEqual([{ line: 4, code: 'import a;\n\nlet b;\n' }]);
  });

  it('joins a block to the one that it continues', () => {
    const text = '```ts\nimport a;\n```\nprose\n```ts continued\na = 1;\n```\n';
    expect(extractExamples(text)).toEqual([{ line: 2, code: 'import a;\na = 1;\n' }]);
    expect(() => extractExamples('```ts continued\n```\n')).toThrow('continues no example');
  });
});

describe('unpromised', () => {
  const promised = promisedOutput(
    "log(1); // 11: why\nx(); // a note\n// a whole line\nlog('http://x'); // done\n",
  );

  it('reads the comments that end lines', () => {
    expect(promised).toEqual(['11: why', 'a note', 'done']);
  });

  it('takes the lines in their order, with notes between', () => {
    expect(unpromised(['11', 'done'], promised)).toBeUndefined();
    expect(unpromised(['done', '11'], promised)).toBe('11');
    expect(unpromised(['11', '12'], promised)).toBe('12');
  });
});
