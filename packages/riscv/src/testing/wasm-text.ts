import { VECTOR_OPCODES, WASM_OPCODES, type WasmOpcode } from './wasm-opcodes.js';
import { readModule, WasmReader, type Signature, type WasmBody, type WasmModule } from './wasm-module.js';

/** Names for what is a mere number in a module. */
export interface WasmNames {
  /** A local. Several may have one name. */
  readonly local: (index: number) => string | undefined;
  /** What lies at an offset behind a local. */
  readonly field: (local: string, offset: number) => string | undefined;
  /** A constant. */
  readonly constant: (value: bigint) => string | undefined;
  /** A local that is never set. */
  readonly fixed: (index: number) => boolean;
  /** What a local is called that gets a value before the first block. */
  readonly localOf: (index: number, value: string) => string | undefined;
}

interface Label {
  readonly name: string;
  readonly kind: string;
  /** It leaves a value. */
  readonly result: boolean;
  /** Values below it. */
  readonly height: number;
}

interface Value {
  readonly text: string;
  /** It is the same whenever it is looked at. */
  readonly fixed: boolean;
}

const EMPTY = 0x40;
const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  i32: 0x41,
  i64: 0x42,
  f32: 0x43,
  f64: 0x44,
  vector: 0xfd,
} as const;
/** Integers from here on are easier to read in hexadecimal. */
const LARGE = 65_536n;

/**
 * The functions of a module as text that a person can read and compare: one line for each instruction that does
 * something, with the expressions that it takes inside, `name = value` for what a local gets, and the label
 * behind `block`, `loop` and `if`. A value that waits on the stack meanwhile gets a name of its own.
 */
export function wasmText(bytes: Uint8Array, names: WasmNames): string {
  const module = readModule(bytes);
  return module.bodies.map((body) => new BodyText(module, body, names).print()).join('\n');
}

class BodyText {
  readonly #lines: string[] = [];
  readonly #labels: Label[] = [];
  readonly #reader: WasmReader;
  readonly #locals = new Map<number, string>();
  #stack: Value[] = [];
  #named = 0;
  #labelled = 0;

  constructor(
    readonly module: WasmModule,
    readonly body: WasmBody,
    readonly names: WasmNames,
  ) {
    this.#reader = new WasmReader(body.bytes, body.start);
  }

  print(): string {
    this.#lines.push(`function ${this.body.name}`);
    while (this.#reader.at < this.body.end - 1) this.#instruction();
    this.#statement(`return ${this.#pop()}`);
    return `${this.#lines.join('\n')}\n`;
  }

  #instruction(): void {
    const at = this.#reader.at;
    const opcode = this.#reader.byte();
    const known =
      opcode === OP.vector ? VECTOR_OPCODES.get(this.#reader.unsigned()) : WASM_OPCODES.get(opcode);
    if (known !== undefined) this.#operation(known);
    else if (opcode >= OP.get && opcode <= OP.tee) this.#local(opcode);
    else if (opcode >= OP.i32 && opcode <= OP.f64) this.#constant(opcode);
    else if (opcode >= OP.block && opcode <= OP.if) this.#open(opcode, at);
    else this.#control(opcode, at);
  }

  #operation({ name, operands, result, immediate }: WasmOpcode): void {
    if (immediate === 'memory') return this.#memory(name, result);
    const lane = immediate === 'lane' ? ` ${this.#reader.byte()}` : '';
    const values = this.#take(operands);
    this.#push(`(${name}${lane} ${values.join(' ')})`);
  }

