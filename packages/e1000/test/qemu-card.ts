import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { RAM, type Access, type ScriptedCard } from './register-script.js';

const PROGRAM = 'qemu-system-riscv64';
/** The `virt` machine's ECAM (slot 1 of bus 0) and its memory window, where BAR 0 is. */
const BASES = { config: 0x3000_0000 + (1 << 15), registers: 0x4000_0000, memory: RAM } as const;

/** The version that the table of differences was taken from. */
const VERSION = /version 7\.2\./;

/** Why there is nothing to compare with; undefined when there is. */
export function qemuMissing(): string | undefined {
  const version = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
  if (version.status === 0 && !VERSION.test(version.stdout))
    return `the table is of ${PROGRAM} 7.2, another is installed`;
  const answer = spawnSync(PROGRAM, ['-device', 'help'], { encoding: 'utf8' });
  if (answer.error !== undefined || answer.status !== 0) return `${PROGRAM} is not installed`;
  return answer.stdout.includes('"e1000"') ? undefined : `${PROGRAM} is built without e1000`;
}

/**
 * QEMU's e1000 in a `virt` machine whose harts and clock stand still, driven access by access through the qtest
 * protocol. Any accelerator serves it: nothing of the protocol needs `-accel qtest` but its clock commands.
 */
export class QemuCard implements ScriptedCard {
  readonly #process: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];
  #ended = false;

  /** `properties` of the device, like `mitigation=off`. */
  constructor(...properties: string[]) {
    const device = ['e1000', 'netdev=wire', 'mac=52:54:00:12:34:56', 'addr=1', 'romfile=', ...properties];
    const machine = '-M virt -m 16 -S -bios none -nodefaults -display none -qtest stdio';
    const wire = ['-netdev', 'hubport,id=wire,hubid=0', '-device', device.join(',')];
    // The protocol's log on stderr is not wanted, and unread it would block QEMU.
    this.#process = spawn(PROGRAM, [...machine.split(' '), ...wire], { stdio: ['pipe', 'pipe', 'ignore'] });
    createInterface({ input: this.#process.stdout as Readable }).on('line', (line) =>
      this.#waiting.shift()?.(line),
    );
    this.#process.once('close', () => {
      this.#ended = true;
      for (const answer of this.#waiting.splice(0)) answer('nothing: QEMU ended');
    });
    // A script that is being written when QEMU ends is answered by the line above.
    (this.#process.stdin as Writable).on('error', () => undefined);
  }

  async run(script: readonly Access[]): Promise<number[]> {
    if (this.#ended) throw new Error('QEMU ended');
    const answers = script.map(() => new Promise<string>((resolve) => this.#waiting.push(resolve)));
    const commands = script.map(({ space, offset, value }) => {
      const at = `0x${(BASES[space] + offset).toString(16)}`;
      return value === undefined ? `readl ${at}\n` : `writel ${at} 0x${(value >>> 0).toString(16)}\n`;
    });
    (this.#process.stdin as Writable).write(commands.join(''));
    const values: number[] = [];
    for (const [index, answer] of answers.entries()) {
      const line = await answer;
      if (!line.startsWith('OK')) throw new Error(`qtest answers ${line}`);
      if (script[index].value === undefined) values.push(Number(line.slice(3)));
    }
    return values;
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }
}
