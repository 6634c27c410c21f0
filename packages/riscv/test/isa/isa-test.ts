import type { CoreOptions } from '../../src/core.js';
import { bareMachine } from '../../src/testing/index.js';

const RAM_SIZE = 16 * 1024 * 1024;
const SLICE = 10_000;

// Berkeley host-target interface: device in the top byte, command in the next, payload below.
const HTIF_EXIT = 0x0000n;
const HTIF_PUTCHAR = 0x0101n;

/** How a test program ended. */
export interface IsaTestResult {
  readonly passed: boolean;
  /** Empty for a pass; otherwise what went wrong, in a few words. */
  readonly reason: string;
  /** What the program printed. */
  readonly output: string;
  readonly retired: number;
}

interface Program {
  readonly entry: bigint;
  readonly segments: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  /** Address of the symbol `tohost`. */
  readonly tohost: number;
}

const ELF_MAGIC = 0x7f454c46;
const PT_LOAD = 1;
const SHT_SYMTAB = 2;

/**
 * Reads a statically linked little-endian ELF64 program that has a symbol `tohost`.
 * @throws RangeError when the file is none, or cut short
 */
export function readProgram(file: Uint8Array): Program {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  if (file.length < 64 || view.getUint32(0) !== ELF_MAGIC || view.getUint16(4) !== 0x0201) {
    throw new RangeError('no little-endian ELF64 file');
  }
  const segments = [];
  const headers = u64(32);
  for (let index = 0; index < view.getUint16(56, true); index++) {
    const at = headers + index * view.getUint16(54, true);
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const start = u64(at + 8);
    const bytes = new Uint8Array(u64(at + 40));
    bytes.set(file.subarray(start, start + u64(at + 32)));
    segments.push({ address: u64(at + 24), bytes });
  }
  return { entry: view.getBigUint64(24, true), segments, tohost: findSymbol(file, view, 'tohost') };
}

function findSymbol(file: Uint8Array, view: DataView, name: string): number {
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  const sections = u64(40);
  const size = view.getUint16(58, true);
  for (let index = 0; index < view.getUint16(60, true); index++) {
    const section = sections + index * size;
    if (view.getUint32(section + 4, true) !== SHT_SYMTAB) continue;
    const strings = u64(sections + view.getUint32(section + 40, true) * size + 24);
    const first = u64(section + 24);
    for (let at = first; at < first + u64(section + 32); at += 24) {
      const start = strings + view.getUint32(at, true);
      const text = new TextDecoder().decode(file.subarray(start, start + name.length + 1));
      if (text === `${name}\0`) return u64(at + 8);
    }
  }
  throw new RangeError(`no symbol ${name}`);
}

/**
 * Runs a program of the riscv-tests kind on a bare hart in M-mode until it writes `tohost`.
 * @param limit instructions after which the program counts as hung
 * @param jit how the hart compiles; it interprets unless told
 */
export async function runIsaTest(
  file: Uint8Array,
  limit = 20_000_000,
  jit: CoreOptions['jit'] = false,
): Promise<IsaTestResult> {
  const program = readProgram(file);
  const machine = await bareMachine({ memory: { ram: RAM_SIZE }, jit });
  const { hart } = machine;
  for (const { address, bytes } of program.segments) machine.load(address, bytes);
  hart.reset({ pc: program.entry });

  let output = '';
  const end = (reason: string): IsaTestResult => ({
    passed: reason === '',
    reason,
    output,
    retired: hart.retired,
  });
  while (hart.retired < limit) {
    machine.run(SLICE);
    const request = machine.read64(program.tohost);
    const command = request >> 48n;
    if (request !== 0n && command === HTIF_EXIT) {
      const code = request & 0xffff_ffff_ffffn;
      return end(code === 1n ? '' : `test case ${code >> 1n} failed`);
    }
    if (command === HTIF_PUTCHAR) output += String.fromCharCode(Number(request & 0xffn));
    if (request !== 0n) machine.write64(program.tohost, 0n);
    if (hart.exit === 'wfi' && !hart.interruptPending) return end('waits for an interrupt that cannot come');
    if (hart.exit === 'fatal') return end('the hart cannot go on');
  }
  return end(`no end after ${limit} instructions, pc 0x${hart.pc.toString(16)}`);
}
