import { expectSnapshot, type Snapshot } from '@vmloom/device';
import type { HandlerWidth } from '@vmloom/memory';
import {
  ExpressCapability,
  MsixCapability,
  PowerCapability,
  type ExpressOptions,
  type FunctionContext,
  type ResetKind,
} from '@vmloom/pci';
import { FakeFunction, FakeRegisters } from '@vmloom/pci/testing';
import { AriCapability } from '../ari.js';
import { SriovCapability, type SriovOptions } from '../sriov.js';
import { VirtualFunction } from '../virtual-function.js';

export interface FakePhysicalOptions extends Partial<Omit<SriovOptions, 'functions'>> {
  /** TotalVFs. 4 unless told. */
  readonly total?: number;
  /** Bytes of VF BAR 0. 8 KiB unless told. */
  readonly size?: number;
  /** Width of VF BAR 0. 64 bits and prefetchable unless told. */
  readonly bits?: 32 | 64;
  readonly express?: Partial<ExpressOptions>;
  readonly noSoftReset?: boolean;
  readonly name?: string;
}

const VF_DEVICE = 0x00f5;
const REGISTERS = 0;
const MSIX = 3;

/** A virtual function without behaviour: registers that remember in BAR 0, MSI-X of three vectors in BAR 3. */
export class FakeVirtualFunction extends VirtualFunction {
  readonly registers: FakeRegisters;
  /** `attached`, `detached`, and resets by their kind, in order. */
  readonly told: string[] = [];

  constructor(physical: FakePhysicalFunction, index: number, size: number, bits: 32 | 64) {
    super({ physical, index, device: VF_DEVICE });
    this.registers = new FakeRegisters(size);
    const wide = bits === 64 ? ({ bits, prefetchable: true } as const) : {};
    this.addBar(REGISTERS, {
      kind: 'memory',
      size,
      ...wide,
      regions: [{ name: 'registers', handler: this.registers }],
    });
    this.addBar(MSIX, { kind: 'memory', size: 0x4000, ...wide });
    this.addCapability(new MsixCapability({ vectors: 3, bar: MSIX, pendingOffset: 0x2000 }));
    this.addCapability(physical.express.ofVirtual());
    this.addCapability(new AriCapability());
  }

  protected override attached(context: FunctionContext): void {
    this.told.push(`attached at ${context.clock.now} ns`);
  }

  protected override detached(): void {
    this.told.push('detached');
  }

  protected override onReset(kind: ResetKind): void {
    this.told.push(`reset: ${kind}`);
    this.registers.bytes.fill(0);
  }

  protected override saveState(): Snapshot {
    return { type: 'fake-vf', version: 1, bytes: this.registers.bytes.slice() };
  }

  protected override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'fake-vf', 1);
    this.registers.bytes.set(snapshot['bytes'] as Uint8Array);
  }

  /** A register, past the fabric. */
  peek(offset: number, width: HandlerWidth = 4): number {
    return this.registers.read(offset, width);
  }
}

/** A physical function without behaviour, and its virtual ones. */
export class FakePhysicalFunction extends FakeFunction {
  readonly express: ExpressCapability;
  readonly sriov: SriovCapability;
  readonly functions: readonly FakeVirtualFunction[];

  constructor(options: FakePhysicalOptions = {}) {
    super({
      device: 0x00f4,
      subsystemVendor: 0x1af4,
      subsystem: 0x1100,
      ...(options.name && { name: options.name }),
    });
    const { total = 4, size = 0x2000, bits = 64, express, noSoftReset = false, ...sriov } = options;
    this.express = this.addCapability(
      new ExpressCapability({ type: 'endpoint', functionReset: true, ...express }),
    );
    this.addCapability(new PowerCapability({ noSoftReset }));
    this.addCapability(new AriCapability());
    this.functions = Array.from(
      { length: total },
      (_, index) => new FakeVirtualFunction(this, index, size, bits),
    );
    this.sriov = this.addCapability(
      new SriovCapability({ functions: this.functions, placing: { offset: 8, stride: 1 }, ...sriov }),
    );
  }
}
