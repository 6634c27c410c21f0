import { closeSync, openSync, writeSync } from 'node:fs';
import { CliError } from '../error.js';
import { runLine } from '../monitor/commands.js';
import type { MonitorTarget } from '../monitor/target.js';
import type { CharacterPlan } from '../options/plan.js';
import { ESCAPE_HELP, EscapeFilter, type EscapeCommand } from './escape-filter.js';
import { Timestamps } from './timestamps.js';

/** The terminal, or what stands in for it. */
export interface TerminalStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
}

/** What a terminal needs of a machine's console. */
export interface SerialConsole {
  onOutput: ((bytes: Uint8Array) => void) | undefined;
  send(bytes: Uint8Array): void;
  sendBreak(): void;
}

const PROMPT = '(vmloom) ';
const CTRL_C = 3;
const BACKSPACES: readonly number[] = [8, 0x7f];

/** Connects the machine's console to where the command line wants it; the answer takes it back. @throws CliError */
export function connectSerial(
  console: SerialConsole,
  plan: CharacterPlan,
  target: MonitorTarget,
  streams: TerminalStreams,
  world: { readonly clock: { readonly now: number }; readonly outside: { attachSource(): () => void } },
): () => void {
  if (plan.kind === 'none') return () => undefined;
  if (plan.kind === 'file') return connectFile(console, plan.path);
  const terminal = new Terminal(console, target, streams, () => world.clock.now, plan.escapes);
  const detach = world.outside.attachSource();
  return () => {
    detach();
    terminal.close();
  };
}

function connectFile(console: SerialConsole, path: string): () => void {
  let file: number;
  try {
    file = openSync(path, 'w');
  } catch (cause) {
    throw new CliError(`the serial log ${path} cannot be written: ${(cause as Error).message}`);
  }
  console.onOutput = (bytes) => {
    writeSync(file, bytes);
  };
  return () => closeSync(file);
}

/** Console and monitor on one terminal, with Ctrl-a between them. */
class Terminal {
  readonly #timestamps: Timestamps;
  readonly #filter: EscapeFilter;
  readonly #onData: (data: Buffer) => void;
  #monitor = false;
  #line = '';
  /** Console output while the monitor has the terminal. */
  readonly #held: Uint8Array[] = [];

  constructor(
    readonly console: SerialConsole,
    readonly target: MonitorTarget,
    readonly streams: TerminalStreams,
    now: () => number,
    escapes: boolean,
  ) {
    this.#timestamps = new Timestamps(now);
    this.#filter = new EscapeFilter((command) => this.#command(command));
    console.onOutput = (bytes) => {
      if (this.#monitor) this.#held.push(bytes.slice());
      else streams.stdout.write(this.#timestamps.mark(bytes.slice()));
    };
    this.#onData = (data) => this.#typed(escapes ? this.#filter.filter(data) : data, escapes);
    streams.stdin.on('data', this.#onData);
    if (streams.stdin.isTTY) streams.stdin.setRawMode(true);
    streams.stdin.resume();
  }

  close(): void {
    const { stdin } = this.streams;
    this.console.onOutput = undefined;
    stdin.off('data', this.#onData);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  }

  #typed(bytes: Uint8Array, escapes: boolean): void {
    if (bytes.length === 0) return;
    if (this.#monitor) return this.#edit(bytes);
    // Without an escape character Ctrl-C is the only way out, as in QEMU.
    if (!escapes && this.streams.stdin.isTTY && bytes.includes(CTRL_C)) return this.target.quit();
    this.console.send(bytes);
  }

  #command(command: EscapeCommand): void {
    const { stdout } = this.streams;
    switch (command) {
      case 'quit':
        stdout.write('\r\nvmloom: terminated\r\n');
        this.target.quit();
        break;
      case 'help':
        stdout.write(`\r\n${ESCAPE_HELP}\r\n`);
        break;
      case 'timestamps':
        this.#timestamps.on = !this.#timestamps.on;
        break;
      case 'break':
        this.console.sendBreak();
        break;
      case 'switch':
        this.#monitor = !this.#monitor;
        this.#line = '';
        if (this.#monitor) stdout.write(`\r\nvmloom monitor - type 'help' for the commands\r\n${PROMPT}`);
        else for (const bytes of this.#held.splice(0)) stdout.write(bytes);
        break;
    }
  }

  #edit(bytes: Uint8Array): void {
    const { stdout } = this.streams;
    for (const byte of bytes) {
      if (byte === 13 || byte === 10) {
        const line = this.#line;
        this.#line = '';
        stdout.write('\r\n');
        void runLine(this.target, line)
          .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
          .then((output) => {
            if (output !== '') stdout.write(`${output.replaceAll('\n', '\r\n')}\r\n`);
            if (this.#monitor) stdout.write(PROMPT);
          });
      } else if (BACKSPACES.includes(byte)) {
        if (this.#line.length > 0) stdout.write('\b \b');
        this.#line = this.#line.slice(0, -1);
      } else if (byte >= 0x20) {
        this.#line += String.fromCharCode(byte);
        stdout.write(String.fromCharCode(byte));
      }
    }
  }
}
