import { expect, it } from 'vitest';
import { EscapeFilter, type EscapeCommand } from './escape-filter.js';

function feed(...pieces: string[]): { passed: string; commands: EscapeCommand[] } {
  const commands: EscapeCommand[] = [];
  const filter = new EscapeFilter((command) => commands.push(command));
  const passed = pieces
    .map((piece) => new TextDecoder().decode(filter.filter(new TextEncoder().encode(piece))))
    .join('');
  return { passed, commands };
}

it.each([
  [['ls\r'], 'ls\r', []],
  [['a\x01xb'], 'ab', ['quit']],
  [['\x01', 'c'], '', ['switch']],
  [['\x01\x01x'], '\x01x', []],
  [['\x01qz'], 'z', []],
  [['\x01h\x01?\x01b\x01t'], '', ['help', 'help', 'break', 'timestamps']],
] as const)('%j', (pieces, passed, commands) => {
  expect(feed(...pieces)).toEqual({ passed, commands });
});
