/** What the WebAssembly engine offers beyond version 2.0 of the core specification. */
export interface EngineFeatures {
  /** `f64x2.relaxed_madd` exists and rounds once, as a fused multiply-add does. */
  readonly fusedMultiplyAdd: boolean;
}

/** Node, where the program runs in it: there is no other way to its flags that browsers can load. */
interface NodeProcess {
  readonly versions?: { readonly v8?: string };
  getBuiltinModule?(name: 'node:v8'): { setFlagsFromString(flags: string): void };
}

/** Versions of V8 below have branch hints behind a flag. */
const V8_WITH_HINTS = 13;

/**
 * Bytes of code that a function runs before V8 optimizes it, for code that the compiler does not take for fast: never.
 * Optimizing a region costs what it saves in some ten million instructions, and those are what makes it fast.
 */
const NEVER = 2_000_000_000;
/** For fast code: at once. */
const SOON = 100_000;
/** For everything else: V8's own. */
const USUAL = 1_800_000;

let features: EngineFeatures | undefined;

/** The flags of V8, where the program runs in Node. */
function v8Flags(): { setFlagsFromString(flags: string): void } | undefined {
  const { process } = globalThis as { process?: NodeProcess };
  return process?.getBuiltinModule?.('node:v8');
}

/**
 * What `compile` makes of a module is optimized soon or never. In an engine that cannot be told, when the engine
 * likes to: V8 notes the budget of a module's functions when it makes the module.
 */
export function withTiering<Result>(soon: boolean, compile: () => Result): Result {
  const v8 = v8Flags();
  v8?.setFlagsFromString(`--wasm-tiering-budget=${soon ? SOON : NEVER}`);
  try {
    return compile();
  } finally {
    v8?.setFlagsFromString(`--wasm-tiering-budget=${USUAL}`);
  }
}

/** Finds out once. In Node an engine that has relaxed SIMD or branch hints behind a flag is told to use them. */
export function engineFeatures(): EngineFeatures {
  if (features === undefined) {
    const { process } = globalThis as { process?: NodeProcess };
    const v8 = v8Flags();
    if (Number.parseInt(process?.versions?.v8 ?? '', 10) < V8_WITH_HINTS) {
      v8?.setFlagsFromString('--experimental-wasm-branch-hinting');
    }
    if (!WebAssembly.validate(MADD)) v8?.setFlagsFromString('--experimental-wasm-relaxed-simd');
    features = { fusedMultiplyAdd: fuses() };
  }
  return features;
}

const [FUNCTION, F64, V128, END] = [0x60, 0x7c, 0xfd, 0x0b];
const SPLAT = [V128, 0x14];
const RELAXED_MADD = [V128, 0x87, 0x02];
const FIRST_LANE = [V128, 0x21, 0];

/** A module whose function `f` is `a * b + c` by the instruction. */
const MADD = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 8, 1, FUNCTION, 3, F64, F64, F64, 1, F64],
  ...[3, 2, 1, 0],
  ...[7, 5, 1, 1, 0x66, 0, 0],
  ...[10, 22, 1, 20, 0, 0x20, 0, ...SPLAT, 0x20, 1, ...SPLAT, 0x20, 2, ...SPLAT],
  ...[...RELAXED_MADD, ...FIRST_LANE, END],
]);

function fuses(): boolean {
  if (!WebAssembly.validate(MADD)) return false;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MADD));
  const multiplyAdd = exports.f as (a: number, b: number, c: number) => number;
  // The square of 1 + 2^-52 less 1: a product that is rounded by itself loses 2^-104.
  return multiplyAdd(1 + 2 ** -52, 1 + 2 ** -52, -1) === 2 ** -51 + 2 ** -104;
}
