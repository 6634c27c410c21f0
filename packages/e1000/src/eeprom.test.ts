import { describe, expect, it } from 'vitest';
import { EEPROM_SUM, EEPROM_WORDS } from './eeprom.js';
import * as R from './register-map.js';
import { EepromWires, NicBench } from './testing/index.js';

describe('EEPROM by EERD', () => {
  it('8254x 13.4.4: a read gives DONE, the address and the word', () => {
    const { driver } = new NicBench();
    driver.write(R.REG_EERD, R.EERD_START | (1 << 8));
    expect(driver.read(R.REG_EERD)).toBe((0x1200 << 16) | (1 << 8) | R.EERD_DONE);
  });

  it('8254x 5.6.1: words 0 to 2 hold the station address, first byte lowest', () => {
    const { driver } = new NicBench({ mac: '02:11:22:33:44:55' });
    expect([0, 1, 2].map((word) => driver.readEeprom(word))).toEqual([0x1102, 0x3322, 0x5544]);
  });

  it('8254x 5.6.35: the sum of all words is BABAh', () => {
    const { driver } = new NicBench();
    let sum = 0;
    for (let word = 0; word < EEPROM_WORDS; word++) sum += driver.readEeprom(word);
    expect(sum & 0xffff).toBe(EEPROM_SUM);
  });

  it('a word beyond the 64 reads as an erased one', () => {
    const { driver } = new NicBench();
    expect(driver.readEeprom(0x80)).toBe(0xffff);
  });
});

describe('EEPROM by its wires', () => {
  it('8254x 13.4.3: present, 64 words, flash writes disabled, no grant', () => {
    const { driver } = new NicBench();
    expect(driver.read(R.REG_EECD)).toBe(R.EECD_PRES | R.EECD_FWE_DISABLED | R.EECD_DO);
  });

  it('8254x 5.3.1: a request is granted, and lets go', () => {
    const { driver } = new NicBench();
    driver.write(R.REG_EECD, R.EECD_REQ);
    expect(driver.read(R.REG_EECD) & R.EECD_GNT).toBe(R.EECD_GNT);
    driver.write(R.REG_EECD, 0);
    expect(driver.read(R.REG_EECD) & R.EECD_GNT).toBe(0);
  });

  it('8254x 5.3.1: EERD does not read while software holds the wires', () => {
    const { driver } = new NicBench();
    driver.write(R.REG_EECD, R.EECD_REQ);
    driver.write(R.REG_EERD, R.EERD_START);
    expect(driver.read(R.REG_EERD) & R.EERD_DONE).toBe(0);
  });

  it('93C46 READ: start bit, opcode 10, six address bits, a zero, then the word', () => {
    const bench = new NicBench();
    const wires = new EepromWires(bench.driver);
    for (const word of [0, 1, 2, 0x0a, 0x3f]) expect(wires.read(word)).toBe(bench.mac.eeprom.words[word]);
  });

  it('93C46 READ: goes on with the next word, and round at the end', () => {
    const bench = new NicBench();
    const wires = new EepromWires(bench.driver);
    wires.select();
    wires.command(0b10, 0x3f);
    expect([wires.shiftIn(), wires.shiftIn()]).toEqual([
      bench.mac.eeprom.words[0x3f],
      bench.mac.eeprom.words[0],
    ]);
    wires.deselect();
  });

  it('93C46 WRITE: does nothing before EWEN', () => {
    const bench = new NicBench();
    const wires = new EepromWires(bench.driver);
    wires.write(0x30, 0x1234);
    expect(bench.mac.eeprom.words[0x30]).toBe(0xffff);
  });

  it('93C46 EWEN, WRITE, EWDS: the word is written; data out says busy, then ready', () => {
    const bench = new NicBench();
    const wires = new EepromWires(bench.driver);
    wires.enableWrites();
    wires.write(0x30, 0x1234);
    wires.select();
    expect(wires.dataOut).toBe(0);
    bench.run(5_000_000);
    expect(wires.dataOut).toBe(1);
    wires.deselect();
    expect(wires.read(0x30)).toBe(0x1234);
    wires.disableWrites();
    wires.write(0x30, 0x5678);
    expect(bench.mac.eeprom.words[0x30]).toBe(0x1234);
  });

  it('93C46: a busy array takes no command', () => {
    const bench = new NicBench();
    const wires = new EepromWires(bench.driver);
    wires.enableWrites();
    wires.write(0x30, 0x1111);
    wires.write(0x31, 0x2222);
    bench.run(5_000_000);
    expect([...bench.mac.eeprom.words.subarray(0x30, 0x32)]).toEqual([0x1111, 0xffff]);
  });

  it('93C46 ERASE, WRAL and ERAL', () => {
    const bench = new NicBench();
    const wires = new EepromWires(bench.driver);
    const step = (opcode: number, address: number, data?: number): void => {
      wires.select();
      wires.command(opcode, address);
      if (data !== undefined) wires.shiftOut(data, 16);
      wires.deselect();
      bench.run(5_000_000);
    };
    wires.enableWrites();
    step(0b11, 1);
    expect(bench.mac.eeprom.words[1]).toBe(0xffff);
    step(0b00, 0b010000, 0xbeef);
    expect(new Set(bench.mac.eeprom.words)).toEqual(new Set([0xbeef]));
    step(0b00, 0b100000);
    expect(new Set(bench.mac.eeprom.words)).toEqual(new Set([0xffff]));
  });

  it('93C46: a command that is cut off changes nothing', () => {
    const bench = new NicBench();
    const wires = new EepromWires(bench.driver);
    const before = [...bench.mac.eeprom.words];
    wires.enableWrites();
    wires.select();
    wires.command(0b01, 2);
    wires.shiftOut(0x7f, 15);
    wires.deselect();
    bench.run(5_000_000);
    expect([...bench.mac.eeprom.words]).toEqual(before);
  });

  it('8254x 13.4.3: without the grant the wires do nothing', () => {
    const bench = new NicBench();
    const wires = new EepromWires(bench.driver, 0);
    expect(wires.read(0)).toBe(0xffff);
  });

  it('a reset keeps the words, and loads a changed station address', () => {
    const bench = new NicBench();
    const wires = new EepromWires(bench.driver);
    wires.enableWrites();
    wires.write(0, 0x2202);
    bench.run(5_000_000);
    bench.driver.write(R.REG_CTRL, R.CTRL_RST);
    expect(bench.driver.read(R.REG_RAL0) & 0xffff).toBe(0x2202);
  });
});