  #memory(name: string, loads: boolean): void {
    this.#reader.unsigned();
    const offset = this.#reader.unsigned();
    const value = loads ? '' : this.#pop();
    const place = this.#place(this.#pop(), offset);
    if (loads) this.#push(`(${name} ${place})`);
    else this.#statement(`${name} ${place} = ${value}`);
  }

  #place(base: string, offset: number): string {
    const field = this.names.field(base, offset);
    if (field !== undefined) return `${base}.${field}`;
    return offset === 0 ? `[${base}]` : `[${base} + ${offset}]`;
  }

  #local(opcode: number): void {
    const index = this.#reader.unsigned();
    if (opcode === OP.get) {
      const name = this.#nameOf(index);
      return this.#push(name, this.names.fixed(index));
    }
    const value = this.#pop();
    const known = this.#labels.length === 0 ? this.names.localOf(index, value) : undefined;
    if (known !== undefined) this.#locals.set(index, known);
    const name = this.#nameOf(index);
    if (opcode === OP.tee) this.#push(`{${name} = ${value}}`);
    else this.#statement(`${name} = ${value}`);
  }

  #nameOf(index: number): string {
    return this.#locals.get(index) ?? this.names.local(index) ?? `local${index}`;
  }

  #constant(opcode: number): void {
    if (opcode === OP.f32) return this.#push(String(this.#reader.float32()), true);
    if (opcode === OP.f64) return this.#push(String(this.#reader.float64()), true);
    const value = this.#reader.signed();
    const magnitude = value < 0n ? -value : value;
    const digits = magnitude < LARGE ? String(value) : `${value < 0n ? '-' : ''}0x${magnitude.toString(16)}`;
    this.#push(this.names.constant(value) ?? digits, true);
  }

  #open(opcode: number, at: number): void {
    const result = this.#reader.byte() !== EMPTY;
    const kind = opcode === OP.block ? 'block' : opcode === OP.loop ? 'loop' : 'if';
    const condition = opcode === OP.if ? ` ${this.#pop()}` : '';
    const name = `L${++this.#labelled}`;
    this.#statement(`${kind} ${name}${condition}${this.#likelihood(at)}`);
    this.#labels.push({ name, kind, result, height: this.#stack.length });
  }

  #likelihood(at: number): string {
    const hint = this.body.hints.get(at);
    return hint === undefined ? '' : hint ? ' ; likely' : ' ; unlikely';
  }

  #control(opcode: number, at: number): void {
    switch (opcode) {
      case OP.unreachable:
        return this.#leave('unreachable');
      case OP.else:
        return this.#else();
      case OP.end:
        return this.#end();
      case OP.br:
        return this.#leave(`br ${this.#target()}`);
      case OP.brIf: {
        const target = this.#target();
        return this.#statement(`br_if ${target} ${this.#pop()}${this.#likelihood(at)}`);
      }
      case OP.brTable: {
        const targets = this.#reader.vector(() => this.#target());
        return this.#leave(`br_table ${this.#pop()} ${[...targets, this.#target()].join(' ')}`);
      }
      case OP.return:
        return this.#leave(`return ${this.#pop()}`);
      case OP.call:
        return this.#call(this.#reader.unsigned());
      case OP.drop:
        return this.#statement(`drop ${this.#pop()}`);
      default:
        throw new RangeError(`opcode 0x${opcode.toString(16)} at ${at} of ${this.body.name}`);
    }
  }

  #target(): string {
    const depth = this.#reader.unsigned();
    return this.#labels[this.#labels.length - 1 - depth]?.name ?? 'function';
  }

  #call(index: number): void {
    const { parameters, results }: Signature = this.module.signatures[index];
    const name = this.module.imports[index] ?? this.module.bodies[index - this.module.imports.length].name;
    const text = `${name}(${this.#take(parameters.length).join(', ')})`;
    if (results.length === 0) return this.#statement(text);
    // It changes what it likes: whatever comes later comes after it.
    this.#settle();
    this.#push(text);
  }

  #else(): void {
    const label = this.#labels.at(-1)!;
    if (label.result && this.#stack.length > label.height) this.#statement(`=> ${this.#pop()}`);
    this.#stack.length = label.height;
    this.#labels.pop();
    this.#print('else');
    this.#labels.push(label);
  }

  #end(): void {
    const label = this.#labels.at(-1)!;
    if (label.result && this.#stack.length > label.height) this.#statement(`=> ${this.#pop()}`);
    this.#labels.pop();
    this.#stack.length = label.height;
    this.#print(`end ${label.name}`);
    if (label.result) this.#push(label.name, true);
  }

  /** What follows is not reached. */
  #leave(text: string): void {
    this.#statement(text);
    this.#stack.length = this.#labels.at(-1)?.height ?? 0;
  }

  #push(text: string, fixed = false): void {
    this.#stack.push({ text, fixed });
  }

  #pop(): string {
    return this.#stack.pop()?.text ?? '?';
  }

  #take(count: number): string[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  /** What waits on the stack and may change meanwhile gets a name. */
  #settle(): void {
    this.#stack = this.#stack.map((value) => {
      if (value.fixed) return value;
      const name = `v${++this.#named}`;
      this.#print(`${name} = ${value.text}`);
      return { text: name, fixed: true };
    });
  }

  #statement(text: string): void {
    this.#settle();
    this.#print(text);
  }

  #print(text: string): void {
    this.#lines.push(`${'  '.repeat(this.#labels.length + 1)}${text}`);
  }
}
