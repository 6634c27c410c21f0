import { Clock } from '@vmloom/device';
import { AddressSpace, HostMemory, hostOffset, physical, type HostMemoryOptions } from '@vmloom/memory';
import { RiscvCore, type CoreOptions } from '../core.js';
import { Hart, type HartOptions } from '../hart.js';

/** Where RAM begins for a bare machine. */
export const RAM_BASE = 0x8000_0000;

export interface BareOptions {
  /** 4 MiB of RAM unless told. */
  readonly memory?: Partial<HostMemoryOptions>;
  /** Bytes of RAM that the address space shows, from its beginning; all of it unless told. */
  readonly mapped?: number;
  readonly harts?: number;
  readonly hart?: Partial<Omit<HartOptions, 'core' | 'space' | 'clock' | 'id'>>;
  readonly codePages?: number;
  /** The compiler; off unless told or asked for by the environment (`VMLOOM_JIT=1`). */
  readonly jit?: CoreOptions['jit'];
}

/** RAM at 0x80000000, a clock and harts: no devices, no run loop but {@link BareMachine.run}. */
export interface BareMachine {
  readonly memory: HostMemory;
  readonly space: AddressSpace;
  readonly clock: Clock;
  readonly core: RiscvCore;
  readonly harts: readonly Hart[];
  /** The first hart. */
  readonly hart: Hart;
  /** Puts instruction words (or bytes) at an address of RAM. */
  load(address: number, code: readonly number[] | Uint8Array): void;
  /** Runs the first hart for `count` instructions, in slices that end at the clock's events; how many retired. */
  run(count: number): number;
  read64(address: number): bigint;
  write64(address: number, value: bigint): void;
}

export async function bareMachine(options: BareOptions = {}): Promise<BareMachine> {
  const memory = new HostMemory({ ram: 4 << 20, ...options.memory });
  const space = new AddressSpace(memory);
  space.mapRam({
    name: 'ram',
    base: RAM_BASE,
    size: options.mapped ?? memory.ramSize,
    offset: memory.ramOffset,
  });
  const clock = new Clock();
  const core = await RiscvCore.load(memory, {
    codePages: options.codePages ?? 16,
    jit: options.jit ?? everythingCompiled(),
  });
  const harts = Array.from(
    { length: options.harts ?? 1 },
    (_, id) => new Hart({ ...options.hart, core, id, space, clock }),
  );
  const [hart] = harts as [Hart];
  for (const one of harts) one.reset({ pc: BigInt(RAM_BASE) });
  return {
    memory,
    space,
    clock,
    core,
    harts,
    hart,
    load: (address, code) => {
      const bytes = code instanceof Uint8Array ? code : words(code);
      space.writeBytes(physical(address), bytes);
    },
    run: (count) => runWithEvents(hart, clock, count),
    read64: (address) => memory.view.getBigUint64(offsetOf(space, address), true),
    write64: (address, value) => {
      memory.writeU64(
        hostOffset(offsetOf(space, address)),
        Number(value & 0xffff_ffffn),
        Number(BigInt.asUintN(64, value) >> 32n),
      );
    },
  };
}

/** With `VMLOOM_JIT=1` in the environment, all tests run compiled code from the second time on. */
function everythingCompiled(): CoreOptions['jit'] {
  const { process } = globalThis as { process?: { env: Record<string, string | undefined> } };
  return process?.env['VMLOOM_JIT'] === '1'
    ? { threshold: 1, batch: 1, mergeThreshold: 3, fastThreshold: 50 }
    : false;
}

function offsetOf(space: AddressSpace, address: number): number {
  const offset = space.resolve(physical(address), 8);
  if (offset < 0) throw new RangeError(`no RAM at 0x${address.toString(16)}`);
  return offset;
}

function words(code: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(code.length * 4);
  const view = new DataView(bytes.buffer);
  code.forEach((word, index) => view.setUint32(index * 4, word, true));
  return bytes;
}

/** What a run loop does for one hart: events run on the instruction at which they are due. */
function runWithEvents(hart: Hart, clock: Clock, count: number): number {
  let retired = 0;
  while (retired < count) {
    clock.runUntil(hart.localTime);
    const due = clock.nextEvent;
    const until = Number.isFinite(due) ? hart.instructionsUntil(due) : Infinity;
    const slice = Math.min(count - retired, until);
    clock.beginSlice(Math.min(due, hart.localTime + slice * 1000), (when) => hart.shortenTo(when));
    retired += hart.run(slice);
    clock.endSlice();
    if (hart.exit === 'wfi' && Number.isFinite(clock.nextEvent)) hart.skipTo(clock.nextEvent);
    else if (hart.exit !== 'budget') break;
  }
  return retired;
}
