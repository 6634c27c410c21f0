import { type Instruction, INSTRUCTIONS } from '../instructions.js';
import {
  R_IMM,
  R_OP,
  R_RAW,
  R_RD,
  R_RS1,
  R_RS2,
  RECORD_SIZE,
  S_F,
  S_FFLAGS,
  S_X,
  S_X_SINK,
} from '../layout.js';
import {
  CALL_FLOAT,
  CALL_WHILE_INEXACT,
  F32_TEMPORARIES,
  F64_TEMPORARIES,
  J_F32_TEMPORARIES,
  J_F64_TEMPORARIES,
  J_F_LOCAL,
  J_FLOAT_BOXED,
  J_HINT_COUNT,
  J_LOCALS,
  J_OUT,
  J_RELAXED,
  J_X_LOCAL,
  LOCAL_REGISTERS,
  LOCAL_TARGET,
  MAX_HINTS,
} from '../jit/layout.js';

/** For tests: runs the code that the emitter makes of floating-point instructions, without a hart. */

const STATE = 4096;
const EMITTER = 8192;
const RECORDS = 12288;
const OUT = 16384;

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const END = 0x0b;

const PARAMETERS = 3;

type Core = Record<string, (...operands: number[]) => number>;

export interface EmitOptions {
  /** Registers in wasm locals, else in the state block; locals unless told. */
  readonly locals?: boolean;
  /** Use of f64x2.relaxed_madd; none unless told. */
  readonly relaxed?: boolean;
}

/** A hart's registers in a memory, and the emitter. */
export class EmittedFloat {
  readonly #memory: WebAssembly.Memory;
  readonly #core: Core;
  readonly view: DataView;

  private constructor(memory: WebAssembly.Memory, core: Core) {
    this.#memory = memory;
    this.#core = core;
    this.view = new DataView(memory.buffer);
  }

  /** @param wasm the core jit-float */
  static async load(wasm: BufferSource): Promise<EmittedFloat> {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
    const { instance } = await WebAssembly.instantiate(wasm, { env: { memory } });
    return new EmittedFloat(memory, instance.exports as Core);
  }

  getF(register: number): bigint {
    return this.view.getBigUint64(STATE + S_F + 8 * register, true);
  }

  setF(register: number, bits: bigint): void {
    this.view.setBigUint64(STATE + S_F + 8 * register, bits, true);
  }

  getX(register: number): bigint {
    return this.view.getBigUint64(STATE + S_X + 8 * register, true);
  }

  setX(register: number, value: bigint): void {
    this.view.setBigUint64(STATE + S_X + 8 * register, BigInt.asUintN(64, value), true);
  }

  get flags(): number {
    return this.view.getUint32(STATE + S_FFLAGS, true);
  }

  set flags(value: number) {
    this.view.setUint32(STATE + S_FFLAGS, value, true);
  }

