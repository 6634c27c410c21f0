import type { HandlerWidth, MmioHandler } from '../address-space.js';

/** Registers that hold what is written and log every access as `read offset width` or `write offset width value`. */
export class FakeRegisters implements MmioHandler {
  readonly log: string[] = [];
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  read(offset: number, width: HandlerWidth): number {
    this.log.push(`read ${offset} ${width}`);
    if (width === 4) return this.#view.getUint32(offset, true);
    return width === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint8(offset);
  }

  write(offset: number, width: HandlerWidth, value: number): void {
    this.log.push(`write ${offset} ${width} ${value}`);
    if (width === 4) this.#view.setUint32(offset, value, true);
    else if (width === 2) this.#view.setUint16(offset, value, true);
    else this.#view.setUint8(offset, value);
  }
}

/** Places for RAM that tests of every core try: an ordinary one, across the 2 GiB line, and at the last page. */
export const RAM_PLACES: readonly {
  readonly name: string;
  readonly ramOffset: number;
  readonly ram: number;
}[] = [
  { name: 'an ordinary place', ramOffset: 0x0200_0000, ram: 0x10_0000 },
  { name: 'across the 2 GiB line', ramOffset: 0x7ff8_0000, ram: 0x10_0000 },
  { name: 'at the last page of 4 GiB', ramOffset: 0xfff0_0000, ram: 0x10_0000 },
];
