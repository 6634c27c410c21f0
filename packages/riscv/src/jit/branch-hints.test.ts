import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CSR_MSTATUS } from '../csr-numbers.js';
import { RAM_BASE, asm, bareMachine, li } from '../testing/index.js';

const SECTION = 'metadata.code.branch_hint';
const CODE = 10;
const [IF, BR_IF] = [0x04, 0x0d];

/** Reads a module as the core specification (5.5) lays it out. */
class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
}

/** The bodies of a module's functions, size left out. */
function bodiesOf(bytes: Uint8Array): Uint8Array[] {
  const reader = new Reader(bytes);
  let id = 0;
  for (reader.at = 8; id !== CODE;) {
    id = bytes[reader.at++];
    const size = reader.unsigned();
    if (id !== CODE) reader.at += size;
  }
  return Array.from({ length: reader.unsigned() }, () => {
    const size = reader.unsigned();
    reader.at += size;
    return bytes.subarray(reader.at - size, reader.at);
  });
}

/** Hints by function: offset in the body and value. */
function hintsOf(section: ArrayBuffer): Map<number, [offset: number, value: number][]> {
  const reader = new Reader(new Uint8Array(section));
  const functions = Array.from({ length: reader.unsigned() }, () => {
    const index = reader.unsigned();
    const hints = Array.from({ length: reader.unsigned() }, (): [number, number] => {
      const offset = reader.unsigned();
      expect(reader.unsigned()).toBe(1);
      return [offset, reader.unsigned()];
    });
    return [index, hints] as const;
  });
  expect(reader.at).toBe(section.byteLength);
  return new Map(functions);
}

describe('branch hints of compiled code', () => {
  const modules: Uint8Array[] = [];
  const RealModule = WebAssembly.Module;
  beforeEach(() => {
    modules.length = 0;
    WebAssembly.Module = class extends RealModule {
      constructor(bytes: BufferSource) {
        super(bytes);
        modules.push(bytes as Uint8Array);
      }
    };
  });
  afterEach(() => {
    WebAssembly.Module = RealModule;
  });

  it('stand at branches, in ascending order, the misses of the translation buffer among them', async () => {
    const machine = await bareMachine({ jit: { threshold: 1, batch: 1 } });
    machine.hart.writeCsr(CSR_MSTATUS, 3n << 13n);
    machine.load(RAM_BASE, [
      ...li('a0', RAM_BASE + 0x1000),
      ...[
        asm.ld('a1', 0, 'a0'),
        asm.sd('a1', 8, 'a0'),
        asm.fld('fa0', 0, 'a0'),
        asm.fmul_d('fa1', 'fa0', 'fa0'),
      ],
      ...[asm.fmadd_s('fa1', 'fa0', 'fa0', 'fa1'), asm.div('a2', 'a1', 'a0'), asm.bne('a0', 'zero', -24)],
    ]);
    modules.length = 0;
    for (let turn = 0; turn < 20; turn++) machine.run(100);
    expect(modules.length).toBeGreaterThan(0);
    for (const bytes of modules) {
      const [section] = RealModule.customSections(new RealModule(bytes as BufferSource), SECTION);
      const hints = hintsOf(section);
      const bodies = bodiesOf(bytes);
      const imports = RealModule.imports(new RealModule(bytes as BufferSource)).filter(
        ({ kind }) => kind === 'function',
      );
      expect([...hints.keys()]).toEqual(bodies.map((_, index) => imports.length + index));
      [...hints.values()].forEach((list, index) => {
        expect(list.length).toBeGreaterThan(6);
        expect(list.map(([offset]) => offset)).toEqual(list.map(([offset]) => offset).sort((a, b) => a - b));
        for (const [offset, value] of list) {
          expect([IF, BR_IF]).toContain(bodies[index][offset]);
          expect([0, 1]).toContain(value);
        }
        expect(list.some(([, value]) => value === 1)).toBe(true);
      });
    }
  });
});
