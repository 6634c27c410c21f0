import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bits, blob, cstr, seq, struct, u16, u32, u8 } from 'buffer-layout';
import { constantName, generate, loadLayouts, updateAll } from './layouts.mjs';

/** The constants of a generated text. */
function constants(text) {
  return Object.fromEntries(
    [...text.matchAll(/^export const (\w+) = (\w+);$/gm)].map(([, k, v]) => [k, Number(v)]),
  );
}

describe('generate', () => {
  it('gives the size and the byte offset of each field, also behind padding', () => {
    expect(
      constants(generate({ txDescriptor: struct([u32('addressLow'), u8(), u8('CSO'), u16('length')]) })),
    ).toEqual({
      TX_DESCRIPTOR_SIZE: 8,
      TX_DESCRIPTOR_ADDRESS_LOW: 0,
      TX_DESCRIPTOR_CSO: 5,
      TX_DESCRIPTOR_LENGTH: 6,
    });
  });

  it('agrees with what buffer-layout itself writes', () => {
    const layout = struct([u16('a'), struct([u8('x'), u32('y')], 'inner'), blob(3, 'mac'), u32('last')]);
    const offsets = constants(generate({ layout }));
    const bytes = Buffer.alloc(layout.span);
    layout.encode({ a: 0, inner: { x: 0x51, y: 0x52 }, mac: Buffer.from([0x61, 0, 0]), last: 0x71 }, bytes);
    expect(bytes.length).toBe(offsets.LAYOUT_SIZE);
    expect(bytes[offsets.LAYOUT_INNER_X]).toBe(0x51);
    expect(bytes.readUInt32LE(offsets.LAYOUT_INNER_Y)).toBe(0x52);
    expect(bytes[offsets.LAYOUT_MAC]).toBe(0x61);
    expect(bytes.readUInt32LE(offsets.LAYOUT_LAST)).toBe(0x71);
  });

  it('gives stride and count of a sequence', () => {
    expect(constants(generate({ ring: struct([u8('n'), seq(u16(), 5, 'slot'), u8('end')]) }))).toEqual({
      RING_SIZE: 12,
      RING_N: 0,
      RING_SLOT: 1,
      RING_SLOT_STRIDE: 2,
      RING_SLOT_COUNT: 5,
      RING_END: 11,
    });
  });

  it('gives shift and mask of bit fields, up to bit 31', () => {
    const word = bits(u32(), false, 'flags');
    word.addField(3, 'kind');
    word.addField(28, 'rest');
    word.addBoolean('own');
    expect(constants(generate({ w: struct([word]) }))).toEqual({
      W_SIZE: 4,
      W_FLAGS: 0,
      W_FLAGS_KIND_SHIFT: 0,
      W_FLAGS_KIND_MASK: 7,
      W_FLAGS_REST_SHIFT: 3,
      W_FLAGS_REST_MASK: 0x7ffffff8,
      W_FLAGS_OWN_SHIFT: 31,
      W_FLAGS_OWN_MASK: 0x80000000,
    });
  });

  it('does not depend on the order of the exports', () => {
    const a = struct([u8('x')]);
    const b = struct([u16('y')]);
    expect(generate({ a, b })).toBe(generate({ b, a }));
  });

  it('refuses a structure of varying size, a name given twice and a file without structures', () => {
    expect(() => generate({ a: struct([cstr('text')]) })).toThrow('a has no fixed size');
    expect(() => generate({ a: struct([u8('size')]) })).toThrow('A_SIZE comes from both a and a');
    expect(() => generate({ a: 5 })).toThrow('no exported structure');
  });
});

describe('constantName', () => {
  it.each([
    ['txDescriptor', 'TX_DESCRIPTOR'],
    ['TxDescriptor', 'TX_DESCRIPTOR'],
    ['TX_DESCRIPTOR', 'TX_DESCRIPTOR'],
    ['pciBAR0', 'PCI_BAR0'],
    ['BARSize', 'BAR_SIZE'],
  ])('%s becomes %s', (name, constant) => expect(constantName(name)).toBe(constant));
});

describe('a workspace', () => {
  let root;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'layouts-'));
    mkdirSync(join(root, 'apps'));
    mkdirSync(join(root, 'packages/nic/src'), { recursive: true });
    mkdirSync(join(root, 'packages/plain/src'), { recursive: true });
    writeFileSync(join(root, 'packages/nic/src/counts.ts'), 'export const N: number = 2;\n');
    writeFileSync(
      join(root, 'packages/nic/src/layouts.ts'),
      "import { seq, struct, u16 } from 'buffer-layout';\nimport { N } from './counts.js';\n" +
        "interface Span { readonly span: number }\nexport const nic: Span = struct([seq(u16(), N, 'q'), u16('end')]);\n",
    );
  });

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('gets its file written once, and checked', async () => {
    const target = join(root, 'packages/nic/src/layout-offsets.ts');
    expect(await updateAll(root, true)).toEqual([expect.stringContaining('differs')]);
    expect(existsSync(target)).toBe(false);
    expect(await updateAll(root, false)).toEqual(['packages/nic/src/layout-offsets.ts written']);
    expect(constants(readFileSync(target, 'utf8')).NIC_END).toBe(4);
    expect(await updateAll(root, true)).toEqual([]);
    writeFileSync(target, readFileSync(target, 'utf8').replace('NIC_END = 4', 'NIC_END = 5'));
    expect(await updateAll(root, true)).toEqual([expect.stringContaining('differs')]);
  });

  it('reads TypeScript with types and relative imports', async () => {
    expect((await loadLayouts(join(root, 'packages/nic/src/layouts.ts'))).nic.span).toBe(6);
  });

  it('names the file that is wrong', async () => {
    mkdirSync(join(root, 'packages/wrong/src'), { recursive: true });
    writeFileSync(join(root, 'packages/wrong/src/layouts.ts'), 'export const x = 1;\n');
    await expect(updateAll(root, true)).rejects.toThrow(
      'packages/wrong/src/layouts.ts: no exported structure',
    );
    rmSync(join(root, 'packages/wrong'), { recursive: true });
  });
});
