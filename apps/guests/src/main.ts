import { startDebian } from './commands/debian.js';
import { test } from './commands/test.js';
import { GuestsError } from './error.js';

const USAGE = `npm run guest -- debian [6.12|7.2] [--update] [--disk [IMAGE] [--overlay FILE]] [options of vmloom run]
npm run test:guests -- [--full] [--update] [--list] [words in names of tests]`;

/** The command line; the exit status. What a person did wrong is one sentence on stderr, never a stack. */
export async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    if (command === 'debian') return await startDebian(rest);
    if (command === 'test') return await test(rest, print);
    if (command === undefined || command === 'help' || command === '--help') {
      print(USAGE);
      return 0;
    }
    throw new GuestsError('bad-option', `there is no guest ${command}; usage:\n${USAGE}`);
  } catch (error) {
    if (!(error instanceof GuestsError)) throw error;
    process.stderr.write(`guests: ${error.message}\n`);
    return 1;
  }
}
