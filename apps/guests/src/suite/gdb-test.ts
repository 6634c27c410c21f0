import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debian, withPlan } from '../boot/initramfs.js';
import { readTranscript } from '../boot/transcript.js';
import { APPEND, nameOf, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';

const GDB = 'gdb-multiarch';
/** The command line of `vmloom run`, built beside this one. */
const VMLOOM = fileURLToPath(new URL('../../../vmloom/dist/bin.js', import.meta.url));
/** A function of the kernel that every shell calls when it begins. */
const FUNCTION = '__riscv_sys_getppid';
const SHELLS = 400;
/** Milliseconds for everything. */
const PATIENCE = 300_000;

const PLAN = `
echo "break at $(grep -w ${FUNCTION} /proc/kallsyms | cut -d ' ' -f 1)"
shells() { for number in $(seq ${SHELLS}); do sh -c : || return 1; done; }
check shells shells
finish poweroff -f
`;

/** `gdb-multiarch` attaches to the running kernel, breaks in it, steps and lets it go. */
export function gdbTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: GDB`,
    set,
    run: async ({ report, keepLog, update }) => {
      if (spawnSync(GDB, ['--version']).error !== undefined) {
        report.note(`left out. There is no ${GDB} here`);
        return;
      }
      const { kernel, root } = debian(configuration.series, { update });
      const folder = mkdtempSync(join(tmpdir(), 'vmloom-gdb-'));
      const children: ChildProcess[] = [];
      const start = (program: string, args: readonly string[]): Finished => {
        const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE });
        children.push(child);
        return finished(child);
      };
      const file = (name: string): string => join(folder, name);
      const serial = (): string =>
        existsSync(file('serial')) ? readFileSync(file('serial')).toString('latin1') : '';
      try {
        const port = await freePort();
        writeFileSync(file('kernel'), kernel);
        writeFileSync(file('initrd'), withPlan(root, PLAN));
        const machine = start(process.execPath, [
          ...[VMLOOM, 'run', '-m', '128', '-smp', String(configuration.harts), '-time', 'virtual'],
          ...['-kernel', file('kernel'), '-initrd', file('initrd'), '-append', APPEND],
          ...['-serial', `file:${file('serial')}`, '-gdb', `tcp:127.0.0.1:${port}`],
        ]);
        let over = false;
        void machine.then(() => (over = true));
        const address = await told(serial, () => over);
        if (address === undefined) {
          report.check('the guest says where to break', false, (await machine).said + serial().slice(-300));
          return;
        }
        writeFileSync(file('script'), script(port, address));
        const gdb = await start(GDB, ['-nx', '-batch', '-x', file('script')]);
        const { status } = await machine;
        const log = serial();
        keepLog(`${gdb.said}\n${log}`);
        const said = (name: string, expected: RegExp): void =>
          report.check(name, expected.test(gdb.said), gdb.said.slice(-600));
        said('it attaches', /attached-at-0x[0-9a-f]+\n/);
        said('it breaks in the kernel', new RegExp(`broke-at-0x0*${address}\n`));
        said('in supervisor mode', /priv\s+0x1\s+prv:1/);
        said('a step leads to the next instruction', stepped(address));
        said(
          `the threads are the ${configuration.harts} harts`,
          new RegExp(`hart${configuration.harts - 1} `),
        );
        said('it breaks there again', new RegExp(`again-at-0x0*${address}\n`));
        said('it detaches', /Inferior 1 .*detached/);
        const { checks, shown } = readTranscript(log);
        const shells = checks.find(({ name }) => name === 'shells');
        report.check(
          'the guest goes on to its end',
          shells?.ok === true && shown.has('kernel-log'),
          log.slice(-300),
        );
        report.check('poweroff ends it with status 0', status === 0, `status ${status}`);
      } finally {
        for (const child of children) child.kill();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

function script(port: number, address: string): string {
  const where = (what: string): string => `printf "${what}-at-0x%lx\\n", $pc`;
  const lines = [
    ...['set arch riscv:rv64', 'set confirm off', `target remote 127.0.0.1:${port}`, where('attached')],
    ...[`break *0x${address}`, 'continue', where('broke'), 'info registers priv', 'info threads'],
    ...['stepi', where('stepped'), 'continue', where('again'), 'delete', 'detach'],
  ];
  return `${lines.join('\n')}\n`;
}

/** An instruction of two or four bytes further; no function begins with a jump. */
function stepped(address: string): RegExp {
  const next = [2n, 4n].map((length) => (BigInt(`0x${address}`) + length).toString(16));
  return new RegExp(`stepped-at-0x0*(${next.join('|')})\n`);
}

/** The address that the guest prints, once it does; undefined when it is over before. */
async function told(serial: () => string, over: () => boolean): Promise<string | undefined> {
  for (;;) {
    const found = /break at ([0-9a-f]{16})\r*\n/.exec(serial())?.[1];
    if (found !== undefined || over()) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

type Finished = Promise<{ readonly said: string; readonly status: number | null }>;

function finished(child: ChildProcess): Finished {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => (said += bytes.toString()));
  }
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ said: `${said}${error.message}`, status: null }));
    child.on('close', (status) => resolve({ said, status }));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
