/** What {@link wasmText} needs of a module (core specification 5.5). */
export interface WasmModule {
  /** Parameters and results of each function, imported ones first. */
  readonly signatures: readonly Signature[];
  /** Names of the imported functions. */
  readonly imports: readonly string[];
  readonly bodies: readonly WasmBody[];
}

export interface Signature {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface WasmBody {
  readonly name: string;
  /** Types of the declared locals, behind the parameters. */
  readonly locals: readonly number[];
  /** Instructions, in `bytes` from `start` to `end`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** By offset in `bytes`: whether the condition there is likely to hold. */
  readonly hints: ReadonlyMap<number, boolean>;
}

const MAGIC_AND_VERSION = 8;
const SECTION = { custom: 0, types: 1, imports: 2, functions: 3, exports: 7, code: 10 } as const;
const KIND = { function: 0, memory: 2 } as const;
const BRANCH_HINTS = 'metadata.code.branch_hint';

/** Reads the parts of a binary one after the other. */
export class WasmReader {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}

  byte(): number {
    return this.bytes[this.at++];
  }

  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  signed(): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return BigInt.asIntN(Number(shift), value);
    }
  }

  float64(): number {
    const value = new DataView(this.bytes.buffer, this.bytes.byteOffset).getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  float32(): number {
    const value = new DataView(this.bytes.buffer, this.bytes.byteOffset).getFloat32(this.at, true);
    this.at += 4;
    return value;
  }

  name(): string {
    const length = this.unsigned();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }

  vector<T>(item: () => T): T[] {
    return Array.from({ length: this.unsigned() }, item);
  }
}

/** @throws RangeError for imports other than functions and a memory */
export function readModule(bytes: Uint8Array): WasmModule {
  const reader = new WasmReader(bytes, MAGIC_AND_VERSION);
  let types: Signature[] = [];
  let imports: { name: string; type: number }[] = [];
  let functions: number[] = [];
  const names = new Map<number, string>();
  const hints = new Map<number, Map<number, boolean>>();
  const bodies: Omit<WasmBody, 'hints' | 'name'>[] = [];
  while (reader.at < bytes.length) {
    const section = reader.byte();
    const end = reader.unsigned() + reader.at;
    if (section === SECTION.types) types = reader.vector(() => signature(reader));
    else if (section === SECTION.imports) imports = reader.vector(() => imported(reader)).flat();
    else if (section === SECTION.functions) functions = reader.vector(() => reader.unsigned());
    else if (section === SECTION.exports) {
      reader.vector(() => {
        const name = reader.name();
        if (reader.byte() === KIND.function) names.set(reader.unsigned(), name);
        else reader.unsigned();
      });
    } else if (section === SECTION.custom && reader.name() === BRANCH_HINTS) readHints(reader, hints);
    else if (section === SECTION.code) reader.vector(() => bodies.push(body(reader)));
    reader.at = end;
  }
  return {
    signatures: [...imports.map(({ type }) => types[type]), ...functions.map((type) => types[type])],
    imports: imports.map(({ name }) => name),
    bodies: bodies.map((one, index) => {
      const number = imports.length + index;
      return { ...one, name: names.get(number) ?? `f${number}`, hints: hints.get(number) ?? new Map() };
    }),
  };
}

function signature(reader: WasmReader): Signature {
  reader.byte();
  return { parameters: reader.vector(() => reader.byte()), results: reader.vector(() => reader.byte()) };
}

function imported(reader: WasmReader): { name: string; type: number }[] {
  reader.name();
  const name = reader.name();
  const kind = reader.byte();
  if (kind === KIND.function) return [{ name, type: reader.unsigned() }];
  if (kind !== KIND.memory) throw new RangeError(`an import of kind ${kind}`);
  const limits = reader.byte();
  reader.unsigned();
  if ((limits & 1) !== 0) reader.unsigned();
  return [];
}

function readHints(reader: WasmReader, hints: Map<number, Map<number, boolean>>): void {
  reader.vector(() => {
    const of = new Map<number, boolean>();
    hints.set(reader.unsigned(), of);
    reader.vector(() => {
      const offset = reader.unsigned();
      reader.unsigned();
      of.set(offset, reader.byte() === 1);
    });
  });
}

/** Offsets of hints count from the declarations of locals on. */
function body(reader: WasmReader): Omit<WasmBody, 'hints' | 'name'> {
  const length = reader.unsigned();
  const bytes = reader.bytes.subarray(reader.at, reader.at + length);
  const inside = new WasmReader(bytes, 0);
  const locals = inside
    .vector(() => ({ count: inside.unsigned(), type: inside.byte() }))
    .flatMap(({ count, type }) => Array.from({ length: count }, () => type));
  reader.at += length;
  return { locals, bytes, start: inside.at, end: length };
}
