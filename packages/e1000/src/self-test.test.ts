import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import { EepromWires, ethernetFrame, NicBench } from './testing/index.js';

// What the stock driver demands of an 82540EM in its offline self-test, as facts: which registers it writes,
// what it reads back, in which order. GUESTS.md of the project lists the five parts.

const PATTERNS = [0x5a5a_5a5a, 0xa5a5_a5a5, 0, 0xffff_ffff];
const RCTL_MASK = 0x06df_b3fe;

/** [register, bits expected to stick, bits written] */
const PATTERN_REGISTERS: readonly (readonly [number, number, number])[] = [
  [R.REG_FCAL, 0xffff_ffff, 0xffff_ffff],
  [R.REG_FCAH, 0x0000_ffff, 0xffff_ffff],
  [R.REG_FCT, 0x0000_ffff, 0xffff_ffff],
  [R.REG_VET, 0x0000_ffff, 0xffff_ffff],
  [R.REG_RDTR, 0x0000_ffff, 0xffff_ffff],
  [R.REG_RDBAH, 0xffff_ffff, 0xffff_ffff],
  [R.REG_RDLEN, 0x000f_ff80, 0x000f_ffff],
  [R.REG_RDH, 0x0000_ffff, 0x0000_ffff],
  [R.REG_RDT, 0x0000_ffff, 0x0000_ffff],
  [R.REG_FCRTH, 0x0000_fff8, 0x0000_fff8],
  [R.REG_FCTTV, 0x0000_ffff, 0x0000_ffff],
  [R.REG_TIPG, 0x3fff_ffff, 0x3fff_ffff],
  [R.REG_TDBAH, 0xffff_ffff, 0xffff_ffff],
  [R.REG_TDLEN, 0x000f_ff80, 0x000f_ffff],
];
const LATER_REGISTERS: readonly (readonly [number, number, number])[] = [
  [R.REG_RDBAL, 0xffff_fff0, 0xffff_ffff],
  [R.REG_TXCW, 0xc000_ffff, 0x0000_ffff],
  [R.REG_TDBAL, 0xffff_fff0, 0xffff_ffff],
  [R.REG_TIDV, 0x0000_ffff, 0x0000_ffff],
  ...Array.from({ length: 15 }, (_, entry) => [R.REG_RAH0 + 8 * entry, 0x8003_ffff, 0xffff_ffff] as const),
  ...Array.from({ length: 128 }, (_, word) => [R.REG_MTA + 4 * word, 0xffff_ffff, 0xffff_ffff] as const),
];

function patternTest({ driver }: NicBench, tests: typeof PATTERN_REGISTERS): void {
  for (const [register, mask, write] of tests) {
    for (const pattern of PATTERNS) {
      driver.write(register, pattern & write);
      expect(driver.read(register), `register ${register.toString(16)}`).toBe((pattern & write & mask) >>> 0);
    }
  }
}

