import { spawnSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GdbSession, MachineTarget } from '@vmloom/gdb';
import { GdbClient } from '@vmloom/gdb/testing';
import { bootArgs, guestImage } from '@vmloom/guest';
import { createMachine, type Machine } from '@vmloom/machine';
import { CSR_STVEC } from '@vmloom/riscv';
import { describe, expect, it } from 'vitest';
import { run } from '../src/commands/run.js';

const GDB = 'gdb-multiarch';
const hasGdb = spawnSync(GDB, ['--version']).status === 0;
const tiny = fileURLToPath(new URL('../../../packages/guest/prebuilt/tiny.elf', import.meta.url));
/** Register numbers of target.xml. */
const [RA, SP, PC, SCAUSE] = ['1', '2', '20', '183'];

const number = (registers: string): bigint =>
  BigInt(`0x${Buffer.from(registers, 'hex').reverse().toString('hex')}`);

const COMMANDS = ['wait 20', 'poweroff'];
/** Nanoseconds after which the guest has set itself up and waits for its timer. */
const SET_UP = 3e6;

async function guest(harts = 1) {
  const kernel = await guestImage('tiny');
  const bootArguments = bootArgs({ quiet: true, cmd: COMMANDS });
  return createMachine({ kernel, bootArguments, harts, memory: '16MiB' });
}

/** Where the guest's trap handler begins. */
async function trapHandler(): Promise<bigint> {
  const machine = await guest();
  machine.powerOn();
  await machine.world.run({ until: SET_UP });
  return machine.harts[0].readCsr(CSR_STVEC);
}

function attach(machine: Machine): GdbClient {
  const target = new MachineTarget(machine);
  const session: GdbSession = new GdbSession({ target, send: (bytes) => client.receive(bytes) });
  const client: GdbClient = new GdbClient((bytes) => session.receive(bytes));
  return client;
}

describe('GDB at the tiny guest', () => {
  it('breaks in the trap handler, steps, watches and detaches; the guest does not notice', async () => {
    const undisturbed = await guest();
    undisturbed.powerOn();
    await undisturbed.world.run();

    const machine = await guest();
    machine.powerOn();
    const handler = await trapHandler();
    const client = attach(machine);
    const read = async (register: string): Promise<bigint> => number(await client.ask(`p${register}`));
    expect(await read(PC)).toBe(0x8020_0000n);
    for (let count = 1; count <= 10; count++) {
      expect(await client.ask('vCont;s:1;c')).toBe('T05thread:1;');
      expect(machine.retired).toBe(count);
    }

    await client.ask(`Z1,${handler.toString(16)},4`);
    expect(await client.ask('vCont;c')).toMatch(/^T05thread:1;/);
    expect(await read(PC)).toBe(handler);
    expect(await read(SCAUSE)).toBe(0x8000_0000_0000_0005n);

    const time = machine.world.clock.now;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(machine.world.clock.now).toBe(time);

    // The handler makes room on the stack and saves x1 first.
    await client.ask('vCont;s:1');
    const slot = ((await read(SP)) + 8n).toString(16);
    await client.ask(`Z2,${slot},8`);
    expect(await client.ask('vCont;c')).toBe(`T05thread:1;watch:${slot};`);
    expect(await client.ask(`m${slot},8`)).toBe(await client.ask(`p${RA}`));
    expect((await read(PC)) - handler).toBeLessThanOrEqual(8n);
    expect(await client.ask('D')).toBe('OK');
    expect((await machine.exited).reason).toBe('power-off');
    expect(machine.console.text).toBe(undisturbed.console.text);
    expect([machine.retired, machine.world.clock.now]).toEqual([
      undisturbed.retired,
      undisturbed.world.clock.now,
    ]);
  });

  it('harts that do not run yet are threads too, and a step of one lets the others be', async () => {
    const machine = await guest(4);
    machine.powerOn();
    const client = attach(machine);
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
    await new Promise((resolve) => gdb.once('close', resolve));
    return { said, status: await status, serial: readFileSync(serial, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// gdb-multiarch is a package of Debian's; where it is not installed nothing can be said about it.
describe.skipIf(!hasGdb)('gdb-multiarch at vmloom run', () => {
  it('-S waits for it; it steps, breaks at an address, watches, and the guest runs to its end', async () => {
    const handler = `0x${(await trapHandler()).toString(16)}`;
    const { said, status, serial } = await debugged(
      [
        'info registers pc',
        'stepi',
        'stepi',
        'info threads',
        `break *${handler}`,
        'continue',
        'x/2i $pc',
        'info registers scause priv',
        'stepi',
        'delete',
        'set *(unsigned long *) ($sp + 8) = 12345',
        'watch -l *(unsigned long *) ($sp + 8)',
        'continue',
        'printf "saved %d\\n", *(unsigned long *) ($sp + 8) == (unsigned long) $ra',
        'delete',
        // Its return address is loaded again before it returns.
        'rwatch -l *(unsigned long *) ($sp + 8)',
        'continue',
        'delete',
        'awatch -l *(unsigned long *) ($sp + 8)',
        'continue',
        'delete',
        'monitor info status',
        'monitor cont',
        'continue',
      ],
      ['-S', '-smp', '2', '-time', 'virtual', '-append', `quiet cmd="${COMMANDS.join('; ')}"`],
    );
    expect(said).toContain('pc             0x80200000');
    expect(said).toContain('Thread 2 (machine.hart1 S-mode)');
    expect(said).toContain(`Breakpoint 1, ${handler.replace('0x', '0x00000000')} in ?? ()`);
    expect(said).toMatch(/scause\s+0x8000000000000005/);
    expect(said).toMatch(/priv\s+0x1\s+prv:1 \[Supervisor\]/);
    expect(said).toMatch(/Hardware watchpoint 2: .*\n\nOld value = 12345\nNew value = \d+/);
    expect(said).toContain('saved 1');
    expect(said).toMatch(/Hardware read watchpoint 3: .*\n\nValue = \d+/);
    expect(said).toMatch(/Hardware access \(read\/write\) watchpoint 4: .*\n\n(Value|Old value) = \d+/);
    expect(said).toContain('VM status: paused');
    expect(said).toContain('GDB holds the machine: continue or detach there');
    expect(said).toContain('exited normally');
    expect(status).toBe(0);
    expect(serial).not.toContain('panic');
  });

  it('attaches to a running guest, looks at it and detaches', async () => {
    const { said, status } = await debugged(
      ['info registers pc', 'x/1i $pc', 'detach'],
      ['-append', 'quiet cmd="wait 2000; poweroff"'],
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
