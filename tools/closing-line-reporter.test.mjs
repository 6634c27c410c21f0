import { describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closingLine } from './closing-line-reporter.mjs';

describe('closingLine', () => {
  it('counts test cases', () => {
    const files = [
      { state: 'passed', tests: ['passed', 'passed'] },
      { state: 'failed', tests: ['failed', 'passed'] },
    ];
    expect(closingLine(files, 0)).toBe('3 passed, 1 failed');
  });

  it('counts a file that does not load, and an error of no test, as one failure each', () => {
    expect(closingLine([{ state: 'failed', tests: [] }], 2)).toBe('0 passed, 3 failed');
  });

  it('names skipped tests only when there are some', () => {
    expect(closingLine([{ state: 'passed', tests: ['passed', 'skipped'] }], 0)).toBe(
      '1 passed, 0 failed, 1 skipped',
    );
  });

  it('counts a test that never ran as skipped', () => {
    expect(closingLine([{ state: 'pending', tests: ['pending'] }], 1)).toBe('0 passed, 1 failed, 1 skipped');
  });
});

describe('a vitest process', () => {
  it('ends with the closing line and a non-zero exit when a file does not load', () => {
    const tools = dirname(fileURLToPath(import.meta.url));
    const root = mkdtempSync(join(tools, '../node_modules/.reporter-'));
    try {
      writeFileSync(join(root, 'vitest.config.mjs'), 'export default {};\n');
      writeFileSync(
        join(root, 'good.test.mjs'),
        "import { it } from 'vitest';\nit('a', () => {});\nit.skip('b', () => {});\n" +
          "process.on('exit', () => console.log('late'));\n",
      );
      writeFileSync(join(root, 'bad.test.mjs'), "import './nowhere.mjs';\n");
      const run = spawnSync(
        process.execPath,
        [
          join(tools, '../node_modules/vitest/vitest.mjs'),
          'run',
          '--reporter=default',
          `--reporter=${join(tools, 'closing-line-reporter.mjs')}`,
        ],
        { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_ENV: 'test', VITEST: '' } },
      );
      expect(run.stdout.trimEnd().split('\n').at(-1)).toBe('1 passed, 1 failed, 1 skipped');
      expect(run.status).toBe(1);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
