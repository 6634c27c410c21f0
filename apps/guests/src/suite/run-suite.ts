import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { GuestsError } from '../error.js';
import type { GuestTest } from './guest-test.js';
import { Report } from './report.js';

export interface SuiteOptions {
  /** The whole matrix. */
  readonly full?: boolean;
  /** Only tests whose names contain one of these. */
  readonly words?: readonly string[];
  readonly update?: boolean;
  /** Where console logs of failed tests stay. */
  readonly logs: string;
  /** A machine that cannot fetch guests fails instead of passing them over. */
  readonly mustFetch: boolean;
  readonly print: (line: string) => void;
}

export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
}

/** Runs the tests one after the other: each check is a line, a test that throws is one failure. */
export async function runSuite(tests: readonly GuestTest[], options: SuiteOptions): Promise<SuiteResult> {
  const { print, words = [] } = options;
  const chosen = tests.filter(
    ({ name, set }) =>
      (options.full === true || set === 'smoke' || words.length > 0) &&
      (words.length === 0 || words.some((word) => name.includes(word))),
  );
  const total = { passed: 0, failed: 0 };
  if (chosen.length === 0)
    throw new GuestsError('bad-option', `no test has a name with: ${words.join(', ')}`);
  for (const test of chosen) {
    const report = new Report(test.name, print);
    const began = performance.now();
    let log = '';
    try {
      await test.run({ report, update: options.update === true, keepLog: (text) => (log += text) });
    } catch (error) {
      if (cannotFetch(error) && !options.mustFetch) report.note(`left out. ${error.message}`);
      else report.check('runs to its end', false, error instanceof Error ? error.message : String(error));
    }
    report.note(`${((performance.now() - began) / 1000).toFixed(1)} s`);
    const file = join(options.logs, `${test.name.replace(/[^a-z0-9.]+/gi, '-')}.log`);
    if (report.failed > 0 && log !== '') {
      mkdirSync(options.logs, { recursive: true });
      writeFileSync(file, log);
      report.note(`its console: ${relative(process.cwd(), file)}`);
    } else rmSync(file, { force: true });
    total.passed += report.passed;
    total.failed += report.failed;
  }
  return total;
}

function cannotFetch(error: unknown): error is GuestsError {
  return error instanceof GuestsError && (error.code === 'no-apt' || error.code === 'no-mirror');
}
