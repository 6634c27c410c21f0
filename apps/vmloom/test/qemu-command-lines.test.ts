import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { QEMU_LINES, type QemuLine } from './qemu-command-lines.js';

const QEMU = 'qemu-system-riscv64';
const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url));
const tiny = fileURLToPath(new URL('../../../packages/guest/prebuilt/tiny.elf', import.meta.url));
const hasQemu = spawnSync(QEMU, ['--version']).status === 0;
const PATIENCE = 40_000;

interface Outcome {
  readonly status: number | null;
  readonly output: string;
  readonly echoed: string | undefined;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** What the guest said, without the firmware before it and without times. */
function guestOutput(text: string): string {
  const lines = text.replaceAll('\r', '').split('\n');
  const start = lines.findLastIndex((line) =>
    /^Boot HART (MEDELEG|PMP|MIDELEG)|^Boot HART /.test(line.trim()),
  );
  return lines
    .slice(start + 1)
    .map((line) =>
      line
        .trim()
        .replaceAll(/\d+(\/\d+)* ns/g, 'T ns')
        .replaceAll(/hart \d+/g, 'hart N'),
    )
    .filter((line) => line !== '')
    .join('\n');
}

function start(
  program: readonly string[],
  line: { args: string; append?: string },
  places: Record<string, string>,
) {
  const fill = (word: string): string =>
    word.replaceAll(/KERNEL|TMP|PORT|OTHER|FILE/g, (name) => places[name]);
  const args = [
    ...line.args.split(' ').map(fill),
    ...(line.append === undefined ? [] : ['-append', line.append]),
  ];
  const child = spawn(program[0], [...program.slice(1), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', (status) => resolve(status)));
  return { child, ended, output: () => output };
}

async function until(condition: () => boolean, child: ChildProcess): Promise<void> {
  while (!condition() && child.exitCode === null) await new Promise((turn) => setTimeout(turn, 20));
}

/** Sends a datagram to the forwarded port until it comes back. */
async function sendUdp(port: number, child: ChildProcess): Promise<string | undefined> {
  const socket = createSocket('udp4');
  let echoed: string | undefined;
  socket.on('message', (bytes) => (echoed = bytes.toString()));
  socket.on('error', () => undefined);
  while (echoed === undefined && child.exitCode === null) {
    socket.send('knock', port, '127.0.0.1');
    await new Promise((turn) => setTimeout(turn, 50));
  }
  socket.close();
  return echoed;
}

async function contByQmp(path: string, child: ChildProcess): Promise<void> {
  await until(() => existsSync(path), child);
  const socket = connect(path);
  socket.on('error', () => undefined);
  socket.write('{"execute": "qmp_capabilities"}\n{"execute": "cont"}\n');
  await new Promise((turn) => setTimeout(turn, 200));
  socket.end();
}

async function outcome(program: readonly string[], line: QemuLine): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  const port = await freePort();
  const places = {
    KERNEL: tiny,
    TMP: folder,
    PORT: String(port),
    OTHER: String(await freePort()),
    FILE: bin,
  };
  const peer = line.peer === undefined ? undefined : start(program, line.peer, places);
  try {
    if (peer !== undefined) await until(() => peer.output().includes('udp-echo'), peer.child);
    const main = start(program, line, places);
    const timer = setTimeout(() => main.child.kill('SIGKILL'), PATIENCE);
    let echoed: string | undefined;
    if (line.act === 'send-udp') echoed = await sendUdp(port, main.child);
    if (line.act === 'cont-by-qmp') await contByQmp(join(folder, 'qmp'), main.child);
    const status = await main.ended;
    clearTimeout(timer);
    const text = line.log === undefined ? main.output() : readFileSync(join(folder, line.log), 'utf8');
    if (line.writes !== undefined) expect(statSync(join(folder, line.writes)).size).toBeGreaterThan(500);
    return { status, output: guestOutput(text), echoed };
  } finally {
    if (peer !== undefined) {
      peer.child.kill('SIGKILL');
      await peer.ended;
    }
    rmSync(folder, { recursive: true });
  }
}

function expectOutcome(line: QemuLine, { output, echoed }: Outcome): void {
  for (const pattern of line.shows) expect(output).toMatch(pattern);
  if (line.act === 'send-udp') expect(echoed).toBe('knock');
}

it('is a list of 30 lines or more', () => {
  expect(QEMU_LINES.length).toBeGreaterThanOrEqual(30);
});

describe("a command line in QEMU's spelling gives the guest output that QEMU gives", () => {
  it.each(QEMU_LINES.map((line) => [line.name, line] as const))(
    '%s',
    async (_name, line) => {
      const ours = await outcome([process.execPath, bin, 'run'], line);
      expectOutcome(line, ours);
      expect(ours.status).toBe(line.status ?? 0);
      // Without QEMU on the machine the expectations above stand alone.
      if (!hasQemu) return;
      const theirs = await outcome([QEMU], line);
      expectOutcome(line, theirs);
      if (line.differs === undefined) expect(ours.output).toBe(theirs.output);
    },
    3 * PATIENCE,
  );
});
