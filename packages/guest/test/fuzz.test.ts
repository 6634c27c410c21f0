import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { virtTree } from './fuzz/virt-tree.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The guest's own files are compiled for this machine, undefined behaviour traps. */
const FLAGS = [
  '-std=gnu11',
  '-O1',
  '-fno-builtin',
  '-fsanitize=undefined',
  '-fsanitize-undefined-trap-on-error',
  '-w',
  '-Ios',
  '-Itest/fuzz',
  'test/fuzz/harness.c',
  'os/string.c',
];

const compiler = ['clang', 'gcc', 'cc'].find((name) => spawnSync(name, ['--version']).status === 0);

// The fuzzers are C programs of the build machine: without a compiler (and mmap) there is nothing to run.
describe.skipIf(compiler === undefined || process.platform === 'win32')('hostile input', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vmloom-fuzz-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(name: string, sources: string[], args: string[]): string {
    const program = join(folder, name);
    execFileSync(compiler!, [...FLAGS, ...sources, '-o', program], { cwd: ROOT });
    const { status, signal, stdout } = spawnSync(program, args, {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect({ status, signal, stdout }).toEqual({ status: 0, signal: null, stdout });
    return stdout;
  }

  it('RFC 791, 768, 792, 826, 2131: no spoilt frame leads out of its buffer, and service goes on', () => {
    const stack = ['ethernet', 'arp', 'ipv4', 'icmp', 'udp', 'dhcp', 'checksum', 'netif'];
    const output = run('net', ['test/fuzz/net.c', ...stack.map((name) => `os/${name}.c`)], ['500000']);
    expect(output).toMatch(/^net: 500000 frames, [1-9]\d* drops, [1-9]\d* sent, [1-9]\d* leases$/m);
  });

  it('virtio 2.7, 2.8: no virtqueue loses a buffer, waits in vain, or believes in one it never gave', () => {
    const sources = ['-include', 'test/fuzz/host_fence.h', 'test/fuzz/virtqueue.c'];
    for (const name of ['virtqueue', 'virtqueue_split', 'virtqueue_packed']) sources.push(`os/${name}.c`);
    const output = run('virtqueue', sources, ['20000']);
    const n = '[1-9]\\d*';
    expect(output).toMatch(
      new RegExp(`^virtqueue: ${n} buffers, ${n} doorbells, ${n} interrupts, ${n} queues broken$`, 'm'),
    );
  });

  it('Devicetree 5.2: nothing behind the totalsize of a spoilt tree is read', () => {
    const blob = join(folder, 'virt.dtb');
    writeFileSync(blob, virtTree());
    const output = run('fdt', ['test/fuzz/fdt.c', 'os/fdt.c', 'os/platform.c'], [blob, '50000']);
    expect(output).toMatch(/^fdt: 50000 trees, [1-9]\d* with a usable header$/m);
  });
});
