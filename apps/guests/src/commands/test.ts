import { join } from 'node:path';
import { GuestsError } from '../error.js';
import { runSuite } from '../suite/run-suite.js';
import { GUEST_TESTS } from '../suite/tests.js';

/**
 * `[--full] [--update] [--list] [words]`: the smoke set, everything, or the tests whose names contain a word.
 * The last line is `N passed, N failed`; the exit status. @throws GuestsError bad-option
 */
export async function test(argv: readonly string[], print: (line: string) => void): Promise<number> {
  const options = argv.filter((word) => word.startsWith('-'));
  const unknown = options.find((word) => !['--full', '--update', '--list'].includes(word));
  if (unknown !== undefined) throw new GuestsError('bad-option', `there is no option ${unknown}`);
  if (options.includes('--list')) {
    for (const { name, set } of GUEST_TESTS) print(`${set.padEnd(5)} ${name}`);
    return 0;
  }
  const { passed, failed } = await runSuite(GUEST_TESTS, {
    full: options.includes('--full'),
    update: options.includes('--update'),
    words: argv.filter((word) => !word.startsWith('-')),
    logs: join('.cache', 'guests'),
    mustFetch: process.env['CI'] === 'true',
    print,
  });
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
