import { describe, expect, it } from 'vitest';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { NicBench } from './testing/index.js';

/** Software that drives the memory's wires through EECD; chip select is low when selected. */
class Wires {
  constructor(private readonly bench: NicBench) {}

  select(): void {
    this.#drive(B.EECD_REQ);
  }

  deselect(): void {
    this.#drive(B.EECD_REQ | B.EECD_CS);
  }

  /** Shifts a byte in and out. */
  byte(out: number): number {
    let value = 0;
    for (let bit = 7; bit >= 0; bit--) {
      const pins = B.EECD_REQ | ((out >> bit) & 1 ? B.EECD_DI : 0);
      this.#drive(pins);
      value = (value << 1) | ((this.bench.driver.read(R.REG_EECD) & B.EECD_DO) !== 0 ? 1 : 0);
      this.#drive(pins | B.EECD_SK);
      this.#drive(pins);
    }
    return value;
  }

  command(...bytes: number[]): number[] {
    this.select();
    const answers = bytes.map((byte) => this.byte(byte));
    this.deselect();
    return answers;
  }

  #drive(pins: number): void {
    this.bench.driver.write(R.REG_EECD, pins);
  }
}

describe('EEPROM', () => {
  it('82576 8.4.1: present, read automatically, 16-bit addresses, a request is granted', () => {
    const { driver } = new NicBench();
    const fixed = B.EECD_PRES | B.EECD_AUTO_RD | B.EECD_ADDR_BITS;
    expect(driver.read(R.REG_EECD) & (fixed | B.EECD_GNT)).toBe(fixed);
    driver.write(R.REG_EECD, B.EECD_REQ | B.EECD_CS);
    expect(driver.read(R.REG_EECD) & B.EECD_GNT).toBe(B.EECD_GNT);
  });

  it('82576 6.2: words 00h to 3Fh add up to BABAh, the station address comes first', () => {
    const { driver } = new NicBench();
    let sum = 0;
    for (let word = 0; word < 0x40; word++) sum += driver.readEeprom(word);
    expect(sum & 0xffff).toBe(0xbaba);
    expect([0, 1, 2].map((word) => driver.readEeprom(word))).toEqual([0x5452, 0x1200, 0x5634]);
    expect(driver.readEeprom(0x3fff)).toBe(0xffff);
  });

  it('82576 8.4.5: EEWR writes a word, and the next reset loads it', () => {
    const { driver } = new NicBench();
    driver.write(R.REG_EEWR, (0x9a78 << 16) | (2 << B.EERD_ADDRESS_SHIFT) | B.EERD_START);
    expect(driver.read(R.REG_EEWR) & B.EERD_DONE).toBe(B.EERD_DONE);
    expect(driver.readEeprom(2)).toBe(0x9a78);
    driver.write(R.REG_CTRL, B.CTRL_RST);
    expect(driver.read(R.REG_RAH0)).toBe(0x8000_9a78);
  });

  it('25xx160 READ and RDSR', () => {
    const wires = new Wires(new NicBench());
    expect(wires.command(0x03, 0, 0, 0, 0, 0, 0).slice(3)).toEqual([0x52, 0x54, 0x00, 0x12]);
    expect(wires.command(0x05, 0)[1]).toBe(0);
  });

  it('25xx160 WRITE: only after WREN, busy meanwhile, within its page', () => {
    const bench = new NicBench();
    const wires = new Wires(bench);
    wires.command(0x02, 0, 0x82, 0x11, 0x22);
    expect(bench.driver.readEeprom(0x41)).toBe(0xffff);
    wires.command(0x06);
    expect(wires.command(0x05, 0)[1]).toBe(2);
    wires.command(0x02, 0, 0x9e, 0x11, 0x22, 0x33, 0x44);
    expect(wires.command(0x05, 0)[1]).toBe(1);
    bench.run(5_000_000);
    expect(wires.command(0x05, 0)[1]).toBe(0);
    expect([bench.driver.readEeprom(0x4f), bench.driver.readEeprom(0x40)]).toEqual([0x2211, 0x4433]);
  });

  it('25xx160: a busy chip takes no other instruction', () => {
    const bench = new NicBench();
    const wires = new Wires(bench);
    wires.command(0x06);
    wires.command(0x02, 0, 0x80, 1);
    expect(wires.command(0x03, 0, 0, 0)[3]).toBe(0xff);
  });
});