  /** A function that carries the instructions out on the registers; undefined when one is not emitted. */
  compile(words: readonly number[], options: EmitOptions = {}): (() => void) | undefined {
    const locals = options.locals ?? true;
    const firstF = LOCAL_REGISTERS + 31;
    const temporaries = firstF + 32;
    const { view } = this;
    const number = (offset: number, value: number) => view.setUint32(EMITTER + offset, value, true);
    number(J_OUT, OUT);
    number(J_LOCALS, locals ? 1 : 0);
    number(J_RELAXED, options.relaxed ? 1 : 0);
    number(J_FLOAT_BOXED, 0);
    number(J_HINT_COUNT, MAX_HINTS);
    number(J_F64_TEMPORARIES, temporaries);
    number(J_F32_TEMPORARIES, temporaries + F64_TEMPORARIES);
    for (let register = 0; register < 32; register++) {
      view.setUint8(EMITTER + J_X_LOCAL + register, register === 0 ? 0 : LOCAL_REGISTERS + register - 1);
      view.setUint8(EMITTER + J_F_LOCAL + register, firstF + register);
    }
    this.#core.emitFloatEntry(EMITTER);
    for (const [index, word] of words.entries()) {
      const record = RECORDS + index * RECORD_SIZE;
      const op = this.#decode(record, word);
      if (this.#core.emitFloat(EMITTER, record, op) === 0) return undefined;
    }
    const code = new Uint8Array(this.#memory.buffer.slice(OUT, view.getUint32(EMITTER + J_OUT, true)));
    return this.#instantiate(locals ? [...spills('load'), ...code, ...spills('store')] : [...code]);
  }

  #decode(record: number, word: number): number {
    const row = INSTRUCTIONS.find((one: Instruction) => (word & one.mask) >>> 0 === one.match);
    if (!row) throw new RangeError(`0x${word.toString(16)} is no instruction`);
    const rd = (word >>> 7) & 31;
    this.view.setUint16(record + R_OP, row.op, true);
    this.view.setUint16(record + R_RD, rd === 0 ? S_X_SINK : 8 * rd, true);
    this.view.setUint8(record + R_RS1, ((word >>> 15) & 31) << 3);
    this.view.setUint8(record + R_RS2, ((word >>> 20) & 31) << 3);
    this.view.setUint32(record + R_IMM, ((word >>> 12) & 7) | ((word >>> 27) << 3), true);
    this.view.setUint32(record + R_RAW, word, true);
    return row.op;
  }

  #instantiate(body: readonly number[]): () => void {
    const { compiledFloatOperation, whileInexact } = this.#core;
    const types = [
      [0x60, 3, I32, I64, I32, 0],
      [0x60, 5, I32, I32, I64, I64, I64, 1, I64],
      [0x60, 2, I32, I64, 1, I64],
    ];
    // The calls are numbered as in a region, whose other imports are not called here.
    const imports = Array.from({ length: CALL_WHILE_INEXACT + 1 }, (_, index) => [
      ...[...name('e'), ...name(String(index)), 0],
      index === CALL_FLOAT ? 1 : 2,
    ]);
    imports.push([...name('e'), ...name('memory'), 2, 0, 1]);
    const variables = [
      [LOCAL_TARGET - PARAMETERS, I32],
      [LOCAL_REGISTERS - LOCAL_TARGET + 31, I64],
      [32 + F64_TEMPORARIES, F64],
      [F32_TEMPORARIES, F32],
    ];
    const code = [...vector(variables), ...body, END];
    const bytes = [
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, vector(types)),
      ...section(2, vector(imports)),
      ...section(3, [1, 0]),
      ...section(7, vector([[...name('run'), 0, CALL_WHILE_INEXACT + 1]])),
      ...section(10, [1, ...leb(code.length), ...code]),
    ];
    const e: Record<string, WebAssembly.ImportValue> = { memory: this.#memory };
    for (let index = 0; index <= CALL_WHILE_INEXACT; index++) {
      e[index] = index === CALL_FLOAT ? compiledFloatOperation : whileInexact;
    }
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), { e });
    const run = exports.run as (state: number, base: bigint, entry: number) => void;
    return () => run(STATE, 0n, 0);
  }
}

/** Loads all registers into their locals, or stores them. */
function spills(direction: 'load' | 'store'): number[] {
  const bytes: number[] = [];
  for (let index = 0; index < 63; index++) {
    const isX = index < 31;
    const local = leb(LOCAL_REGISTERS + index);
    const offset = leb(isX ? S_X + 8 * (index + 1) : S_F + 8 * (index - 31));
    if (direction === 'load') bytes.push(0x20, 0, isX ? 0x29 : 0x2b, 0, ...offset, 0x21, ...local);
    else bytes.push(0x20, 0, 0x20, ...local, isX ? 0x37 : 0x39, 0, ...offset);
  }
  return bytes;
}

function leb(value: number): number[] {
  const bytes = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function name(text: string): number[] {
  return [...leb(text.length), ...new TextEncoder().encode(text)];
}
