import type { Clock, SnapshotValue } from '@vmloom/device';
import * as B from './register-bits.js';
import type { RegisterFile } from './register-file.js';
import * as R from './register-map.js';

/** 16 Kbit. */
export const EEPROM_WORDS = 1024;
const CHECKSUM_WORD = 0x3f;
/** 6.2.x: the sum of words 00h to 3Fh. */
export const EEPROM_SUM = 0xbaba;
/** EECD.EE_SIZE: 2^(4 + 6) words. */
const SIZE_CODE = 4;
/** Bytes that one WRITE changes at most: beyond, the address goes round within them. */
const PAGE_BYTES = 32;
/** What a page takes to be programmed (data sheets of the 25xx160: 5 ms at most). */
const PROGRAM_TIME = 2_000_000;

// Instructions of the SPI memories 25xx160.
const WRITE_STATUS = 0x01;
const WRITE = 0x02;
const READ = 0x03;
const WRITE_DISABLE = 0x04;
const READ_STATUS = 0x05;
const WRITE_ENABLE = 0x06;
const STATUS_BUSY = 1 << 0;
const STATUS_WRITE_ENABLED = 1 << 1;

/** The words of a new adapter (chapter 6), with a right checksum. */
export function eepromImage(mac: Uint8Array): Uint16Array {
  const words = new Uint16Array(EEPROM_WORDS).fill(0xffff);
  for (let word = 0; word < 3; word++) words[word] = mac[2 * word] | (mac[2 * word + 1] << 8);
  const image: Readonly<Record<number, number>> = {
    0x03: 0x0d34,
    // 6.10.2: the default of each LED.
    0x04: 0xffff,
    0x05: 0x2010,
    0x08: 0x1040,
    0x0a: 0x002b,
    0x0b: 0x0000,
    0x0c: 0x8086,
    0x0d: 0x10c9,
    0x0e: 0x0000,
    // 6.2.x: pause and asymmetric pause are offered.
    0x0f: 0x70c3,
    0x10: 0x0004,
    0x11: 0x10c9,
    0x12: 0x5c00,
    0x13: 0x0000,
    0x14: 0x2880,
    0x15: 0x0014,
    // MSI-X vectors: ten.
    0x16: 0x4a40,
    0x17: 0x0060,
    0x18: 0x6cfb,
    0x19: 0xc7b0,
    0x1a: 0x0abe,
    0x1b: 0x0403,
    0x1c: 0x0783,
    0x1d: 0x10a6,
    0x1e: 0x0001,
    0x1f: 0x0602,
    0x20: 0x0004,
    0x21: 0x0020,
    0x22: 0x0000,
    0x23: 0x004a,
    // 6.2.x: no wake-up by magic packet before software asks.
    0x24: 0x2080,
    // Virtual functions and their device identifier.
    0x25: 0x00f5,
    0x26: 0x10ca,
    0x2a: 0x4784,
    0x2b: 0x4602,
    0x2e: 0x1000,
  };
  for (const [word, value] of Object.entries(image)) words[Number(word)] = value;
  // No alternate address: its pointer leads nowhere.
  words[0x37] = 0xffff;
  const sum = words.subarray(0, CHECKSUM_WORD).reduce((total, word) => total + word, 0);
  words[CHECKSUM_WORD] = EEPROM_SUM - sum;
  return words;
}

/**
 * The SPI EEPROM (8.4): word by word behind EERD and EEWR, and by its four wires behind EECD once software has
 * asked for them. EECD.CS is the level of the pin: low selects.
 */
export class Eeprom {
  readonly words: Uint16Array;
  readonly #registers: RegisterFile;
  readonly #clock: Clock;
  #pins = B.EECD_CS;
  #instruction = -1;
  #address = 0;
  /** Whole bytes since the chip was selected. */
  #count = 0;
  #shift = 0;
  #bits = 0;
  #out = 0xff;
  #dataOut = 1;
  /** Bytes of a WRITE until the chip is deselected. */
  #pending: { at: number; byte: number }[] = [];
  #writable = false;
  #busyUntil = 0;

