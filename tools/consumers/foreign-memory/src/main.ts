/**
 * Another emulator made a WebAssembly.Memory and put its guest's RAM at 1 MiB. A device of vmloom serves that
 * RAM where it lies, and touches nothing else but the place it was given.
 */
import { AddressSpace, HostMemory, fetchCore, instantiateCore, physical } from '@vmloom/memory';
import {
  Clock,
  DMA_ABORT,
  DMA_OK,
  DirectTranslator,
  DmaPort,
  type EventArguments,
  type EventOwner,
} from '@vmloom/device';

const PAGE = 0x1000;
const theirs = new WebAssembly.Memory({ initial: 64, maximum: 64 });
const bytes = new Uint8Array(theirs.buffer);
const guest = { offset: 0x10_0000, size: 0x10_0000 };
const ours = { base: 0x30_0000, reserve: 0x1_0000 };

const memory = new HostMemory({
  within: { memory: theirs, base: ours.base },
  reserve: ours.reserve,
  ram: guest.size,
  ramOffset: guest.offset,
});
const space = new AddressSpace(memory);
space.mapRam({ name: 'their guest', base: 0x8000_0000, size: guest.size, offset: memory.ramOffset });

/** Copies a word from one address of the guest to another, some time after its register is written. */
class Copier implements EventOwner {
  readonly name = 'copier';
  status = -1;

  constructor(
    readonly clock: Clock,
    readonly dma: DmaPort,
  ) {
    clock.register(this);
  }

  start(from: number, to: number): void {
    this.clock.after(this, 'copy', 1000, { from, to });
  }

  onEvent(_kind: string, { from, to }: EventArguments): void {
    const word = new Uint8Array(4);
    this.status = this.dma.read(Number(from), 0, word);
    if (this.status === DMA_OK) this.status = this.dma.write(Number(to), 0, word);
  }
}

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${what}`);
}

const clock = new Clock();
const copier = new Copier(clock, new DmaPort(memory, new DirectTranslator(space)));
bytes.set([1, 2, 3, 4], guest.offset + 0x40);
copier.start(0x8000_0040, 0x8000_2000);
check('nothing moves before its time', bytes[guest.offset + 0x2000] === 0);
clock.runUntil(1000);
check('the word arrives in their memory', copier.status === DMA_OK && bytes[guest.offset + 0x2003] === 4);

copier.start(0x8000_0040, 0x8000_0000 + guest.size - 3);
clock.runUntil(2000);
check('a transfer that leaves the RAM is aborted', copier.status === DMA_ABORT);

const wasm = await fetchCore(new URL(import.meta.resolve('@vmloom/memory/wasm/probe.wasm')));
const core = instantiateCore<{ store32(flags: number, offset: number, value: number): void }>(wasm, memory);
core.store32(memory.flags.offset, guest.offset + 0x80, 0xcafe);
check('a core stores into their memory', space.load(physical(0x8000_0080), 4) === 0xcafe);

const touched = new Set<number>();
bytes.forEach((value, offset) => value !== 0 && touched.add(Math.floor(offset / PAGE) * PAGE));
check(
  'no other page was touched',
  [...touched].every((page) => page === guest.offset || page === guest.offset + 0x2000),
);
console.log('ok');
