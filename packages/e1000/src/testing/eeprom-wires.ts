import * as R from '../register-map.js';
import type { FakeDriver } from './fake-driver.js';

/** Software that drives the EEPROM's four wires through EECD, bit by bit. */
export class EepromWires {
  readonly #driver: FakeDriver;
  #pins: number;

  /** `request` 0: does not ask for the wires. */
  constructor(driver: FakeDriver, request = R.EECD_REQ) {
    this.#driver = driver;
    this.#pins = request;
    this.#drive();
  }

  get dataOut(): 0 | 1 {
    return (this.#driver.read(R.REG_EECD) & R.EECD_DO) !== 0 ? 1 : 0;
  }

  select(): void {
    this.#pins |= R.EECD_CS;
    this.#drive();
  }

  deselect(): void {
    this.#pins &= ~(R.EECD_CS | R.EECD_SK | R.EECD_DI);
    this.#drive();
  }

  shiftOut(value: number, bits: number): void {
    for (let bit = bits - 1; bit >= 0; bit--) {
      this.#pins = (this.#pins & ~R.EECD_DI) | ((value >> bit) & 1 ? R.EECD_DI : 0);
      this.#drive();
      this.#pulse();
    }
  }

  shiftIn(): number {
    let value = 0;
    for (let bit = 0; bit < 16; bit++) {
      this.#pins |= R.EECD_SK;
      this.#drive();
      value = (value << 1) | this.dataOut;
      this.#pins &= ~R.EECD_SK;
      this.#drive();
    }
    return value;
  }

  /** Start bit, opcode, address. */
  command(opcode: number, address: number): void {
    this.shiftOut(1, 1);
    this.shiftOut(opcode, 2);
    this.shiftOut(address, 6);
  }

  read(word: number): number {
    this.select();
    this.command(0b10, word);
    const value = this.shiftIn();
    this.deselect();
    return value;
  }

  /** Starts to program a word; it takes milliseconds. */
  write(word: number, value: number): void {
    this.select();
    this.command(0b01, word);
    this.shiftOut(value, 16);
    this.deselect();
  }

  enableWrites(): void {
    this.select();
    this.command(0b00, 0b110000);
    this.deselect();
  }

  disableWrites(): void {
    this.select();
    this.command(0b00, 0);
    this.deselect();
  }

  #pulse(): void {
    this.#pins |= R.EECD_SK;
    this.#drive();
    this.#pins &= ~R.EECD_SK;
    this.#drive();
  }

  #drive(): void {
    this.#driver.write(R.REG_EECD, this.#pins);
  }
}
