import { describe, expect, it } from 'vitest';
import { MachineError } from '../error.js';
import { readFdt } from './fdt-reader.js';
import { writeFdt } from './fdt-writer.js';
import { cells, findNode, node, propertyBytes, strings } from './node.js';

const sample = () =>
  node('', { '#address-cells': 2, compatible: ['a,b', 'c'], empty: true }, [
    node('chosen', { 'linux,initrd-start': 0x8400_0000n, bytes: Uint8Array.of(1, 2, 3, 4, 5) }),
    node('soc', { compatible: 'simple-bus' }, [node('serial@10000000', { interrupts: 10 })]),
  ]);

const refusal = (bytes: Uint8Array): string => {
  try {
    readFdt(bytes);
  } catch (error) {
    if (error instanceof MachineError && error.code === 'bad-device-tree') return error.message;
    throw error;
  }
  return 'accepted';
};

/** A copy with a 32-bit big-endian field replaced. */
function patched(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, value);
  return copy;
}

describe('Devicetree 0.4 ch. 5: writing', () => {
  it('DTSpec 5.2: the header of version 17, blocks in order and aligned', () => {
    const bytes = writeFdt(sample(), { bootCpu: 3 });
    const view = new DataView(bytes.buffer);
    const fields = Array.from({ length: 10 }, (_, index) => view.getUint32(index * 4));
    const [magic, total, structure, names, reservations, version, last, cpu, namesSize, structureSize] =
      fields;
    expect([magic, total, version, last, cpu]).toEqual([0xd00d_feed, bytes.length, 17, 16, 3]);
    expect([reservations % 8, structure % 4, names]).toEqual([0, 0, structure + structureSize]);
    expect(names + namesSize).toBeLessThanOrEqual(bytes.length);
  });

  it('DTSpec 5.4: what is written is what is read', () => {
    const { root, bootCpu, reservations } = readFdt(
      writeFdt(sample(), { bootCpu: 1, reservations: [{ address: 0x8000_0000n, size: 4096n }] }),
    );
    expect(root).toEqual(sample());
    expect([bootCpu, reservations]).toEqual([1, [{ address: 0x8000_0000n, size: 4096n }]]);
  });

  it('DTSpec 5.5: a property name is kept once', () => {
    const once = writeFdt(node('', { status: 'okay' }));
    const twice = writeFdt(node('', { status: 'okay' }, [node('a', { status: 'okay' })]));
    const size = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(32);
    expect(size(twice)).toBe(size(once));
  });

  it('is deterministic', () => {
    expect(writeFdt(sample())).toEqual(writeFdt(sample()));
  });
});

describe('property values', () => {
  it('DTSpec 2.2.4: cells, pairs of cells, strings, lists, flags and bytes', () => {
    expect([...propertyBytes(0x0102_0304)]).toEqual([1, 2, 3, 4]);
    expect([...propertyBytes(0x1_0000_0002n)]).toEqual([0, 0, 0, 1, 0, 0, 0, 2]);
    expect([...propertyBytes('ab')]).toEqual([97, 98, 0]);
    expect([...propertyBytes(['a', 'b', 1])]).toEqual([97, 0, 98, 0, 0, 0, 0, 1]);
    expect([...propertyBytes(true)]).toEqual([]);
  });

  it('refuses a number that is no cell', () => {
    for (const number of [-1, 2 ** 32, 1.5, NaN]) {
      expect(() => propertyBytes(number)).toThrow(/32-bit cell/);
    }
  });

  it('reading cells and strings checks their form', () => {
    const { root } = readFdt(writeFdt(sample()));
    expect(strings(root, 'compatible')).toEqual(['a,b', 'c']);
    expect(cells(findNode(root, '/chosen')!, 'linux,initrd-start')).toEqual([0, 0x8400_0000]);
    expect(() => cells(findNode(root, '/chosen')!, 'bytes')).toThrow(/no list of 32-bit cells/);
    expect(() => strings(findNode(root, '/chosen')!, 'bytes')).toThrow(/no string/);
    expect(() => cells(root, 'absent')).toThrow(/no property absent/);
    expect(findNode(root, '/soc/absent')).toBeUndefined();
  });
});

