import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';

const PROGRAM = 'qemu-system-riscv64';

/** Whether QEMU's RISC-V machine is installed here. */
export const qemuInstalled = (): boolean => spawnSync(PROGRAM, ['--version']).status === 0;

export type RegisterWidth = 1 | 4;
/** One access of a register script; a write has a value. */
export interface RegisterAccess {
  readonly address: number;
  readonly width: RegisterWidth;
  readonly value?: number;
}

const LETTERS = { 1: 'b', 4: 'l' } as const;

/** QEMU's `virt` machine with its harts held, driven register by register through the qtest protocol. */
export class Qtest {
  readonly #process: ChildProcess;
  readonly #commands: Writable;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor(...options: string[]) {
    const held = [
      '-M',
      'virt',
      '-S',
      '-qtest',
      'stdio',
      '-display',
      'none',
      '-monitor',
      'none',
      '-bios',
      'none',
    ];
    // The protocol's log on stderr is not wanted, and unread it would block QEMU.
    this.#process = spawn(PROGRAM, [...held, '-serial', 'null', ...options], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#commands = this.#process.stdin as Writable;
    createInterface({ input: this.#process.stdout as Readable }).on('line', (line) =>
      this.#waiting.shift()?.(line),
    );
  }

  /** The value of a read; 0 for a write. */
  async access({ address, width, value }: RegisterAccess): Promise<number> {
    const letter = LETTERS[width];
    const at = `0x${address.toString(16)}`;
    this.#commands.write(
      value === undefined ? `read${letter} ${at}\n` : `write${letter} ${at} 0x${value.toString(16)}\n`,
    );
    const line = await new Promise<string>((resolve) => this.#waiting.push(resolve));
    if (!line.startsWith('OK')) throw new Error(`qtest answers ${line}`);
    return value === undefined ? Number(line.slice(3)) : 0;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }
}
