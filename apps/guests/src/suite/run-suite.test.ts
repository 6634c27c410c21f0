import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GuestsError } from '../error.js';
import type { GuestTest, TestContext } from './guest-test.js';
import { runSuite, type SuiteOptions } from './run-suite.js';

let logs: string;
let lines: string[];

beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), 'vmloom-suite-'));
  lines = [];
});
afterEach(() => rmSync(logs, { recursive: true }));

const test = (name: string, set: 'smoke' | 'full', run: (context: TestContext) => void): GuestTest => ({
  name,
  set,
  run: async (context) => run(context),
});
const options = (more: Partial<SuiteOptions> = {}): SuiteOptions => ({
  logs,
  mustFetch: true,
  print: (line) => lines.push(line),
  ...more,
});
const pass = ({ report }: TestContext): void => report.check('works', true);

describe('runSuite', () => {
  it('counts checks over all tests and prints a line for each', async () => {
    const tests = [
      test('a', 'smoke', pass),
      test('b', 'smoke', ({ report }) => report.check('works', false, 'it does not')),
    ];
    expect(await runSuite(tests, options())).toEqual({ passed: 1, failed: 1 });
    expect(lines).toContain('ok     a: works');
    expect(lines).toContain('FAILED b: works: it does not');
  });

  it('runs the smoke set unless the full one is asked for, or a test by its name', async () => {
    const tests = [test('a', 'smoke', pass), test('b', 'full', pass)];
    expect((await runSuite(tests, options())).passed).toBe(1);
    expect((await runSuite(tests, options({ full: true }))).passed).toBe(2);
    expect((await runSuite(tests, options({ words: ['b'] }))).passed).toBe(1);
    await expect(runSuite(tests, options({ words: ['c'] }))).rejects.toThrow('no test has a name with: c');
  });

  it('keeps the console of a test that failed, and of none that passed', async () => {
    const tests = [
      test('bad one', 'smoke', ({ report, keepLog }) => {
        keepLog('its words');
        report.check('works', false);
      }),
      test('good', 'smoke', (context) => {
        context.keepLog('words');
        pass(context);
      }),
    ];
    await runSuite(tests, options());
    expect(readFileSync(join(logs, 'bad-one.log'), 'utf8')).toBe('its words');
    expect(existsSync(join(logs, 'good.log'))).toBe(false);
  });

  it('a test that throws is one failure, and the others still run', async () => {
    const tests = [
      test('a', 'smoke', () => {
        throw new Error('boom');
      }),
      test('b', 'smoke', pass),
    ];
    expect(await runSuite(tests, options())).toEqual({ passed: 1, failed: 1 });
    expect(lines.join('\n')).toContain('boom');
  });

  it.each(['no-apt', 'no-mirror'] as const)(
    '%s: a failure where guests must be fetched, a sentence elsewhere',
    async (code) => {
      const tests = [
        test('a', 'smoke', () => {
          throw new GuestsError(code, 'no apt here');
        }),
      ];
      expect(await runSuite(tests, options())).toEqual({ passed: 0, failed: 1 });
      expect(await runSuite(tests, options({ mustFetch: false }))).toEqual({ passed: 0, failed: 0 });
      expect(lines.join('\n')).toContain('left out. no apt here');
    },
  );
});
