import { describe, expect, it } from 'vitest';
import { fptestLines, fptestReference } from './reference.js';

const OPERATIONS = [
  ...['s', 'd'].flatMap((x) =>
    ['add', 'sub', 'mul', 'div', 'sqrt', 'madd', 'msub', 'nmsub', 'nmadd'].map((op) => `f${op}.${x}`),
  ),
  ...['s', 'd'].flatMap((x) => ['w', 'wu', 'l', 'lu'].map((to) => `fcvt.${to}.${x}`)),
  ...['s.w', 's.wu', 's.l', 's.lu', 'd.l', 'd.lu', 's.d'].map((pair) => `fcvt.${pair}`),
];

const EXACT = [
  ...['s', 'd'].flatMap((x) =>
    ['sgnj', 'sgnjn', 'sgnjx', 'min', 'max', 'eq', 'lt', 'le', 'class'].map((op) => `f${op}.${x}`),
  ),
  ...['fcvt.d.s', 'fcvt.d.w', 'fcvt.d.wu', 'fmv.x.w', 'fmv.w.x', 'fmv.x.d', 'fmv.d.x'],
];

describe('reference output of fptest', () => {
  it('Unprivileged ISA 20, 21: has every F and D operation, the rounding ones in every mode', async () => {
    const lines = (await fptestReference()).split('\n').map((line) => line.split(' ').slice(0, 2).join(' '));
    const modes = ['rne', 'rtz', 'rdn', 'rup', 'rmm'].flatMap((mode) => [mode, `dyn-${mode}`]);
    expect(lines).toEqual(expect.arrayContaining(OPERATIONS.flatMap((op) => modes.map((m) => `${op} ${m}`))));
    expect(lines).toEqual(expect.arrayContaining(EXACT.map((op) => `${op} -`)));
  });

  it('Unprivileged ISA 20.2: the mode in the instruction and the one in frm round alike', async () => {
    const hashes = new Map<string, string>(
      (await fptestReference()).split('\n').map((line) => {
        const [name, mode, hash] = line.split(' ');
        return [`${name} ${mode}`, hash ?? ''] as const;
      }),
    );
    for (const [key, hash] of hashes) {
      if (key.includes(' dyn-')) expect(hash, key).toBe(hashes.get(key.replace('dyn-', '')));
    }
  });

  it('is found again among the other lines of a console', async () => {
    const reference = await fptestReference();
    const console = `OpenSBI v1.1\r\n${reference.replaceAll('\n', '\r\n')}vmloom: powered off\r\n`;
    expect(fptestLines(console)).toBe(reference);
  });
});
