/**
 * A vitest reporter whose only output is the last line of the process: `N passed, N failed`, and
 * `, N skipped` when tests were skipped. It is written from an `exit` handler, after every other reporter
 * and every late message.
 *
 * It counts test cases. A file that fails outside its tests (it does not load, or a hook throws) and an
 * error that belongs to no test count as one failure each, so that a broken run never reads as green.
 */

/**
 * @param {Iterable<{ state: string, tests: string[] }>} modules the result of each test file: its own
 *   state and the states of its tests
 * @param {number} strayErrors errors that belong to no test
 * @returns the closing line
 */
export function closingLine(modules, strayErrors) {
  const count = { passed: 0, failed: strayErrors, skipped: 0 };
  for (const { state, tests } of modules) {
    for (const test of tests) count[test === 'pending' ? 'skipped' : test]++;
    if (state === 'failed' && !tests.includes('failed')) count.failed++;
  }
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
  return `${count.passed} passed, ${count.failed} failed${skipped}`;
}

export default class ClosingLineReporter {
  #line = '0 passed, 1 failed';

  onInit() {
    process.once('exit', () => process.stdout.write(`${this.#line}\n`));
  }

  onTestRunEnd(testModules, unhandledErrors) {
    const modules = testModules.map((file) => ({
      state: file.state(),
      tests: [...file.children.allTests()].map((test) => test.result().state),
    }));
    this.#line = closingLine(modules, unhandledErrors.length);
  }
}
