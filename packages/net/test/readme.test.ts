import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readPcapng } from '../src/testing/index.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const blocks = [...read('../README.md').matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]);

/** An example as a reader outside this package writes it. */
const example = (path: string): string =>
  read(path)
    .replace('../../src/node/index.js', '@vmloom/net/node')
    .replace('../../src/testing/index.js', '@vmloom/net/testing')
    .replace('../../src/index.js', '@vmloom/net');

it('the README shows the examples that are tested here', () => {
  expect(blocks).toEqual([example('./examples/lan.ts'), example('./examples/nat.ts')]);
});

it('the example of a switch runs as the README says', async () => {
  const { result } = await import('./examples/lan.js');
  // Twice 84 octets of wire at 1 ns a bit, twice 5 us.
  expect(result.heard).toEqual(['11344 ns: 60 bytes']);
  // The station, the switch and its end of the second wire.
  expect(result.sent).toBe(3);
  expect(readPcapng(result.pcapng).packets).toMatchObject([{ time: 11_344n, originalLength: 60 }]);
});

it('the example of a NAT runs as the README says', async () => {
  const { answer } = await import('./examples/nat.js');
  expect(answer).toBe('HELLO HOST');
});
