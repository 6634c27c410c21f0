import { describe, expect, it } from 'vitest';
import { readProgram, runIsaTest } from './isa-test.js';

const BASE = 0x8000_0000;
const TOHOST = BASE + 0x1000;

const AUIPC_T0_TOHOST = 0x00001297; // t0 = 0x80001000 when it comes first
const SW_T1_T0 = 0x0062a023;
const SD_T1_T0 = 0x0062b023;
const LD_T2_T0 = 0x0002b383;
const BNEZ_T2_BACK_ONE = 0xfe039ee3;
const SLLI_T1_48 = 0x03031313;
const SELF = 0x0000006f;
const WFI = 0x10500073;
const liT1 = (value: number): number => (value << 20) | (6 << 7) | 0x13;
const addiT1 = (value: number): number => (value << 20) | (6 << 15) | (6 << 7) | 0x13;

/** An ELF64 file with one segment of code at 0x80000000 and a symbol table. */
function elf(code: readonly number[], symbol = 'tohost'): Uint8Array {
  const file = new Uint8Array(512);
  const view = new DataView(file.buffer);
  const u64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  u64(24, BASE);
  u64(32, 64); // program headers
  u64(40, 288); // section headers
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 3, true);
  view.setUint32(64, 1, true); // PT_LOAD
  u64(72, 128);
  u64(88, BASE);
  u64(96, code.length * 4);
  u64(104, 8192);
  code.forEach((word, index) => view.setUint32(128 + 4 * index, word, true));
  view.setUint32(288 + 64 + 4, 2, true); // SHT_SYMTAB, strings in section 2
  u64(288 + 64 + 24, 224);
  u64(288 + 64 + 32, 48);
  view.setUint32(288 + 64 + 40, 2, true);
  view.setUint32(224 + 24, 1, true);
  u64(224 + 24 + 8, TOHOST);
  u64(288 + 128 + 24, 272);
  file.set(new TextEncoder().encode(`\0${symbol}\0`), 272);
  return file;
}

describe('readProgram', () => {
  it('finds segments, zero-filled to their memory size, and tohost', () => {
    const program = readProgram(elf([SELF]));
    expect(program.entry).toBe(BigInt(BASE));
    expect(program.tohost).toBe(TOHOST);
    expect(program.segments.map(({ address, bytes }) => [address, bytes.length])).toEqual([[BASE, 8192]]);
  });

  it('refuses other files and programs without tohost', () => {
    expect(() => readProgram(new Uint8Array(64))).toThrow('no little-endian ELF64 file');
    expect(() => readProgram(elf([SELF], 'fromhost').subarray(0, 500))).toThrow('no symbol tohost');
  });
});

describe('runIsaTest', () => {
  it('1 in tohost is a pass', async () => {
    const result = await runIsaTest(elf([AUIPC_T0_TOHOST, liT1(1), SW_T1_T0, SELF]));
    expect(result).toMatchObject({ passed: true, reason: '', output: '' });
  });

  it('another odd value names the test case that failed', async () => {
    const result = await runIsaTest(elf([AUIPC_T0_TOHOST, liT1(7), SW_T1_T0, SELF]));
    expect(result).toMatchObject({ passed: false, reason: 'test case 3 failed' });
  });

  it('collects what the program prints and lets it go on', async () => {
    const print = [liT1(0x101), SLLI_T1_48, addiT1(0x41), SD_T1_T0, LD_T2_T0, BNEZ_T2_BACK_ONE];
    const result = await runIsaTest(elf([AUIPC_T0_TOHOST, ...print, ...print, liT1(5), SW_T1_T0, SELF]));
    expect(result).toMatchObject({ passed: false, reason: 'test case 2 failed', output: 'AA' });
  });

  it('a program that never ends, or waits for nothing, has failed', async () => {
    const endless = await runIsaTest(elf([SELF]), 50_000);
    expect(endless.reason).toBe('no end after 50000 instructions, pc 0x80000000');
    const waiting = await runIsaTest(elf([WFI, SELF]));
    expect(waiting.reason).toBe('waits for an interrupt that cannot come');
  });
});