describe('a lying device tree', () => {
  const good = writeFdt(sample());
  const structure = new DataView(good.buffer).getUint32(8);

  it('is refused for its header', () => {
    expect(refusal(new Uint8Array(0))).toMatch(/shorter than its header/);
    expect(refusal(patched(good, 0, 0x1234))).toMatch(/does not begin with 0xd00dfeed/);
    expect(refusal(good.subarray(0, good.length - 8))).toMatch(/claims/);
    expect(refusal(patched(good, 4, 8))).toMatch(/claims 8 bytes/);
    expect(refusal(patched(good, 20, 16))).toMatch(/version 16/);
    expect(refusal(patched(good, 24, 18))).toMatch(/cannot be read/);
    expect(refusal(patched(good, 8, structure + 1))).toMatch(/multiple of 4/);
    expect(refusal(patched(good, 8, 0))).toMatch(/does not lie inside/);
    expect(refusal(patched(good, 36, 0xffff_fffc))).toMatch(/structure block does not lie inside/);
    expect(refusal(patched(good, 12, 0xffff_ffff))).toMatch(/strings block does not lie inside/);
    expect(refusal(patched(good, 16, 4))).toMatch(/reservations are misplaced/);
    expect(refusal(patched(good, 16, good.length - (good.length % 8) - 8))).toMatch(/do not end/);
  });

  it('is refused for its structure', () => {
    expect(refusal(patched(good, structure, 3))).toMatch(/does not begin with a node/);
    expect(refusal(patched(good, structure + 8, 77))).toMatch(/is no token/);
    // The first property: its length, then the offset of its name.
    expect(refusal(patched(good, structure + 12, 0xffff_fff0))).toMatch(/ends too early/);
    expect(refusal(patched(good, structure + 16, 0xffff))).toMatch(/outside the strings block/);
    const end = structure + new DataView(good.buffer).getUint32(36) - 4;
    expect(refusal(patched(good, end, 4))).toMatch(/ends too early/);
    expect(refusal(patched(good, end, 1))).toMatch(/follows the root/);
  });

  it('is refused for names, doubles and order', () => {
    const nest = (depth: number): ReturnType<typeof node> =>
      depth === 0 ? node('leaf', {}) : node('n', {}, [nest(depth - 1)]);
    expect(refusal(writeFdt(node('', {}, [nest(100)])))).toMatch(/more than 64 deep/);
    expect(refusal(writeFdt(node('', {}, [node('a', {}), node('a', {})])))).toMatch(/two nodes called a/);
    expect(refusal(writeFdt(node('', {}, [node('a/b', {})])))).toMatch(/no node name/);
    expect(refusal(writeFdt(node('', {}, [node('ä', {})])))).toMatch(/no ASCII/);
    expect(refusal(writeFdt(node('', { 'a b': 1 })))).toMatch(/no property name/);
    expect(refusal(writeFdt(node('root', {})))).toMatch(/no node name/);
  });

  it('fuzz: 20,000 trees with damaged bytes are read or refused, never anything else', () => {
    let state = 2026;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 4) % below;
    };
    const outcomes = new Set<string>();
    for (let round = 0; round < 20_000; round++) {
      const bytes = good.slice(0, random(10) === 0 ? random(good.length) : good.length);
      for (let count = 1 + random(4); count > 0 && bytes.length > 0; count--) {
        const at = random(bytes.length);
        bytes[at] = random(3) === 0 ? random(256) : [0, 0xff, 1, 0x80][random(4)];
      }
      outcomes.add(refusal(bytes).slice(0, 60));
    }
    expect(outcomes.has('accepted')).toBe(true);
    expect(outcomes.size).toBeGreaterThan(15);
  });
});
