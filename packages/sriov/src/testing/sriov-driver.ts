import { registers as R, type PciFunction } from '@vmloom/pci';
import type { FakeHost } from '@vmloom/pci/testing';
import * as S from '../registers.js';

/** What the SR-IOV capability says, read as software reads it. */
export interface VirtualPlaces {
  readonly total: number;
  readonly numVfs: number;
  readonly offset: number;
  readonly stride: number;
}

/** The hands of an operating system on a physical function: by configuration accesses alone. */
export class SriovDriver {
  /** Of the capability in configuration space; 0: there is none. */
  readonly offset: number;

  constructor(
    readonly host: FakeHost,
    readonly physical: PciFunction,
  ) {
    this.offset = host.findExtendedCapability(physical, R.EXTENDED_SRIOV);
  }

  read(register: number, width: 1 | 2 | 4 = 2): number {
    return this.host.configRead(this.physical, this.offset + register, width);
  }

  write(register: number, value: number, width: 1 | 2 | 4 = 2): void {
    this.host.configWrite(this.physical, this.offset + register, width, value);
  }

  /** Lets `count` virtual functions appear, with their memory. */
  enable(count: number): void {
    this.write(S.NUM_VFS, count);
    this.write(S.CONTROL, this.read(S.CONTROL) | S.VF_ENABLE | S.VF_MEMORY_ENABLE);
  }

  disable(): void {
    this.write(S.CONTROL, this.read(S.CONTROL) & ~(S.VF_ENABLE | S.VF_MEMORY_ENABLE));
    this.write(S.NUM_VFS, 0);
  }

  get places(): VirtualPlaces {
    return {
      total: this.read(S.TOTAL_VFS),
      numVfs: this.read(S.NUM_VFS),
      offset: this.read(S.FIRST_VF_OFFSET),
      stride: this.read(S.VF_STRIDE),
    };
  }

  /** The routing ID of a virtual function, the first being 0 (PCIe 9.2.1.2). */
  routingId(index: number): number {
    const { offset, stride } = this.places;
    return this.physical.requester + offset + index * stride;
  }

  /** Configuration space of a virtual function, by its routing ID. */
  configRead(index: number, offset: number, width: 1 | 2 | 4): number {
    const id = this.routingId(index);
    return this.host.root.configRead(id >> 8, id & 0xff, offset, width);
  }

  configWrite(index: number, offset: number, width: 1 | 2 | 4, value: number): void {
    const id = this.routingId(index);
    this.host.root.configWrite(id >> 8, id & 0xff, offset, width, value);
  }

  /** The bus address of a virtual function's share of a VF BAR, from the registers. */
  barAddress(index: number, bar: number): number {
    const at = S.VF_BAR0 + 4 * bar;
    const low = this.read(at, 4);
    const high = (low & 6) === 4 ? this.read(at + 4, 4) : 0;
    return high * 0x1_0000_0000 + ((low & ~15) >>> 0) + index * this.barSize(bar);
  }

  /** The size of one share, found by writing all ones (the register is put back). */
  barSize(bar: number): number {
    const at = S.VF_BAR0 + 4 * bar;
    const before = this.read(at, 4);
    this.write(at, 0xffff_ffff, 4);
    const mask = (this.read(at, 4) & ~15) >>> 0;
    this.write(at, before, 4);
    return mask === 0 ? 0 : 0x1_0000_0000 - mask;
  }
}
