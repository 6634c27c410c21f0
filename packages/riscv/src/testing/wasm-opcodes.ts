/** Instructions of WebAssembly (core specification 5.4) that take their operands from the stack: for {@link wasmText}. */

export interface WasmOpcode {
  readonly name: string;
  /** Values that it takes, and whether it gives one. */
  readonly operands: number;
  readonly result: boolean;
  readonly immediate: 'none' | 'memory' | 'lane';
}

const MEMORY = [
  'i32.load i64.load f32.load f64.load',
  'i32.load8_s i32.load8_u i32.load16_s i32.load16_u',
  'i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u',
  'i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32',
];
const FIRST_MEMORY = 0x28;

const integer = (type: string): string =>
  `clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr`
    .split(' ')
    .map((name) => `${type}.${name}`)
    .join(' ');
const integerTests = (type: string): string =>
  'eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'
    .split(' ')
    .map((name) => `${type}.${name}`)
    .join(' ');
const floatTests = (type: string): string =>
  'eq ne lt gt le ge'
    .split(' ')
    .map((name) => `${type}.${name}`)
    .join(' ');
const float = (type: string): string =>
  'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign'
    .split(' ')
    .map((name) => `${type}.${name}`)
    .join(' ');
const NUMERIC = [
  ...[integerTests('i32'), integerTests('i64'), floatTests('f32'), floatTests('f64')],
  ...[integer('i32'), integer('i64'), float('f32'), float('f64')],
  'i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u',
  'i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u',
  'f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64',
  'f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32',
  'i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64',
  'i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s',
];
const FIRST_NUMERIC = 0x45;
const UNARY =
  /\.(eqz|clz|ctz|popcnt|abs|neg|ceil|floor|trunc|nearest|sqrt|wrap_.*|trunc_.*|extend.*|convert_.*|demote_.*|promote_.*|reinterpret_.*)$/;

const opcodes = new Map<number, WasmOpcode>();
for (const [index, name] of MEMORY.join(' ').split(' ').entries()) {
  const store = name.includes('store');
  opcodes.set(FIRST_MEMORY + index, { name, operands: store ? 2 : 1, result: !store, immediate: 'memory' });
}
for (const [index, name] of NUMERIC.join(' ').split(' ').entries()) {
  opcodes.set(FIRST_NUMERIC + index, {
    name,
    operands: UNARY.test(name) ? 1 : 2,
    result: true,
    immediate: 'none',
  });
}
opcodes.set(0x1b, { name: 'select', operands: 3, result: true, immediate: 'none' });
/** Vector instructions, of which the emitter knows three, by their number behind the prefix. */
export const VECTOR_OPCODES: ReadonlyMap<number, WasmOpcode> = new Map([
  [0x14, { name: 'f64x2.splat', operands: 1, result: true, immediate: 'none' }],
  [0x21, { name: 'f64x2.extract_lane', operands: 1, result: true, immediate: 'lane' }],
  [0x107, { name: 'f64x2.relaxed_madd', operands: 3, result: true, immediate: 'none' }],
]);

export const WASM_OPCODES: ReadonlyMap<number, WasmOpcode> = opcodes;
