import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { peerProgram } from './peer-qemu.js';

const roots: string[] = [];
function rootWith(...files: string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'vmloom-'));
  roots.push(root);
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  return root;
}
afterEach(() => roots.splice(0).forEach((root) => rmSync(root, { recursive: true })));

const QEMU = 'usr/bin/qemu-system-riscv64';

describe('peerProgram', () => {
  it.each([
    ['usr/lib64/ld-linux-x86-64.so.2', 'usr/lib/x86_64-linux-gnu'],
    ['usr/lib/ld-linux-aarch64.so.1', 'usr/lib/aarch64-linux-gnu'],
  ])('ld.so(8): starts %s with the libraries of the root', (linker, libraries) => {
    const foreign = 'usr/lib/a-linux-gnu/opensbi/fw_jump.elf';
    const root = rootWith(QEMU, foreign, linker, `${libraries}/libc.so.6`);
    const { command, environment } = peerProgram(root, QEMU);
    expect(command.slice(0, 4)).toEqual([
      join(root, linker),
      '--library-path',
      join(root, libraries),
      join(root, QEMU),
    ]);
    expect(environment).toEqual({ QEMU_MODULE_DIR: join(root, libraries, 'qemu') });
  });

  it('says what to do with a root that lacks a part', () => {
    const whole = ['usr/lib64/ld-linux-x86-64.so.2', 'usr/lib/x86_64-linux-gnu/libc.so.6', QEMU];
    for (const missing of whole) {
      const root = rootWith(...whole.filter((file) => file !== missing));
      expect(() => peerProgram(root, QEMU)).toThrow(
        expect.objectContaining({ name: 'GuestsError', code: 'missing-package' }),
      );
    }
  });
});
