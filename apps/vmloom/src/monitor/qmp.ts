import { CliError } from '../error.js';
import { runLine } from './commands.js';
import type { MonitorTarget } from './target.js';

const VERSION = { qemu: { major: 0, minor: 1, micro: 0 }, package: 'vmloom' };
/** A peer that sends more than this without a newline is cut off, in characters. */
const LONGEST_LINE = 1 << 20;

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type Arguments = { readonly [name: string]: Json };

interface Handler {
  (target: MonitorTarget, args: Arguments): Json | Promise<Json>;
}

const text = (args: Arguments, name: string): string => {
  const value = args[name];
  if (typeof value !== 'string') throw new CliError(`the argument ${name} is a string`);
  return value;
};
const nothing = (act: (target: MonitorTarget) => void): Handler => {
  return (target) => {
    act(target);
    return {};
  };
};

const HANDLERS: Readonly<Record<string, Handler>> = {
  'query-version': () => VERSION,
  'query-name': (target) => ({ name: target.name }),
  'query-status': (target) => ({ status: target.status(), running: target.status() === 'running' }),
  'query-commands': () => [...Object.keys(HANDLERS), 'qmp_capabilities'].map((name) => ({ name })),
  stop: nothing((target) => target.stop()),
  cont: nothing((target) => target.cont()),
  system_reset: nothing((target) => target.reset()),
  system_powerdown: nothing((target) => target.powerDown()),
  quit: nothing((target) => target.quit()),
  set_link: (target, args) => {
    if (typeof args['up'] !== 'boolean') throw new CliError('the argument up is true or false');
    target.setLink(text(args, 'name'), args['up']);
    return {};
  },
  savevm: async (target, args) => {
    await target.saveSnapshot(text(args, 'name'));
    return {};
  },
  loadvm: async (target, args) => {
    await target.loadSnapshot(text(args, 'name'));
    return {};
  },
  info: (target, args) => runLine(target, `info ${text(args, 'topic')}`),
  'human-monitor-command': async (target, args) => {
    const output = await runLine(target, text(args, 'command-line'));
    return output === '' ? '' : `${output}\n`.replaceAll('\n', '\r\n');
  },
};

/** One connection to the monitor, in the form of the QEMU Machine Protocol: JSON objects, one to a line. */
export class QmpSession {
  #buffer = '';
  #negotiated = false;
  #last: Promise<void> = Promise.resolve();

  /** `send` takes one line at a time; `close` ends the connection. */
  constructor(
    readonly target: MonitorTarget,
    readonly send: (line: string) => void,
    readonly close: () => void,
  ) {
    this.#answer({ QMP: { version: VERSION, capabilities: [] } });
  }

  /** What came from the peer. Commands are carried out one after the other. */
  receive(characters: string): void {
    this.#buffer += characters;
    if (this.#buffer.length > LONGEST_LINE) return this.close();
    const lines = this.#buffer.split('\n');
    this.#buffer = lines.pop()!;
    for (const line of lines) {
      if (line.trim() !== '') this.#last = this.#last.then(() => this.#command(line));
    }
  }

  /** Resolves when every command received so far is answered. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** An event of the machine: STOP, RESUME, RESET, SHUTDOWN. `time` in nanoseconds. */
  event(name: string, time: number, data: { readonly [name: string]: Json } = {}): void {
    if (!this.#negotiated) return;
    const timestamp = { seconds: Math.floor(time / 1e9), microseconds: Math.floor((time % 1e9) / 1e3) };
    this.#answer({ event: name, data, timestamp });
  }

  #answer(object: { readonly [name: string]: Json }): void {
    this.send(`${JSON.stringify(object)}\r\n`);
  }

  async #command(line: string): Promise<void> {
    let id: Json | undefined;
    try {
      const command = parse(line);
      id = command['id'];
      const result = await this.#execute(command);
      this.#answer({ return: result, ...(id === undefined ? {} : { id }) });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const kind = error instanceof UnknownCommand ? 'CommandNotFound' : 'GenericError';
      this.#answer({ error: { class: kind, desc: error.message }, ...(id === undefined ? {} : { id }) });
    }
  }

  async #execute(command: { readonly [name: string]: Json }): Promise<Json> {
    const name = command['execute'];
    const args = command['arguments'] ?? {};
    if (typeof name !== 'string') throw new CliError('a command is {"execute": NAME, "arguments": {…}}');
    if (typeof args !== 'object' || args === null || Array.isArray(args))
      throw new CliError('arguments is an object');
    if (name === 'qmp_capabilities') {
      this.#negotiated = true;
      return {};
    }
    if (!this.#negotiated)
      throw new UnknownCommand(`expecting capabilities negotiation with qmp_capabilities before ${name}`);
    const handler = Object.hasOwn(HANDLERS, name) ? HANDLERS[name] : undefined;
    if (handler === undefined) throw new UnknownCommand(`the command ${name} has not been found`);
    return handler(this.target, args as Arguments);
  }
}

class UnknownCommand extends CliError {}

function parse(line: string): { readonly [name: string]: Json } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new CliError('invalid JSON syntax');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CliError('a command is a JSON object');
  }
  return value as { readonly [name: string]: Json };
}
