import { expectSnapshot, type Device, type Snapshot } from '@vmloom/device';
import type { HandlerWidth, MmioHandler, Width } from '@vmloom/memory';

export interface AclintSswiOptions {
  readonly harts: number;
  /** Sets mip.SSIP of a hart: an edge, which software takes back in the hart. */
  readonly raise: (hart: number) => void;
  /** `sswi` unless told. */
  readonly name?: string;
}

/** ACLINT 1.0 chapter 4, SSWI with SETSSIP registers: supervisor software interrupts without M-mode's help. It has no state. */
export class AclintSswi implements MmioHandler, Device {
  /** Bytes of registers. */
  static readonly SIZE = 0x4000;
  static readonly WIDTHS: readonly Width[] = [4];

  readonly name: string;
  readonly #harts: number;
  readonly #raise: (hart: number) => void;

  constructor(options: AclintSswiOptions) {
    this.name = options.name ?? 'sswi';
    this.#harts = options.harts;
    this.#raise = options.raise;
  }

  read(_offset: number, _width: HandlerWidth): number {
    return 0;
  }

  write(offset: number, _width: HandlerWidth, value: number): void {
    const hart = offset >>> 2;
    if (hart < this.#harts && (value & 1) !== 0) this.#raise(hart);
  }

  reset(): void {}

  save(): Snapshot {
    return { type: 'aclint-sswi', version: 1 };
  }

  /** @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'aclint-sswi', 1);
  }
}
