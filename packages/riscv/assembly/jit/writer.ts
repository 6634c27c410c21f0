import { J_BODY, J_DEPTH, J_HINTS, J_HINT_COUNT, J_OUT, MAX_HINTS } from '../../src/jit/layout';
import {
  BR,
  BR_IF,
  CALL,
  EMPTY,
  END,
  F64_CONST,
  I32_CONST,
  I64_CONST,
  IF,
  LOCAL_GET,
  LOCAL_SET,
  LOCAL_TEE,
} from './opcodes';

/**
 * Writes WebAssembly. `j` is the emitter's state block (src/jit/layout.ts) everywhere in this folder; bytes
 * go where J_OUT points. One function writes one instruction; operands are on the stack in wasm's order.
 */

// @ts-ignore: decorator
@inline
export function byte(j: u32, value: u32): void {
  const out = load<u32>(j, J_OUT);
  store<u8>(out, value);
  store<u32>(j, out + 1, J_OUT);
}

/** An instruction without immediate. */
export function op(j: u32, opcode: u32): void {
  byte(j, opcode);
}

/** Unsigned LEB128. */
export function unsigned(j: u32, value: u32): void {
  while (value >= 0x80) {
    byte(j, value | 0x80);
    value >>>= 7;
  }
  byte(j, value);
}

/** Signed LEB128. */
export function signed(j: u32, value: i64): void {
  while (value < -64 || value > 63) {
    byte(j, u32(value) | 0x80);
    value >>= 7;
  }
  byte(j, u32(value) & 0x7f);
}

export function constI32(j: u32, value: i32): void {
  byte(j, I32_CONST);
  signed(j, value);
}

export function constI64(j: u32, value: i64): void {
  byte(j, I64_CONST);
  signed(j, value);
}

/** By its encoding. */
export function constF64(j: u32, bits: u64): void {
  byte(j, F64_CONST);
  const out = load<u32>(j, J_OUT);
  store<u64>(out, bits);
  store<u32>(j, out + 8, J_OUT);
}

/** Locals have numbers below 128. */
export function getLocal(j: u32, local: u32): void {
  byte(j, LOCAL_GET);
  byte(j, local);
}

export function setLocal(j: u32, local: u32): void {
  byte(j, LOCAL_SET);
  byte(j, local);
}

export function teeLocal(j: u32, local: u32): void {
  byte(j, LOCAL_TEE);
  byte(j, local);
}

/** A load or store: the address is on the stack. No alignment is promised, which costs nothing. */
export function memoryOp(j: u32, opcode: u32, offset: u32): void {
  byte(j, opcode);
  byte(j, 0);
  unsigned(j, offset);
}

export function call(j: u32, index: u32): void {
  byte(j, CALL);
  unsigned(j, index);
}

/** BLOCK, LOOP or IF; `type` is EMPTY or a value type. The label's number, for branches to it. */
export function open(j: u32, opcode: u32, type: u32): u32 {
  byte(j, opcode);
  byte(j, type);
  const depth = load<u32>(j, J_DEPTH) + 1;
  store<u32>(j, depth, J_DEPTH);
  return depth;
}

/** The IF or BR_IF that is written next has a condition that seldom holds, or one that seldom does not. */
export function hint(j: u32, likely: bool): void {
  const count = load<u32>(j, J_HINT_COUNT);
  if (count == u32(MAX_HINTS)) return;
  const offset = load<u32>(j, J_OUT) - load<u32>(j, J_BODY);
  store<u32>(load<u32>(j, J_HINTS) + (count << 2), (offset << 1) | u32(likely));
  store<u32>(j, count + 1, J_HINT_COUNT);
}

/** IF for what is seldom done: the engine moves it out of the way of the rest. */
export function openUnlikely(j: u32): void {
  hint(j, false);
  open(j, IF, EMPTY);
}

/** BR_IF that is seldom taken. */
export function branchUnlikely(j: u32, label: u32): void {
  hint(j, false);
  branchIf(j, label);
}

/** END of what `open` opened last. */
export function close(j: u32): void {
  byte(j, END);
  store<u32>(j, load<u32>(j, J_DEPTH) - 1, J_DEPTH);
}

/** The relative depth of a label that `open` answered. */
// @ts-ignore: decorator
@inline
export function depthOf(j: u32, label: u32): u32 {
  return load<u32>(j, J_DEPTH) - label;
}

export function branch(j: u32, label: u32): void {
  byte(j, BR);
  unsigned(j, depthOf(j, label));
}

export function branchIf(j: u32, label: u32): void {
  byte(j, BR_IF);
  unsigned(j, depthOf(j, label));
}
