import type { MmioHandler, Width } from '@vmloom/memory';
import type { ConfigRegister, ConfigSpace } from './config-space.js';
import type { ConfigEffect } from './effects.js';
import { PciError } from './error.js';

/** Registers behind a BAR, or behind a part of it. The handler's offsets count from the region's start. */
export interface BarRegion {
  readonly name: string;
  /** From the start of the BAR; 0 unless told. */
  readonly offset?: number;
  /** Bytes; up to the end of the BAR unless told. */
  readonly size?: number;
  readonly handler: MmioHandler;
  /** As in MmioRegion: 1, 2, 4 and 8 unless told; any other is an access fault. */
  readonly widths?: readonly Width[];
  readonly unaligned?: boolean;
  readonly access?: 'trapped' | 'direct';
}

export interface BarOptions {
  readonly kind: 'memory' | 'io';
  /** Bytes, a power of two: 16 or more for memory (below 2 GiB unless 64 bits wide), 4 to 256 for I/O. */
  readonly size: number;
  /** 64 takes the next BAR too. 32 unless told. */
  readonly bits?: 32 | 64;
  readonly prefetchable?: boolean;
  /** Where nothing is declared, reads give all ones and writes are lost, as with an unsupported request. */
  readonly regions?: readonly BarRegion[];
}

const LIMIT_32 = 0x8000_0000;
const LIMIT_64 = 0x10_0000_0000_0000;
const IO_LIMIT = 0x100;

interface PlacedRegion extends BarRegion {
  readonly offset: number;
  readonly size: number;
}

/** One base address register: how large it is, where it points, and what answers there (PCIe 7.5.1.2.1). */
export class Bar {
  readonly kind: 'memory' | 'io';
  readonly size: number;
  readonly bits: 32 | 64;
  readonly prefetchable: boolean;
  readonly #regions: PlacedRegion[] = [];

  /** `offset` is that of the register in configuration space. @throws PciError bad-bar */
  constructor(
    readonly name: string,
    readonly offset: number,
    protected readonly config: ConfigSpace,
    options: BarOptions,
  ) {
    this.kind = options.kind;
    this.size = options.size;
    this.bits = options.bits ?? 32;
    this.prefetchable = options.prefetchable ?? false;
    this.#check();
    for (const region of options.regions ?? []) this.addRegion(region);
  }

  get regions(): readonly PlacedRegion[] {
    return this.#regions;
  }

  /** Adds registers to a part of the BAR that has none. @throws PciError bad-bar */
  addRegion(region: BarRegion): void {
    const offset = region.offset ?? 0;
    const size = region.size ?? this.size - offset;
    const inside = Number.isInteger(offset) && Number.isInteger(size) && offset >= 0 && size > 0;
    if (!inside || offset + size > this.size) {
      throw new PciError(
        'bad-bar',
        `${this.name}: region ${region.name} does not lie inside its ${this.size} bytes`,
      );
    }
    const other = this.#regions.find((one) => one.offset < offset + size && offset < one.offset + one.size);
    if (other !== undefined) {
      throw new PciError('bad-bar', `${this.name}: region ${region.name} overlaps ${other.name}`);
    }
    this.#regions.push({ ...region, offset, size });
  }

  /** The bus address, or -1 where no machine maps anything (2^53 or more). */
  get base(): number {
    const low = this.config.read(this.offset, 4);
    if (this.kind === 'io') return (low & ~3) >>> 0;
    const high = this.bits === 64 ? this.config.read(this.offset + 4, 4) : 0;
    return high >= 0x20_0000 ? -1 : high * 0x1_0000_0000 + ((low & ~15) >>> 0);
  }

  /** True while the function's memory or I/O enable bit lets it answer, as far as the BAR itself is concerned. */
  get enabled(): boolean {
    return true;
  }

  /** The registers in configuration space: address bits below the size are hardwired, which is how it is sized. */
  registers(): readonly ConfigRegister[] {
    const effect = (): ConfigEffect => ({ kind: 'decode', cause: 'bar' });
    if (this.kind === 'io') {
      return [
        { name: this.name, offset: this.offset, size: 4, value: 1, write: (-this.size & ~3) >>> 0, effect },
      ];
    }
    const type = (this.bits === 64 ? 4 : 0) | (this.prefetchable ? 8 : 0);
    const write = this.size > 0xffff_ffff ? 0 : (-this.size & ~15) >>> 0;
    const low: ConfigRegister = { name: this.name, offset: this.offset, size: 4, value: type, write, effect };
    if (this.bits === 32) return [low];
    const high = this.size > 0xffff_ffff ? -(this.size / 0x1_0000_0000) >>> 0 : 0xffff_ffff;
    return [low, { name: `${this.name} upper`, offset: this.offset + 4, size: 4, write: high, effect }];
  }

  #check(): void {
    const { name, size, kind, bits } = this;
    const least = kind === 'io' ? 4 : 16;
    const most = kind === 'io' ? IO_LIMIT : bits === 64 ? LIMIT_64 : LIMIT_32;
    if (!Number.isInteger(Math.log2(size)) || size < least || size > most) {
      throw new PciError(
        'bad-bar',
        `${name}: ${size} bytes; a power of two from ${least} to ${most} is needed`,
      );
    }
    if (kind === 'io' && (bits === 64 || this.prefetchable)) {
      throw new PciError('bad-bar', `${name}: an I/O BAR has 32 bits and is never prefetchable`);
    }
  }
}

/** The expansion ROM register: a 32-bit memory BAR with an enable bit of its own (PCIe 7.5.1.2.4). */
export class RomBar extends Bar {
  constructor(offset: number, config: ConfigSpace, image: Uint8Array) {
    const size = Math.max(0x800, 2 ** Math.ceil(Math.log2(Math.max(image.length, 1))));
    const byte = (at: number): number => image[at] ?? 0xff;
    const handler: MmioHandler = {
      read: (at, width) => {
        let value = 0;
        for (let index = width - 1; index >= 0; index--) value = value * 0x100 + byte(at + index);
        return value;
      },
      write: () => undefined,
    };
    super('rom', offset, config, { kind: 'memory', size, regions: [{ name: 'rom', handler }] });
    if (size > 0x100_0000)
      throw new PciError('bad-bar', `an expansion ROM has at most 16 MiB, not ${image.length} bytes`);
  }

  override get base(): number {
    return (this.config.read(this.offset, 4) & ~0x7ff) >>> 0;
  }

  override get enabled(): boolean {
    return (this.config.read(this.offset, 4) & 1) !== 0;
  }

  override registers(): readonly ConfigRegister[] {
    const effect = (): ConfigEffect => ({ kind: 'decode', cause: 'rom' });
    const write = ((-this.size & ~0x7ff) | 1) >>> 0;
    return [{ name: 'rom', offset: this.offset, size: 4, write, effect }];
  }
}
