import type { HandlerWidth, MmioHandler } from '@vmloom/memory';

const IOADDR = 0;
const IODATA = 4;
/** Registers and packet buffer; nothing answers above. */
const LIMIT = 0x2_0000;

/**
 * The I/O BAR (8.1.3): IOADDR holds the offset of a register, IODATA reads and writes it. It lets software reach
 * registers before memory space is mapped, and reset the controller by a write that needs no acknowledgement.
 */
export class IoWindow implements MmioHandler {
  address = 0;

  constructor(readonly registers: MmioHandler) {}

  reset(): void {
    this.address = 0;
  }

  read(offset: number, width: HandlerWidth): number {
    const at = offset & 7;
    if (offset > 7) return 0;
    if ((at & ~3) === IOADDR) return part(this.address, at & 3, width);
    return this.address < LIMIT ? part(this.registers.read(this.address, 4), at & 3, width) : 0;
  }

  /** 8.1.3: IOADDR and IODATA are written as 32-bit words only. */
  write(offset: number, width: HandlerWidth, value: number): void {
    if (width !== 4) return;
    if (offset === IOADDR) this.address = (value & ~3) >>> 0;
    else if (offset === IODATA && this.address < LIMIT) this.registers.write(this.address, 4, value);
  }
}

function part(value: number, byte: number, width: HandlerWidth): number {
  return (value >>> (8 * byte)) & (width === 4 ? -1 : width === 2 ? 0xffff : 0xff);
}
