import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const PROGRAM = 'qemu-system-riscv64';
/** The version whose devices are compared with. */
const VERSION = /version 7\.2\./;
/** The `virt` machine's ECAM: slot 1 of bus 0. */
const CONFIG = 0x3000_0000 + (1 << 15);

/** Why there is nothing to compare with; undefined when there is. */
export function qemuMissing(): string | undefined {
  const { error, status, stdout } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
  if (error !== undefined || status !== 0) return `${PROGRAM} is not installed`;
  return VERSION.test(stdout) ? undefined : `the expectations are of ${PROGRAM} 7.2, another is installed`;
}

/** One device in slot 1 of QEMU's `virt` machine, whose harts stand still; reached through the qtest protocol. */
export class QtestDevice {
  readonly #process: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor(...options: string[]) {
    const machine = '-M virt -m 16 -S -bios none -nodefaults -display none -qtest stdio'.split(' ');
    // The protocol's log on stderr is not wanted, and unread it would block QEMU.
    this.#process = spawn(PROGRAM, [...machine, ...options], { stdio: ['pipe', 'pipe', 'ignore'] });
    createInterface({ input: this.#process.stdout as Readable }).on('line', (line) =>
      this.#waiting.shift()?.(line),
    );
    this.#process.once('close', () => {
      for (const answer of this.#waiting.splice(0)) answer('nothing: QEMU ended');
    });
    (this.#process.stdin as Writable).on('error', () => undefined);
  }

  /** A word of configuration space. */
  async read(offset: number): Promise<number> {
    return Number((await this.#command(`readl 0x${(CONFIG + offset).toString(16)}`)).slice(3));
  }

  async write(offset: number, value: number): Promise<void> {
    await this.#command(`writel 0x${(CONFIG + offset).toString(16)} 0x${(value >>> 0).toString(16)}`);
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }

  async #command(line: string): Promise<string> {
    const answer = new Promise<string>((resolve) => this.#waiting.push(resolve));
    (this.#process.stdin as Writable).write(`${line}\n`);
    const text = await answer;
    if (!text.startsWith('OK')) throw new Error(`qtest answers ${text}`);
    return text;
  }
}
