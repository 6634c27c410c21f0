import type { HostMemory } from '@vmloom/memory';

export const RAM_BASE = 0x8000_0000;

/** A driver's view of its memory: plain loads and stores at its own addresses, and room that is given out upwards. */
export class GuestMemory {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  #next: number;

  /** `base`: the guest's address of the first byte of RAM. */
  constructor(
    readonly memory: HostMemory,
    readonly base = RAM_BASE,
    first = base,
  ) {
    this.view = memory.view;
    this.bytes = memory.bytes;
    this.#next = first;
  }

  /** Where a guest's address lies in the host's memory. */
  at(address: number): number {
    return address - this.base + this.memory.ramOffset;
  }

  /** Room of `bytes` zeroed bytes; `align` is a power of two. @throws RangeError when RAM is full */
  allocate(bytes: number, align = 16): number {
    const start = Math.ceil(this.#next / align) * align;
    if (start + bytes > this.base + this.memory.ramSize)
      throw new RangeError('the guest of the test has no memory left');
    this.#next = start + bytes;
    this.bytes.fill(0, this.at(start), this.at(start) + bytes);
    return start;
  }

  /** From here on room is given out again. */
  get mark(): number {
    return this.#next;
  }

  set mark(address: number) {
    this.#next = address;
  }

  u16(address: number): number {
    return this.view.getUint16(this.at(address), true);
  }

  u32(address: number): number {
    return this.view.getUint32(this.at(address), true);
  }

  setU16(address: number, value: number): void {
    this.view.setUint16(this.at(address), value, true);
  }

  setU32(address: number, value: number): void {
    this.view.setUint32(this.at(address), value, true);
  }

  setU64(address: number, value: number): void {
    this.setU32(address, value >>> 0);
    this.setU32(address + 4, Math.floor(value / 0x1_0000_0000));
  }

  read(address: number, length: number): Uint8Array {
    const at = this.at(address);
    return this.bytes.slice(at, at + length);
  }

  write(address: number, source: Uint8Array): void {
    this.bytes.set(source, this.at(address));
  }
}
