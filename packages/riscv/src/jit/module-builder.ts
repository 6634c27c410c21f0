/** Puts function bodies into a WebAssembly module (core specification 5.5). */

const I32 = 0x7f;
const I64 = 0x7e;

/** A type: parameters and the one result. */
type Signature = readonly [parameters: readonly number[], result: number];

const REGION: Signature = [[I32, I64, I32], I32];
const ACCESS: Signature = [[I32, I64, I32, I64, I64, I32], I32];
const EXECUTE: Signature = [[I32, I64, I32, I64, I64], I32];
const WIDE: Signature = [[I64, I64], I64];
const FLOAT: Signature = [[I32, I32, I64, I64, I64], I64];
const LIMIT: Signature = [[I32, I64], I64];
const TYPES: readonly Signature[] = [REGION, ACCESS, EXECUTE, WIDE, FLOAT, LIMIT];

/** The functions that regions import from the hart's core, in the order of CALL_LOAD and so on. */
const IMPORTS: readonly (readonly [name: string, signature: Signature])[] = [
  ['compiledLoad', ACCESS],
  ['compiledStore', ACCESS],
  ['compiledExecute', EXECUTE],
  ['mulh', WIDE],
  ['mulhsu', WIDE],
  ['mulhu', WIDE],
  ['compiledFloatOperation', FLOAT],
  ['whileInexact', LIMIT],
  ['compiledCsr', EXECUTE],
];

export const IMPORTED_FUNCTIONS: readonly string[] = IMPORTS.map(([name]) => name);

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  while (value >= 0x80) {
    bytes.push((value & 0x7f) | 0x80);
    value >>>= 7;
  }
  bytes.push(value);
  return bytes;
}

const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const name = (text: string): number[] => [...unsigned(text.length), ...new TextEncoder().encode(text)];
const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];

const HINTS_NAME = name('metadata.code.branch_hint');
/** An offset of 28 bits, a length, a value. */
const MOST_BYTES_OF_HINT = 6;

/** The custom section of the branch hinting proposal; engines that do not know it pass over it. */
function branchHints(functions: readonly Uint32Array[]): Uint8Array {
  const most = functions.reduce((sum, hints) => sum + 10 + hints.length * MOST_BYTES_OF_HINT, 10);
  const bytes = new Uint8Array(HINTS_NAME.length + most);
  bytes.set(HINTS_NAME);
  let at = HINTS_NAME.length;
  const put = (value: number): void => {
    for (; value >= 0x80; value >>>= 7) bytes[at++] = value | 0x80;
    bytes[at++] = value;
  };
  put(functions.length);
  functions.forEach((hints, index) => {
    put(IMPORTS.length + index);
    put(hints.length);
    for (let which = 0; which < hints.length; which++) {
      put(hints[which] >>> 1);
      bytes[at++] = 1;
      bytes[at++] = hints[which] & 1;
    }
  });
  return bytes.subarray(0, at);
}

const MAX_PAGES = 65_536;

/** Everything before the functions: types and imports. */
function header(shared: boolean): Uint8Array {
  const types = TYPES.map(([parameters, result]) => [
    0x60,
    ...unsigned(parameters.length),
    ...parameters,
    1,
    result,
  ]);
  const memory = [
    ...name('env'),
    ...name('memory'),
    2,
    shared ? 3 : 1,
    ...unsigned(1),
    ...unsigned(MAX_PAGES),
  ];
  const functions = IMPORTS.map(([imported, signature]) => [
    ...name('env'),
    ...name(imported),
    0,
    TYPES.indexOf(signature),
  ]);
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([memory, ...functions])),
  ]);
}

export class ModuleBuilder {
  readonly #header: Uint8Array;

  constructor(shared: boolean) {
    this.#header = header(shared);
  }

  /**
   * A module with these bodies (locals and code) as regions; they are exported as `0`, `1` and so on. Hints are
   * for branches of each body: twice the offset in the body, plus 1 if the condition is likely to hold.
   */
  build(bodies: readonly Uint8Array[], hints: readonly Uint32Array[]): Uint8Array {
    const functions = section(3, vector(bodies.map(() => [0])));
    const exported = bodies.map((_, index) => [
      ...name(String(index)),
      0,
      ...unsigned(IMPORTS.length + index),
    ]);
    const exportsSection = section(7, vector(exported));
    const sizes = bodies.map((body) => unsigned(body.length));
    const count = unsigned(bodies.length);
    const codeSize = bodies.reduce(
      (sum, body, index) => sum + body.length + sizes[index].length,
      count.length,
    );
    const codeHead = [10, ...unsigned(codeSize), ...count];
    const hinted = branchHints(hints);
    const fixed = [
      this.#header,
      functions,
      exportsSection,
      [0, ...unsigned(hinted.length)],
      hinted,
      codeHead,
    ];
    const bytes = new Uint8Array(fixed.reduce((sum, part) => sum + part.length, codeSize - count.length));
    let at = 0;
    const put = (part: ArrayLike<number>): void => {
      bytes.set(part, at);
      at += part.length;
    };
    fixed.forEach(put);
    bodies.forEach((body, index) => {
      put(sizes[index]);
      put(body);
    });
    return bytes;
  }
}
