import { demo } from './commands/demo.js';
import { devices } from './commands/devices.js';
import { help } from './commands/help.js';
import { run } from './commands/run.js';
import { topologyCommand } from './commands/topology.js';
import { CliError } from './error.js';
import type { TerminalStreams } from './serial/terminal.js';
import { didYouMean } from './suggest.js';

export interface MainStreams extends TerminalStreams {
  readonly stderr: NodeJS.WriteStream;
}

const COMMANDS = ['run', 'topology', 'demo', 'devices', 'help'] as const;

/** The command line; the exit status. What a person did wrong is one sentence on stderr, never a stack. */
export async function main(argv: readonly string[], streams: MainStreams): Promise<number> {
  try {
    return await dispatch(argv, streams);
  } catch (error) {
    if (!isSentence(error)) throw error;
    streams.stderr.write(`vmloom: ${error.message}\n`);
    return error instanceof CliError ? error.status : 1;
  }
}

async function dispatch(argv: readonly string[], streams: MainStreams): Promise<number> {
  const [command, ...rest] = argv;
  const print = (text: string): number => {
    streams.stdout.write(`${text}\n`);
    return 0;
  };
  switch (command) {
    case 'run':
      return run(rest, streams);
    case 'topology':
      return topologyCommand(rest, streams.stdout);
    case 'demo':
      return demo(rest, streams.stdout);
    case 'devices':
      return print(devices(rest));
    case undefined:
    case 'help':
    case '-h':
    case '--help':
      return print(help());
    default:
      throw new CliError(`there is no command ${command}${didYouMean(command, COMMANDS)}; see vmloom help`);
  }
}

const ERRORS: ReadonlySet<string> = new Set([
  'CliError',
  'MachineError',
  'MemoryError',
  'DeviceError',
  'PciError',
  'NetError',
  'E1000Error',
  'GuestError',
  'HypervisorError',
  'VirtioError',
  'TopologyError',
]);

/** The packages' own errors carry a sentence for people; anything else is a bug. */
function isSentence(error: unknown): error is Error {
  return error instanceof Error && ERRORS.has(error.name);
}
