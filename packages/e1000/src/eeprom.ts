import type { Clock, SnapshotValue } from '@vmloom/device';
import * as R from './register-map.js';
import type { RegisterFile } from './register-file.js';

export const EEPROM_WORDS = 64;
const CHECKSUM_WORD = 0x3f;
/** 5.6.35: the sum of all words. */
export const EEPROM_SUM = 0xbaba;
/** What a word takes to be programmed or erased (93C46 data sheets: 5 ms at most). */
const PROGRAM_TIME = 2_000_000;

const OPCODE_BITS = 2;
const ADDRESS_BITS = 6;
const WORD_BITS = 16;
const OP_EXTENDED = 0;
const OP_WRITE = 1;
const OP_READ = 2;

type Phase = 'start' | 'command' | 'read' | 'data' | 'done';

/** The words of a new adapter (5.6), with a right checksum. */
export function eepromImage(mac: Uint8Array): Uint16Array {
  const words = new Uint16Array(EEPROM_WORDS).fill(0xffff);
  for (let word = 0; word < 3; word++) words[word] = mac[2 * word] | (mac[2 * word + 1] << 8);
  words[0x03] = 0;
  words[0x08] = 0;
  words[0x09] = 0;
  // 5.6.7: signature 01b, full duplex, PME, load subsystem and device identifiers.
  words[0x0a] = 0x440b;
  words[0x0b] = 0x001e;
  words[0x0c] = 0x8086;
  words[0x0d] = 0x100e;
  words[0x0e] = 0x8086;
  // 5.6.12: pause and asymmetric pause are offered.
  words[0x0f] = 0x3000;
  words[0x20] = 0;
  words[0x21] = 0;
  words[0x24] = 0;
  const sum = words.subarray(0, CHECKSUM_WORD).reduce((total, word) => total + word, 0);
  words[CHECKSUM_WORD] = EEPROM_SUM - sum;
  return words;
}

/**
 * The 64-word Microwire EEPROM (93C46) behind EERD and EECD (chapter 5). EECD drives its four wires once
 * software has requested them; chip select low ends a command and starts the programming of a write.
 */
export class Eeprom {
  readonly words: Uint16Array;
  readonly #registers: RegisterFile;
  readonly #clock: Clock;
  #control = R.EECD_FWE_DISABLED;
  #phase: Phase = 'start';
  #shift = 0;
  #bits = 0;
  #opcode = 0;
  #address = 0;
  #dataOut = 1;
  #writable = false;
  #busyUntil = 0;

