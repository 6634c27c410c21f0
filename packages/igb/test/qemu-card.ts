import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Access, ScriptedCard } from './register-script.js';

/** The `virt` machine's ECAM (slot 1 of bus 0) and its memory window, where BAR 0 is. */
const BASES = { config: 0x3000_0000 + (1 << 15), registers: 0x4000_0000 } as const;
const PROGRAM = 'qemu-system-riscv64';
/** The version that the table of differences was taken from. */
const VERSION = /version 11\.1\./;

/** How QEMU is started: as it is installed, or from the private root in which the guests' peer lies. */
function commands(): string[][] {
  const found = [[PROGRAM]];
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const root = join(cache, 'vmloom', 'guests', 'forky', 'qemu');
  const program = join(root, 'usr/bin', PROGRAM);
  const parts = (folder: string): string[] =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [];
  const libraries = parts('usr/lib').find((name) => existsSync(join(root, 'usr/lib', name, 'libc.so.6')));
  const linker = ['usr/lib64', 'usr/lib', `usr/lib/${libraries ?? ''}`]
    .flatMap((folder) => parts(folder).map((name) => join(root, folder, name)))
    .find((file) => /\/ld-linux[^/]*\.so\.\d+$/.test(file));
  if (existsSync(program) && libraries !== undefined && linker !== undefined) {
    const data = ['-L', join(root, 'usr/share/qemu')];
    found.push([linker, '--library-path', join(root, 'usr/lib', libraries), program, ...data]);
  }
  return found;
}

/** A QEMU of the right version; undefined when there is none. */
export function findQemu(): readonly string[] | undefined {
  return commands().find(([program, ...rest]) => {
    const answer = spawnSync(program, [...rest, '--version'], { encoding: 'utf8' });
    return answer.status === 0 && VERSION.test(answer.stdout);
  });
}

/** QEMU's igb in a `virt` machine whose harts and clock stand still, driven access by access through qtest. */
export class QemuCard implements ScriptedCard {
  readonly #process: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];
  #ended = false;

  constructor([program, ...before]: readonly string[]) {
    const machine = '-M virt -m 16 -S -bios none -nodefaults -display none -qtest stdio';
    const device = 'igb,netdev=wire,mac=52:54:00:12:34:56,addr=1,romfile=';
    const wire = ['-netdev', 'hubport,id=wire,hubid=0', '-device', device];
    // The protocol's log on stderr is not wanted, and unread it would block QEMU.
    this.#process = spawn(program, [...before, ...machine.split(' '), ...wire], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    createInterface({ input: this.#process.stdout as Readable }).on('line', (line) =>
      this.#waiting.shift()?.(line),
    );
    this.#process.once('close', () => {
      this.#ended = true;
      for (const answer of this.#waiting.splice(0)) answer('nothing: QEMU ended');
    });
    (this.#process.stdin as Writable).on('error', () => undefined);
  }

  async run(script: readonly Access[]): Promise<number[]> {
    if (this.#ended) throw new Error('QEMU ended');
    const answers = script.map(() => new Promise<string>((resolve) => this.#waiting.push(resolve)));
    const lines = script.map(({ space, offset, value }) => {
      const at = `0x${(BASES[space] + offset).toString(16)}`;
      return value === undefined ? `readl ${at}\n` : `writel ${at} 0x${(value >>> 0).toString(16)}\n`;
    });
    (this.#process.stdin as Writable).write(lines.join(''));
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