  constructor(registers: RegisterFile, clock: Clock, words: Uint16Array) {
    this.#registers = registers;
    this.#clock = clock;
    this.words = words;
    registers.onRead(R.REG_EECD, () => registers.set(R.REG_EECD, this.#read()));
    registers.onWrite(R.REG_EECD, (value) => this.#write(value));
    registers.onWrite(R.REG_EERD, (value) => this.#readWord(value));
    registers.onWrite(R.REG_EEWR, (value) => this.#writeWord(value));
  }

  /** The station address in words 0 to 2. */
  get mac(): Uint8Array {
    return Uint8Array.from({ length: 6 }, (_, index) => (this.words[index >> 1] >> ((index & 1) * 8)) & 0xff);
  }

  /** The wires are idle; the words and the write enable latch stay. */
  reset(): void {
    this.#pins = B.EECD_CS;
    this.#deselected();
    this.#registers.set(R.REG_EERD, B.EERD_DONE);
    this.#registers.set(R.REG_EEWR, B.EERD_DONE);
  }

  save(): SnapshotValue {
    return {
      words: [...this.words],
      pins: this.#pins,
      instruction: this.#instruction,
      address: this.#address,
      count: this.#count,
      shift: this.#shift,
      bits: this.#bits,
      out: this.#out,
      dataOut: this.#dataOut,
      pending: this.#pending.map(({ at, byte }) => ({ at, byte })),
      writable: this.#writable,
      busyUntil: this.#busyUntil,
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as unknown as {
      words: number[];
      pins: number;
      instruction: number;
      address: number;
      count: number;
      shift: number;
      bits: number;
      out: number;
      dataOut: number;
      pending: { at: number; byte: number }[];
      writable: boolean;
      busyUntil: number;
    };
    this.words.set(saved.words);
    this.#pins = saved.pins;
    this.#instruction = saved.instruction;
    this.#address = saved.address;
    this.#count = saved.count;
    this.#shift = saved.shift;
    this.#bits = saved.bits;
    this.#out = saved.out;
    this.#dataOut = saved.dataOut;
    this.#pending = saved.pending.map((entry) => ({ ...entry }));
    this.#writable = saved.writable;
    this.#busyUntil = saved.busyUntil;
  }

  get #busy(): boolean {
    return this.#clock.now < this.#busyUntil;
  }

  /** 8.4.1: present, read automatically after reset, 16-bit addresses. */
  #read(): number {
    const granted = (this.#pins & B.EECD_REQ) !== 0 ? B.EECD_GNT : 0;
    const out = granted !== 0 && this.#dataOut !== 0 ? B.EECD_DO : 0;
    const fixed =
      B.EECD_FWE_DISABLED |
      B.EECD_PRES |
      B.EECD_AUTO_RD |
      B.EECD_ADDR_BITS |
      (SIZE_CODE << B.EECD_SIZE_SHIFT);
    return this.#pins | granted | out | fixed;
  }

  #write(value: number): void {
    const wires = B.EECD_SK | B.EECD_CS | B.EECD_DI;
    const request = value & B.EECD_REQ;
    const before = this.#pins;
    // 8.4.1: the wires follow the register only while they are granted.
    const driven = request !== 0 ? value & wires : before & wires;
    this.#pins = request | driven;
    if (request === 0) return;
    if ((driven & B.EECD_CS) !== 0) {
      if ((before & B.EECD_CS) === 0) this.#deselected();
      return;
    }
    const clock = driven & B.EECD_SK;
    if (clock === (before & B.EECD_SK)) return;
    if (clock !== 0) this.#sample((driven & B.EECD_DI) !== 0 ? 1 : 0);
    else this.#advance();
  }

  /** A rising clock takes a bit in. */
  #sample(bit: number): void {
    this.#shift = ((this.#shift << 1) | bit) & 0xff;
    if (++this.#bits < 8) return;
    this.#bits = 0;
    this.#byte(this.#shift);
    this.#count++;
  }

  /** A falling clock puts the next bit out. */
  #advance(): void {
    this.#dataOut = (this.#out >> (7 - this.#bits)) & 1;
  }

  #byte(byte: number): void {
    const nth = this.#count;
    if (nth === 0) {
      this.#instruction = byte;
      // A busy chip answers its status only.
      if (this.#busy && byte !== READ_STATUS) this.#instruction = -1;
      this.#address = 0;
    } else if (nth <= 2 && (this.#instruction === READ || this.#instruction === WRITE)) {
      this.#address = ((this.#address << 8) | byte) & (EEPROM_WORDS * 2 - 1);
    } else if (this.#instruction === WRITE) {
      const page = this.#address & ~(PAGE_BYTES - 1);
      this.#pending.push({ at: page | ((this.#address + nth - 3) & (PAGE_BYTES - 1)), byte });
      if (this.#pending.length > PAGE_BYTES) this.#pending.shift();
    }
    this.#out = this.#answer(nth);
  }

  /** The byte that goes out after byte `nth` came in. */
  #answer(nth: number): number {
    if (this.#instruction === READ_STATUS)
      return (this.#busy ? STATUS_BUSY : 0) | (this.#writable ? STATUS_WRITE_ENABLED : 0);
    if (this.#instruction !== READ || nth < 2) return 0xff;
    const at = (this.#address + nth - 2) & (EEPROM_WORDS * 2 - 1);
    return (this.words[at >> 1] >> ((at & 1) * 8)) & 0xff;
  }

  /** The end of an instruction: what it does is done now. */
  #deselected(): void {
    const complete = this.#bits === 0;
    if (complete && this.#count === 1) {
      if (this.#instruction === WRITE_ENABLE) this.#writable = true;
      else if (this.#instruction === WRITE_DISABLE) this.#writable = false;
    }
    if (complete && this.#instruction === WRITE && this.#writable && this.#pending.length > 0) {
      for (const { at, byte } of this.#pending) {
        const shift = (at & 1) * 8;
        this.words[at >> 1] = (this.words[at >> 1] & ~(0xff << shift)) | (byte << shift);
      }
      this.#program();
    } else if (complete && this.#instruction === WRITE_STATUS && this.#count === 2 && this.#writable) {
      this.#program();
    }
    this.#instruction = -1;
    this.#count = this.#shift = this.#bits = 0;
    this.#out = 0xff;
    this.#dataOut = 1;
    this.#pending = [];
  }

  #program(): void {
    this.#busyUntil = this.#clock.now + PROGRAM_TIME;
    this.#writable = false;
  }

  /** 8.4.2: a word behind the end reads as FFFFh. */
  #readWord(value: number): void {
    if ((value & B.EERD_START) === 0) return;
    const address = (value & 0xffff) >> B.EERD_ADDRESS_SHIFT;
    const word = address < EEPROM_WORDS ? this.words[address] : 0xffff;
    this.#registers.set(
      R.REG_EERD,
      ((word << B.EERD_DATA_SHIFT) | (address << B.EERD_ADDRESS_SHIFT) | B.EERD_DONE) >>> 0,
    );
  }

  /** 8.4.x: EEWR writes one word; hardware takes care of the instructions. */
  #writeWord(value: number): void {
    if ((value & B.EERD_START) === 0) return;
    const address = (value & 0xffff) >> B.EERD_ADDRESS_SHIFT;
    if (address < EEPROM_WORDS) this.words[address] = value >>> B.EERD_DATA_SHIFT;
    this.#registers.set(R.REG_EEWR, ((value & ~B.EERD_START) | B.EERD_DONE) >>> 0);
  }
}
