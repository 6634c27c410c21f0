import { expect, it } from 'vitest';
import { resolved } from './userland.js';

it.each([
  ['usr/lib/libz.so.1', 'libz.so.1.3.1', 'usr/lib/libz.so.1.3.1'],
  ['usr/lib/ld.so', 'riscv64-linux-gnu/ld.so.1', 'usr/lib/riscv64-linux-gnu/ld.so.1'],
  ['usr/sbin/tool', '../bin/./tool', 'usr/bin/tool'],
  ['usr/bin/a', '/etc/alternatives/a', 'etc/alternatives/a'],
  ['a', '../../b', 'b'],
])('symlink(7): %s -> %s leads to %s', (path, link, target) => {
  expect(resolved(path, link)).toBe(target);
});
