import { spawnSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GdbSession, MachineTarget } from '@vmloom/gdb';
import { GdbClient } from '@vmloom/gdb/testing';
import { bootArgs, guestImage } from '@vmloom/guest';
import { createMachine } from '@vmloom/machine';
import { describe, expect, it } from 'vitest';
import { run } from '../src/commands/run.js';

const GDB = 'gdb-multiarch';
const hasGdb = spawnSync(GDB, ['--version']).status === 0;
const tiny = fileURLToPath(new URL('../../../packages/guest/prebuilt/tiny.elf', import.meta.url));
/** Register numbers of target.xml. */
const PC = '20';
const [STVEC, SCAUSE] = ['146', '183'];

const number = (registers: string): bigint =>
  BigInt(`0x${Buffer.from(registers, 'hex').reverse().toString('hex')}`);

async function guest(harts = 1) {
  const kernel = await guestImage('tiny');
  const bootArguments = bootArgs({ quiet: true, cmd: ['version', 'poweroff'] });
  return createMachine({ kernel, bootArguments, harts, memory: '16MiB' });
}

describe('GDB at the tiny guest', () => {
  it('breaks in the trap handler, steps, watches and detaches; the guest does not notice', async () => {
    const undisturbed = await guest();
    undisturbed.powerOn();
    await undisturbed.world.run();

    const machine = await guest();
    machine.start();
    const target = new MachineTarget(machine);
    const session: GdbSession = new GdbSession({ target, send: (bytes) => client.receive(bytes) });
    const client: GdbClient = new GdbClient((bytes) => session.receive(bytes));
    const read = async (register: string): Promise<bigint> => number(await client.ask(`p${register}`));
    const entry = await read(PC);
    expect(entry).toBe(0x8020_0000n);

    // Step until the guest has told the hart where its trap handler is.
    while ((await read(STVEC)) === 0n) expect(await client.ask('vCont;s:1;c')).toBe('T05thread:1;');
    const stepped = machine.retired;
    expect(stepped).toBeGreaterThan(2);
    const handler = await read(STVEC);
    await client.ask(`Z1,${handler.toString(16)},4`);
    expect(await client.ask('vCont;c')).toMatch(/^T05thread:1;/);
    expect(await read(PC)).toBe(handler);
    expect((await read(SCAUSE)) >> 63n).toBe(1n);

    const time = machine.world.clock.now;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(machine.world.clock.now).toBe(time);

    // The handler saves registers: the first store of it is at or below its stack pointer's page.
    let stored: string | undefined;
    while (stored === undefined) {
      const sp = machine.harts[0].readX(2);
      await client.ask(`Z2,${(sp - 256n).toString(16)},200`);
      const stop = await client.ask('vCont;s:1');
      await client.ask(`z2,${(sp - 256n).toString(16)},200`);
      if (stop.includes('watch')) stored = stop;
    }
    expect(stored).toMatch(/^T05thread:1;watch:[0-9a-f]+;$/);
    expect(await client.ask('D')).toBe('OK');
    await machine.exited;
    expect(machine.console.text).toBe(undisturbed.console.text);
    expect([machine.retired, machine.world.clock.now]).toEqual([
      undisturbed.retired,
      undisturbed.world.clock.now,
    ]);
  });

  it('harts that do not run yet are threads too, and a step of one lets the others be', async () => {
    const machine = await guest(4);
    machine.start();
    const target = new MachineTarget(machine);
    const session: GdbSession = new GdbSession({ target, send: (bytes) => client.receive(bytes) });
    const client: GdbClient = new GdbClient((bytes) => session.receive(bytes));
    expect(await client.ask('qfThreadInfo')).toBe('m1,2,3,4');
    for (let count = 0; count < 5; count++) await client.ask('vCont;s:1');
    expect(machine.harts.map(({ retired }) => retired)).toEqual([5, 0, 0, 0]);
    expect(await client.ask('vCont;c')).toBe('W00');
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** `vmloom run` with a GDB script at it: what GDB said, the serial log, and the status of the run. */
async function debugged(script: readonly string[], options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-gdb-'));
  try {
    const port = await freePort();
    const serial = join(folder, 'serial');
    const line = [
      '-m',
      '16',
      '-kernel',
      tiny,
      '-serial',
      `file:${serial}`,
      '-gdb',
      `tcp::${port}`,
      ...options,
    ];
    const status = run(line, process);
    const file = join(folder, 'script');
    const attach = [`set arch riscv:rv64`, 'set confirm off', `target remote 127.0.0.1:${port}`];
    writeFileSync(file, [...attach, ...script, ''].join('\n'));
    const gdb = spawn(GDB, ['-nx', '-batch', '-x', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    gdb.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    gdb.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    await new Promise((resolve) => gdb.once('exit', resolve));
    return {
      said,
      status: await status,
      log: () => readFileSync(serial, 'utf8'),
      serial: readFileSync(serial, 'utf8'),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// gdb-multiarch is a package of Debian's; where it is not installed nothing can be said about it.
describe.skipIf(!hasGdb)('gdb-multiarch at vmloom run', () => {
  it('-S waits for it; it steps, breaks at an address, watches, and the guest runs to its end', async () => {
    const { said, status, serial } = await debugged(
      [
        'info registers pc',
        'stepi',
        'stepi',
        'info threads',
        'while $stvec == 0',
        'stepi',
        'end',
        'printf "handler at %#lx\\n", $stvec',
        'break *$stvec',
        'continue',
        'printf "stopped %d\\n", $pc == $stvec',
        'x/2i $pc',
        'info registers scause priv',
        'stepi',
        'delete',
        'set $cell = (unsigned long *) ($sp - 16)',
        'watch *(unsigned long *) $cell',
        'continue',
        'delete',
        'monitor info status',
        'continue',
      ],
      ['-S', '-smp', '2', '-time', 'virtual', '-append', 'quiet cmd="version; poweroff"'],
    );
    expect(said).toContain('pc             0x80200000');
    expect(said).toContain('Thread 2 (machine.hart1 S-mode)');
    expect(said).toMatch(/handler at 0x80[0-9a-f]+/);
    expect(said).toContain('stopped 1');
    expect(said).toMatch(/Breakpoint 1, /);
    expect(said).toMatch(/priv\s+0x1\s+prv:1 \[Supervisor\]/);
    expect(said).toMatch(/Hardware watchpoint 2: /);
    expect(said).toMatch(/Old value = \d+\nNew value = \d+/);
    expect(said).toContain('VM status: paused');
    expect(said).toMatch(/exited normally|exited with code 00/);
    expect(status).toBe(0);
    expect(serial).toContain('tiny');
  });

  it('attaches to a running guest, looks at it and detaches', async () => {
    const { said, status } = await debugged(
      ['info registers pc', 'x/1i $pc', 'detach'],
      ['-append', 'quiet cmd="version; poweroff"', '-S'],
    );
    expect(said).toMatch(/pc\s+0x80/);
    expect(said).toMatch(/detached/);
    expect(status).toBe(0);
  });

  it('kill ends the process', async () => {
    const { said, status } = await debugged(['kill'], ['-append', 'quiet']);
    expect(said).toContain('killed');
    expect(status).toBe(0);
  });
});
