import { LOCAL_I32_A, LOCAL_I32_B, LOCAL_I64_A, LOCAL_I64_B } from '../../src/jit/layout';
import * as W from './opcodes';
import { getX1, getX2 } from './registers';
import { byte, close, constI32, constI64, getLocal, hint, open, setLocal, teeLocal } from './writer';

/** Division and remainder: they push what x[rd] becomes. */

/** Division: by 0 gives -1 or the dividend, by -1 (signed) the negative or 0, as wasm's own would trap. */
export function divide64(j: u32, record: u32, opcode: u32, isSigned: bool, remainder: bool): void {
  getX1(j, record);
  setLocal(j, LOCAL_I64_A);
  getX2(j, record);
  teeLocal(j, LOCAL_I64_B);
  byte(j, W.I64_EQZ);
  hint(j, false);
  open(j, W.IF, W.I64);
  if (remainder) getLocal(j, LOCAL_I64_A);
  else constI64(j, -1);
  byte(j, W.ELSE);
  if (isSigned) {
    getLocal(j, LOCAL_I64_B);
    constI64(j, -1);
    byte(j, W.I64_EQ);
    hint(j, false);
    open(j, W.IF, W.I64);
    constI64(j, 0);
    if (!remainder) {
      getLocal(j, LOCAL_I64_A);
      byte(j, W.I64_SUB);
    }
    byte(j, W.ELSE);
  }
  getLocal(j, LOCAL_I64_A);
  getLocal(j, LOCAL_I64_B);
  byte(j, opcode);
  if (isSigned) close(j);
  close(j);
}

export function divide32(j: u32, record: u32, opcode: u32, isSigned: bool, remainder: bool): void {
  getX1(j, record);
  byte(j, W.I32_WRAP_I64);
  setLocal(j, LOCAL_I32_A);
  getX2(j, record);
  byte(j, W.I32_WRAP_I64);
  teeLocal(j, LOCAL_I32_B);
  byte(j, W.I32_EQZ);
  hint(j, false);
  open(j, W.IF, W.I32);
  if (remainder) getLocal(j, LOCAL_I32_A);
  else constI32(j, -1);
  byte(j, W.ELSE);
  if (isSigned) {
    getLocal(j, LOCAL_I32_B);
    constI32(j, -1);
    byte(j, W.I32_EQ);
    hint(j, false);
    open(j, W.IF, W.I32);
    constI32(j, 0);
    if (!remainder) {
      getLocal(j, LOCAL_I32_A);
      byte(j, W.I32_SUB);
    }
    byte(j, W.ELSE);
  }
  getLocal(j, LOCAL_I32_A);
  getLocal(j, LOCAL_I32_B);
  byte(j, opcode);
  if (isSigned) close(j);
  close(j);
  byte(j, W.I64_EXTEND_I32_S);
}
