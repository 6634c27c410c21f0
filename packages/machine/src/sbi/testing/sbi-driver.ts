import { Clock } from '@vmloom/device';
import { AddressSpace, HostMemory } from '@vmloom/memory';
import { Sbi, type SbiOptions } from '../sbi.js';
import type { SbiResetRequest } from '../srst.js';
import { FakeSbiHart } from './fake-sbi-hart.js';

/** Where the driver's RAM is. */
export const DRIVER_RAM = 0x8000_0000;
export const DRIVER_RAM_SIZE = 64 * 1024;

/** An SBI with fake harts, RAM, and a console of arrays; calls are made as a supervisor makes them. */
export class SbiDriver {
  readonly clock = new Clock();
  readonly memory = new HostMemory({ ram: DRIVER_RAM_SIZE + 4096, reserve: 4096 });
  readonly space = new AddressSpace(this.memory);
  readonly harts: readonly FakeSbiHart[];
  readonly sbi: Sbi;
  readonly output: number[] = [];
  readonly input: number[] = [];
  readonly resets: SbiResetRequest[] = [];

  constructor(harts = 1, options: Partial<SbiOptions> = {}) {
    const { ramOffset } = this.memory;
    this.space.mapRam({ name: 'ram', base: DRIVER_RAM, size: DRIVER_RAM_SIZE, offset: ramOffset });
    this.space.mapRam({
      name: 'rom',
      base: 0x1000,
      size: 4096,
      offset: (ramOffset + DRIVER_RAM_SIZE) as typeof ramOffset,
      readOnly: true,
    });
    this.space.mapMmio({
      name: 'device',
      base: 0x1000_0000,
      size: 4096,
      handler: { read: () => 0, write: () => undefined },
    });
    this.harts = Array.from({ length: harts }, (_, id) => new FakeSbiHart(id));
    this.sbi = new Sbi({
      clock: this.clock,
      space: this.space,
      harts: this.harts,
      console: { write: (byte) => this.output.push(byte), read: () => this.input.shift() ?? -1 },
      onReset: (request) => this.resets.push(request),
      ...options,
    });
  }

  /** `ecall` on a hart; a0 and a1 afterwards, signed. */
  callOn(
    hart: number,
    eid: number,
    fid: number,
    ...args: (bigint | number)[]
  ): { error: number; value: bigint } {
    const { x } = this.harts[hart];
    for (let index = 0; index < 6; index++) x[10 + index] = BigInt.asUintN(64, BigInt(args[index] ?? 0));
    x[16] = BigInt.asUintN(64, BigInt(fid));
    x[17] = BigInt.asUintN(64, BigInt(eid));
    this.sbi.handle(this.harts[hart]);
    return { error: Number(BigInt.asIntN(64, x[10])), value: x[11] };
  }

  /** `ecall` on hart 0. */
  call(eid: number, fid: number, ...args: (bigint | number)[]): { error: number; value: bigint } {
    return this.callOn(0, eid, fid, ...args);
  }
}
