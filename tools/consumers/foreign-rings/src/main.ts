/**
 * Another emulator made a WebAssembly.Memory, put its guest's RAM at 1 MiB, and has a bus, a processor and devices of its
 * own. It takes nothing of virtio but the queues: split and packed ones, served where they lie, with the mock drivers of
 * the package as its guest. Nothing else of its memory is touched but the place the queues were given.
 */
import { DirectTranslator, DmaPort } from '@vmloom/device';
import { AddressSpace, HostMemory, type HostOffset } from '@vmloom/memory';
import { createCore, QueueMemory, Virtqueue, type QueueFault, type QueueOwner } from '@vmloom/virtio';
import { GuestMemory, PackedMockQueue, SplitMockQueue } from '@vmloom/virtio/testing';

const theirs = new WebAssembly.Memory({ initial: 64, maximum: 64 });
const bytes = new Uint8Array(theirs.buffer);
const guest = { address: 0x4000_0000, offset: 0x10_0000, size: 0x10_0000 };
const ours = { base: 0x30_0000, reserve: 0x2_0000, flags: 0x1000 };
const oursEnd = ours.base + ours.flags + ours.reserve;

bytes.fill(0xa5);
bytes.fill(0, guest.offset, guest.offset + guest.size);
bytes.fill(0, ours.base, oursEnd);

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${what}`);
}

const memory = new HostMemory({
  within: { memory: theirs, base: ours.base },
  reserve: ours.reserve,
  ram: guest.size,
  ramOffset: guest.offset,
});
const space = new AddressSpace(memory);
space.mapRam({ name: 'ram', base: guest.address, size: guest.size, offset: guest.offset as HostOffset });
const dma = new DmaPort(memory, new DirectTranslator(space));
const core = createCore(dma);

/** What their device model does with the queue's words: count them. */
class Model implements QueueOwner {
  interrupts = 0;
  readonly faults: QueueFault[] = [];
  used(): void {
    this.interrupts++;
  }
  deferred(): void {}
  spared(): void {}
  fault(_queue: Virtqueue, fault: QueueFault): void {
    this.faults.push(fault);
  }
}

const SIZE = 64;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

for (const packed of [false, true]) {
  const model = new Model();
  const half = guest.address + (packed ? guest.size / 2 : 0);
  const ram = new GuestMemory(memory, guest.address, half);
  const driver = new (packed ? PackedMockQueue : SplitMockQueue)({
    memory: ram,
    size: SIZE,
    eventIndex: true,
  });
  const queue = new Virtqueue({
    index: 0,
    memory: new QueueMemory(memory, SIZE, SIZE),
    core,
    dma,
    owner: model,
  });
  for (const area of ['descriptors', 'driver', 'device'] as const) queue.setAddress(area, driver[area], 0);
  queue.enable({ packed, indirect: true, eventIndex: true, inOrder: false });

  // Their device turns what it reads round.
  const serve = (): void => {
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      queue.push(chain.token, chain.writable.write(0, chain.readable.bytes().reverse()));
    }
    queue.signal();
  };

  const room = ram.mark;
  for (let round = 0; round < 1000; round++) {
    ram.mark = room;
    driver.wantInterrupts(true);
    const word = `round ${round}`;
    driver.add({
      out: [text(word.slice(0, 3)), text(word.slice(3))],
      in: [2, 30],
      indirect: round % 3 === 0,
    });
    serve();
    const answer = new TextDecoder().decode(driver.poll()?.bytes);
    check(`${word} comes back turned round`, answer === [...word].reverse().join(''));
  }
  check('each was announced', model.interrupts === 1000);

  driver.addSegments([{ address: guest.address + guest.size - 4, length: 8, write: true }]);
  serve();
  check('a buffer that leaves the RAM stops the queue', model.faults.join() === 'address' && !queue.ready);
}

const mayChange = (at: number): boolean =>
  (at >= guest.offset && at < guest.offset + guest.size) || (at >= ours.base && at < oursEnd);
check(
  'nothing else was touched',
  bytes.every((byte, at) => byte === 0xa5 || mayChange(at)),
);
console.log('ok');