describe('the offline self-test of the stock driver', () => {
  it('register test', () => {
    const bench = new NicBench();
    bench.start();
    const { driver } = bench;
    const toggle = 0xffff_f833;
    const before = driver.read(R.REG_STATUS);
    driver.write(R.REG_STATUS, toggle);
    expect((driver.read(R.REG_STATUS) & toggle) >>> 0).toBe((before & toggle) >>> 0);
    driver.write(R.REG_CTRL, R.CTRL_RST);
    patternTest(bench, PATTERN_REGISTERS);
    const setAndCheck = (register: number, mask: number, write: number): void => {
      driver.write(register, write & mask);
      expect((driver.read(register) & mask) >>> 0).toBe((write & mask) >>> 0);
    };
    setAndCheck(R.REG_RCTL, 0xffff_ffff, 0);
    setAndCheck(R.REG_RCTL, RCTL_MASK, 0x003f_fffb);
    // The receiver runs now, on rings that are nowhere.
    bench.port.deliver(ethernetFrame());
    bench.run(1_000_000);
    setAndCheck(R.REG_TCTL, 0xffff_ffff, 0);
    setAndCheck(R.REG_RCTL, RCTL_MASK, 0xffff_ffff);
    bench.port.deliver(ethernetFrame());
    patternTest(bench, LATER_REGISTERS);
    bench.run(1_000_000);
  });

  it('EEPROM test, by the wires: words 0 to 3fh add up to BABAh', () => {
    const bench = new NicBench();
    const wires = new EepromWires(bench.driver);
    let sum = 0;
    for (let word = 0; word < 64; word++) sum += wires.read(word);
    expect(sum & 0xffff).toBe(0xbaba);
  });

  it('interrupt test: each cause below 10, alone, shared and unshared', () => {
    const bench = new NicBench();
    bench.start();
    const { driver } = bench;
    const interrupts = (act: () => void): number => {
      act();
      let causes = 0;
      for (let step = 0; step < 10; step++) {
        bench.run(1_000_000);
        if (bench.line.level) causes |= driver.read(R.REG_ICR);
      }
      return causes;
    };
    driver.write(R.REG_IMC, 0xffff_ffff);
    for (let bit = 0; bit < 10; bit++) {
      const mask = 1 << bit;
      const force = (setMask: number, clear: number, set: number): number =>
        interrupts(() => {
          driver.write(R.REG_IMC, clear);
          driver.write(R.REG_IMS, setMask);
          driver.write(R.REG_ICS, set);
          driver.read(R.REG_STATUS);
        });
      expect(force(0, mask, mask) & mask).toBe(0);
      expect(force(mask, 0, mask) & mask).toBe(mask);
      expect(force(0, ~mask & 0x7fff, ~mask & 0x7fff)).toBe(0);
    }
  });

  it('loopback test: ten times 64 frames through the PHY, which fill a ring that is never refilled', () => {
    const bench = new NicBench();
    bench.start();
    const { driver } = bench;
    driver.write(R.REG_CTRL, R.CTRL_RST);
    driver.write(R.REG_CTRL, R.CTRL_SLU);
    const frame = new Uint8Array(1024).fill(0xff);
    frame.fill(0xaa, 512, 512 + 511);
    frame[522] = 0xbe;
    frame[524] = 0xaf;
    driver.startReceiver({ ring: 256, rctl: R.RCTL_BAM });
    driver.write(R.REG_RDT, 0);
    driver.startTransmitter({ ring: 256 });
    driver.store(driver.txBuffer(0), frame);
    for (let index = 0; index < 256; index++) {
      driver.queueLegacy(driver.txBuffer(0), 1024, R.TXD_EOP | R.TXD_IFCS | R.TXD_RPS);
    }
    driver.writePhy(16, 0x0808);
    driver.writePhy(0, 0x9140);
    driver.writePhy(0, 0x8140);
    driver.writePhy(0, 0x4140);
    const ilos = 1 << 7;
    driver.write(
      R.REG_CTRL,
      R.CTRL_SLU | R.CTRL_FRCSPD | R.CTRL_FRCDPLX | R.CTRL_SPEED_1000 | R.CTRL_FD | ilos,
    );
    for (const [register, value] of [
      [29, 0x1f],
      [30, 0x8ffc],
      [29, 0x1a],
      [30, 0x8ff0],
    ] as const) {
      driver.writePhy(register, value);
    }
    bench.run(500_000);
    driver.write(R.REG_RDT, 255);
    const whole = (index: number): boolean => {
      const bytes = driver.load(driver.rxBuffer(index), 1024);
      return bytes[3] === 0xff && bytes[522] === 0xbe && bytes[524] === 0xaf;
    };
    for (let round = 0, next = 0, looked = 0; round < 10; round++) {
      next = (next + 64) % 256;
      driver.write(R.REG_TDT, next);
      bench.run(200_000_000);
      let good = 0;
      for (let tries = 0; tries < 300 && good < 64; tries++, looked = (looked + 1) % 256) {
        if (whole(looked)) good++;
      }
      expect(good).toBe(64);
    }
    expect(bench.port.sent).toEqual([]);
    driver.writePhy(0, 0x0140);
    driver.writePhy(0, 0x9140);
    bench.run(20_000_000);
    expect(driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(R.STATUS_LU);
  });

  it('link test: LU is set four seconds after negotiation has been started', () => {
    const bench = new NicBench();
    bench.driver.write(R.REG_CTRL, R.CTRL_SLU);
    bench.driver.writePhy(0, 0x1340);
    bench.run(4_000_000_000);
    expect(bench.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(R.STATUS_LU);
  });
});
