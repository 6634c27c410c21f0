import { expectSnapshot, type Snapshot } from '@vmloom/device';
import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import type { FunctionContext } from '../context.js';
import type { ResetKind } from '../effects.js';
import { PciFunction, type PciFunctionOptions } from '../function.js';

/** Bytes that remember what was written to them: the simplest registers there are. */
export class FakeRegisters implements MmioHandler {
  readonly bytes: Uint8Array;
  /** Every access, in order. */
  readonly accesses: { kind: 'read' | 'write'; offset: number; width: HandlerWidth; value: number }[] = [];

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  read(offset: number, width: HandlerWidth): number {
    let value = 0;
    for (let index = width - 1; index >= 0; index--)
      value = value * 0x100 + (this.bytes[offset + index] ?? 0);
    this.accesses.push({ kind: 'read', offset, width, value });
    return value;
  }

  write(offset: number, width: HandlerWidth, value: number): void {
    for (let index = 0; index < width; index++) this.bytes[offset + index] = value >>> (8 * index);
    this.accesses.push({ kind: 'write', offset, width, value });
  }
}

/** A function without behaviour: its registers remember, and it notes what the fabric tells it. */
export class FakeFunction extends PciFunction {
  readonly registers: FakeRegisters;
  /** `attached`, `detached`, and resets by their kind, in order. */
  readonly told: string[] = [];

  /** BAR 0 is a memory BAR of `size` bytes (4 KiB unless told; 0: none). */
  constructor(options: Partial<PciFunctionOptions> & { readonly size?: number } = {}) {
    super({ vendor: 0x1b36, device: 0x0005, classCode: 0x00_ff_00, model: 'fake', ...options });
    const size = options.size ?? 0x1000;
    this.registers = new FakeRegisters(size);
    if (size > 0) {
      this.addBar(0, { kind: 'memory', size, regions: [{ name: 'registers', handler: this.registers }] });
    }
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
    return { type: 'fake', version: 1, bytes: this.registers.bytes.slice() };
  }

  protected override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'fake', 1);
    this.registers.bytes.set(snapshot['bytes'] as Uint8Array);
  }
}
