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
 * Bytes of code that a function runs before V8 optimizes it. Its own 1,800,000 are spent by most of what a kernel
 * runs once while it boots: optimizing that takes several times as long as running it.
 */
const TIERING_BUDGET = 60_000_000;

let features: EngineFeatures | undefined;

/** Finds out once. In Node an engine that has relaxed SIMD or branch hints behind a flag is told to use them. */
export function engineFeatures(): EngineFeatures {
  if (features === undefined) {
    const { process } = globalThis as { process?: NodeProcess };
    const v8 = process?.getBuiltinModule?.('node:v8');
    if (Number.parseInt(process?.versions?.v8 ?? '', 10) < V8_WITH_HINTS) {
      v8?.setFlagsFromString('--experimental-wasm-branch-hinting');
    }
    v8?.setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
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
