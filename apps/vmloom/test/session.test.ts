import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runLine } from '../src/monitor/commands.js';
import { MonitorServer } from '../src/monitor/server.js';
import { parseCommandLine } from '../src/options/command-line.js';
import { Session } from '../src/run/session.js';

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url));
const tiny = fileURLToPath(new URL('../../../packages/guest/prebuilt/tiny.elf', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A guest at its prompt, with a NIC on a hub. */
async function atPrompt(...more: readonly string[]): Promise<Session> {
  const session = await Session.create(
    parseCommandLine([
      ...['-m', '16', '-serial', 'none', '-time', 'virtual', '-kernel', tiny, '-append', 'ip=10.0.0.1 quiet'],
      ...['-netdev', 'hubport,id=n0,hubid=0', '-device', 'e1000,netdev=n0,id=nic0'],
      ...more,
    ]),
  );
  await session.begin();
  await session.machine.console.waitFor(/vmloom# /);
  return session;
}

async function ask(session: Session, command: string, pattern: RegExp): Promise<string> {
  session.machine.console.send(`${command}\n`);
  return (await session.machine.console.waitFor(pattern))[0];
}

describe('a session under its monitor', () => {
  it('info shows the networks, the PCI functions, the ledger and the memory map', async () => {
    const session = await atPrompt();
    expect(await runLine(session, 'info network')).toBe('n0: hubport,hubid=0, link up');
    expect(await runLine(session, 'info pci')).toMatch(/8086:100e/);
    expect(await runLine(session, 'info ledger')).toMatch(/machine +exit \(uart\) +\d+ +modelled/);
    expect(await runLine(session, 'info mtree')).toMatch(/0000000080000000-0000000080ffffff ram/);
    expect(await runLine(session, 'info status')).toBe('VM status: running');
    session.close();
  });

  it('set_link pulls and plugs the cable that the guest sees, by network or by device', async () => {
    const session = await atPrompt();
    await runLine(session, 'set_link n0 off');
    expect(await ask(session, 'wait 1; link', /eth0: .*(up|down)/)).toMatch(/down/);
    await runLine(session, 'set_link nic0 on');
    expect(await ask(session, 'wait-link; link', /eth0: [^\n]*(up|down)[^\n]*\n/)).toMatch(/up/);
    session.close();
  });

  it('stop, cont, system_reset and system_powerdown', async () => {
    const session = await atPrompt();
    const events: string[] = [];
    session.onEvent = (event) => events.push(event);
    await runLine(session, 'stop');
    const { retired } = session.machine;
    session.machine.console.send('uname\n');
    await new Promise((turn) => setTimeout(turn, 30));
    expect(session.machine.retired).toBe(retired);
    await runLine(session, 'cont');
    await session.machine.console.waitFor(/vmloom guest/);
    await runLine(session, 'system_reset');
    await session.machine.console.waitFor(/vmloom# /);
    await runLine(session, 'system_powerdown');
    expect(await session.finished).toBe(0);
    expect(events).toEqual(['STOP', 'RESUME', 'RESET', 'SHUTDOWN']);
    session.close();
  });

  it('savevm and loadvm take the guest back', async () => {
    const session = await atPrompt();
    const file = join(folder, 'before.vmloom');
    await runLine(session, `savevm ${file}`);
    await ask(session, 'ip 10.9.9.9', /eth0: 10\.9\.9\.9/);
    await runLine(session, `loadvm ${file}`);
    expect(await ask(session, 'ip', /eth0: 10[\d.]+/)).toBe('eth0: 10.0.0.1');
    await expect(runLine(session, 'loadvm /nowhere/x')).rejects.toThrow(/cannot be read/);
    session.close();
  });

  it('listens on a UNIX socket, in QMP form, for several peers', async () => {
    const session = await atPrompt();
    const path = join(folder, 'monitor');
    const server = new MonitorServer(path, session, () => session.machine.world.clock.now);
    await server.listen();
    const talk = async (line: object): Promise<string> => {
      const socket = connect(path);
      let text = '';
      socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
      socket.write(`{"execute": "qmp_capabilities"}\n${JSON.stringify(line)}\n`);
      while (text.split('\n').length < 4) await new Promise((turn) => setTimeout(turn, 2));
      socket.end();
      return text.split('\r\n')[2];
    };
    const answers = await Promise.all([talk({ execute: 'query-status' }), talk({ execute: 'query-name' })]);
    expect(answers.map((answer) => JSON.parse(answer) as object)).toEqual([
      { return: { status: 'running', running: true } },
      { return: { name: 'machine' } },
    ]);
    server.close();
    session.close();
  });
});

/** Types into `vmloom run` step by step: when the output shows a pattern, the text behind it. */
async function typed(
  steps: readonly (readonly [RegExp, string])[],
): Promise<{ output: string; status: number | null }> {
  const child = spawn(process.execPath, [
    bin,
    'run',
    '-m',
    '16',
    '-nographic',
    '-kernel',
    tiny,
    '-append',
    'quiet',
  ]);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  let output = '';
  let seen = 0;
  let step = 0;
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
    const next = steps[step];
    const match = next?.[0].exec(output.slice(seen));
    if (match === null || match === undefined) return;
    seen += match.index + match[0].length;
    step++;
    child.stdin.write(next[1]);
  });
  const status = await ended;
  clearTimeout(timer);
  return { output, status };
}

describe("QEMU's escapes on the terminal", () => {
  it('Ctrl-a x ends, Ctrl-a h helps, typing reaches the guest', async () => {
    const { output, status } = await typed([
      [/vmloom# /, 'uname\r'],
      [/16 MiB[^]*vmloom# /, '\x01h'],
      [/C-a x +exit/, '\x01x'],
    ]);
    expect(output).toContain('vmloom: terminated');
    expect(status).toBe(0);
  });

  it('Ctrl-a c switches to the monitor and back', async () => {
    const { output, status } = await typed([
      [/vmloom# /, '\x01c'],
      [/\(vmloom\) /, 'info status\r'],
      [/VM status: running\r\n\(vmloom\) /, 'quit\r'],
    ]);
    expect(output).toContain('vmloom monitor');
    expect(status).toBe(0);
  });
});