  constructor(registers: RegisterFile, clock: Clock, words: Uint16Array) {
    this.#registers = registers;
    this.#clock = clock;
    this.words = words;
    registers.onRead(R.REG_EECD, () => registers.set(R.REG_EECD, this.#read()));
    registers.onWrite(R.REG_EECD, (value) => this.#write(value));
    registers.onWrite(R.REG_EERD, (value) => this.#readWord(value));
  }

  /** The station address in words 0 to 2. */
  get mac(): Uint8Array {
    return Uint8Array.from({ length: 6 }, (_, index) => (this.words[index >> 1] >> ((index & 1) * 8)) & 0xff);
  }

  /** The wires are idle; the words and the write enable latch stay. */
  reset(): void {
    this.#control = R.EECD_FWE_DISABLED;
    this.#phase = 'start';
    this.#shift = this.#bits = 0;
    this.#dataOut = 1;
  }

  save(): SnapshotValue {
    return {
      words: [...this.words],
      control: this.#control,
      phase: this.#phase,
      shift: this.#shift,
      bits: this.#bits,
      opcode: this.#opcode,
      address: this.#address,
      dataOut: this.#dataOut,
      writable: this.#writable,
      busyUntil: this.#busyUntil,
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { [name: string]: number } & { words: number[]; phase: Phase; writable: boolean };
    this.words.set(saved.words);
    this.#control = saved['control']!;
    this.#phase = saved.phase;
    this.#shift = saved['shift']!;
    this.#bits = saved['bits']!;
    this.#opcode = saved['opcode']!;
    this.#address = saved['address']!;
    this.#dataOut = saved['dataOut']!;
    this.#writable = saved.writable;
    this.#busyUntil = saved['busyUntil']!;
  }

  /** 13.4.4: EERD reads a word unless software holds the wires. */
  #readWord(value: number): void {
    if ((value & R.EERD_START) === 0 || (this.#control & R.EECD_GNT) !== 0) return;
    const address = (value >>> 8) & 0xff;
    const word = address < EEPROM_WORDS ? this.words[address] : 0xffff;
    this.#registers.set(R.REG_EERD, ((word << 16) | (address << 8) | R.EERD_DONE) >>> 0);
  }

  #read(): number {
    return this.#control | R.EECD_PRES | (this.#output() !== 0 ? R.EECD_DO : 0);
  }

  /** Data out floats high, except while a bit is being shifted out or the array is busy. */
  #output(): number {
    if ((this.#control & R.EECD_CS) === 0) return 1;
    if (this.#phase === 'start' && this.#clock.now < this.#busyUntil) return 0;
    return this.#dataOut;
  }

  #write(value: number): void {
    const before = this.#control;
    const writable = R.EECD_SK | R.EECD_CS | R.EECD_DI | R.EECD_FWE_MASK | R.EECD_REQ;
    this.#control = value & writable;
    if ((value & R.EECD_REQ) === 0) {
      // 13.4.3: without the grant the wires are the controller's.
      this.#control &= ~(R.EECD_SK | R.EECD_CS | R.EECD_DI);
    } else this.#control |= R.EECD_GNT;
    const selected = (this.#control & R.EECD_CS) !== 0;
    if (!selected) {
      if ((before & R.EECD_CS) !== 0) this.#deselect();
      return;
    }
    if ((before & R.EECD_SK) === 0 && (this.#control & R.EECD_SK) !== 0) {
      this.#clockBit((this.#control & R.EECD_DI) !== 0 ? 1 : 0);
    }
  }

  #deselect(): void {
    if (this.#phase === 'done') this.#program();
    this.#phase = 'start';
    this.#shift = this.#bits = 0;
    this.#dataOut = 1;
  }

  #clockBit(bit: number): void {
    if (this.#clock.now < this.#busyUntil) return;
    switch (this.#phase) {
      case 'start':
        if (bit === 1) this.#enter('command');
        return;
      case 'command':
        if (!this.#take(bit, OPCODE_BITS + ADDRESS_BITS)) return;
        this.#opcode = this.#shift >> ADDRESS_BITS;
        this.#address = this.#shift & (EEPROM_WORDS - 1);
        return this.#decode();
      case 'read':
        this.#dataOut = (this.words[this.#address] >> (WORD_BITS - 1 - this.#bits)) & 1;
        if (++this.#bits === WORD_BITS) {
          this.#bits = 0;
          this.#address = (this.#address + 1) % EEPROM_WORDS;
        }
        return;
      case 'data':
        if (this.#take(bit, WORD_BITS)) this.#phase = 'done';
        return;
      case 'done':
        return;
    }
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#shift = this.#bits = 0;
  }

  #take(bit: number, count: number): boolean {
    this.#shift = (this.#shift << 1) | bit;
    return ++this.#bits === count;
  }

  #decode(): void {
    const extended = this.#address >> (ADDRESS_BITS - 2);
    if (this.#opcode === OP_READ) {
      this.#enter('read');
      // A zero precedes the first data bit.
      this.#dataOut = 0;
    } else if (this.#opcode === OP_WRITE || (this.#opcode === OP_EXTENDED && extended === 1))
      this.#enter('data');
    else {
      if (this.#opcode === OP_EXTENDED && extended !== 2) this.#writable = extended === 3;
      this.#phase = 'done';
    }
  }

  /** Chip select fell behind a whole command. */
  #program(): void {
    const extended = this.#address >> (ADDRESS_BITS - 2);
    if (!this.#writable || (this.#opcode === OP_EXTENDED && (extended === 0 || extended === 3))) return;
    if (this.#opcode === OP_WRITE) this.words[this.#address] = this.#shift;
    else if (this.#opcode === OP_EXTENDED) this.words.fill(extended === 1 ? this.#shift : 0xffff);
    else this.words[this.#address] = 0xffff;
    this.#busyUntil = this.#clock.now + PROGRAM_TIME;
  }
}
