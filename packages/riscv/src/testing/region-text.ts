import * as L from '../jit/layout.js';
import { INSTRUCTIONS, INTERNAL_OPS } from '../instructions.js';
import * as C from '../layout.js';
import { F_NAMES, X_NAMES } from '../operands.js';
import { wasmText } from './wasm-text.js';

/** `LOCAL_READ_TLB` as `readTlb`. */
function camel(constant: string, prefix: string): string {
  return constant
    .slice(prefix.length)
    .toLowerCase()
    .replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function named(constants: Readonly<Record<string, unknown>>, prefix: string): Map<number, string> {
  const found = Object.entries(constants).filter(([key]) => key.startsWith(prefix));
  return new Map(found.map(([key, value]) => [value as number, camel(key, prefix)]));
}

const LOCALS = named(L, 'LOCAL_');
LOCALS.delete(L.LOCAL_REGISTERS);
const FIELDS = named(C, 'S_');
FIELDS.delete(C.S_X);
for (let register = 1; register < 32; register++) FIELDS.set(C.S_X + register * 8, X_NAMES[register]);
for (let register = 0; register < 32; register++) FIELDS.set(C.S_F + register * 8, F_NAMES[register]);
/** The op number of a compiled entry's record. */
const COMPILED = BigInt(INSTRUCTIONS.length + 1 + INTERNAL_OPS.indexOf('compiled'));
const STATE = LOCALS.get(L.LOCAL_STATE)!;
const REGISTER = new RegExp(`^\\([if]64\\.load ${STATE}\\.(\\w+)\\)$`);

/**
 * The regions of a module that the compiler made, as text: its locals, the fields of the hart's state and the
 * registers by name. `pages`: names of the host pages whose offsets stand in it.
 */
export function regionText(bytes: Uint8Array, pages: ReadonlyMap<number, string> = new Map()): string {
  return wasmText(bytes, {
    local: (index) => LOCALS.get(index),
    field: (local, offset) => (local === STATE ? FIELDS.get(offset) : undefined),
    constant: (value) => (value === COMPILED ? 'OP_COMPILED' : pages.get(Number(value))),
    fixed: (index) => index === L.LOCAL_STATE || index === L.LOCAL_BASE,
    localOf: (index, value) => (index < L.LOCAL_REGISTERS ? undefined : REGISTER.exec(value)?.[1]),
  });
}
