import { DirectTranslator, DmaPort } from '@vmloom/device';
import { AddressSpace, HostMemory } from '@vmloom/memory';
import { createCore, QueueMemory, Virtqueue } from '@vmloom/virtio';
import { GuestMemory, PackedMockQueue, RAM_BASE, SplitMockQueue } from '@vmloom/virtio/testing';
import { median } from './figures.mjs';
import { Table } from './table.mjs';

const RING = 1024;
const CHAIN_LENGTHS = [1, 2, 4, 8, 16];
/** Bytes of each buffer: a small header, a small packet, a page. */
const BUFFERS = [16, 256, 4096];
const SPAN = 4096 + 64;
/** How long each figure is measured; it is the median of the rounds of the ring. */
const MILLISECONDS = 300;

/**
 * Nanoseconds that the device's side of a ring takes for a chain: pop and push; the same with every byte copied out, beside
 * a plain copy of as many bytes from as many places. Rings are filled outside the measured time.
 */
export async function virtio({ runs }) {
  const columns = ['ring', 'buffers', 'bytes', 'ns/chain', 'with copy', 'plain copy', 'share of copy'];
  const table = new Table(
    'virtio: ns for a chain of buffers, pop and push; with its bytes copied; the plain copy of as many bytes',
    columns.map((title) => ({ title, width: title === 'ring' ? 16 : 0, ratio: title === 'share of copy' })),
  );
  for (const format of ['split', 'packed']) {
    for (const indirect of [false, true]) {
      for (const count of CHAIN_LENGTHS) {
        for (const bytes of BUFFERS) {
          const samples = Array.from({ length: runs }, () => measure({ format, indirect, count, bytes }));
          const [walk, copied, plain] = ['walk', 'copied', 'plain'].map((name) =>
            median(samples.map((sample) => sample[name])),
          );
          const ring = indirect ? `${format} indirect` : format;
          table.row([ring, String(count), String(bytes), walk, copied, plain, plain / copied]);
        }
      }
    }
  }
  return [table];
}

function measure({ format, indirect, count, bytes }) {
  const ring = new Ring(format, indirect, count, bytes);
  const per = (work) => {
    const samples = [];
    for (const end = performance.now() + MILLISECONDS; performance.now() < end;) {
      ring.fill();
      const start = process.hrtime.bigint();
      const chains = work();
      samples.push(Number(process.hrtime.bigint() - start) / chains);
    }
    return median(samples);
  };
  ring.fill();
  return { walk: per(() => ring.walk()), copied: per(() => ring.copy()), plain: per(() => ring.plainCopy()) };
}

/** A device's queue and the driver that fills it. */
class Ring {
  constructor(format, indirect, count, bytes) {
    this.memory = new HostMemory({ ram: 8 << 20, reserve: 1 << 20 });
    const space = new AddressSpace(this.memory);
    space.mapRam({ name: 'ram', base: RAM_BASE, size: this.memory.ramSize, offset: this.memory.ramOffset });
    const dma = new DmaPort(this.memory, new DirectTranslator(space));
    this.guest = new GuestMemory(this.memory, RAM_BASE, RAM_BASE + (2 << 20));
    this.indirect = indirect;
    const Driver = format === 'packed' ? PackedMockQueue : SplitMockQueue;
    this.driver = new Driver({ memory: this.guest, size: RING });
    this.mark = this.guest.mark;
    const owner = {
      used() {},
      deferred() {},
      spared() {},
      fault: (_queue, fault) => {
        throw new Error(fault);
      },
    };
    const state = new QueueMemory(this.memory, RING, 64);
    this.queue = new Virtqueue({ index: 0, memory: state, core: createCore(dma), dma, owner });
    for (const area of ['descriptors', 'driver', 'device']) this.queue.setAddress(area, this.driver[area], 0);
    this.queue.enable({ packed: format === 'packed', indirect: true, eventIndex: false, inOrder: false });
    // Places apart, so that no two buffers are one piece of memory.
    this.segments = Array.from({ length: count }, (_, index) => ({
      address: RAM_BASE + index * SPAN,
      length: bytes,
      write: false,
    }));
    this.stage = this.memory.reserve(65_536);
    this.chains = Math.floor(RING / (indirect ? 1 : count));
  }

  fill() {
    while (this.driver.poll() !== undefined);
    this.guest.mark = this.mark;
    while (this.driver.addSegments(this.segments, this.indirect) >= 0);
  }

  walk() {
    const { queue } = this;
    let chains = 0;
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      queue.push(chain.token, 0);
      chains++;
    }
    return chains;
  }

  copy() {
    const { queue, stage } = this;
    const { bytes } = this.memory;
    let chains = 0;
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      const { offsets, lengths } = chain;
      const { end } = chain.readable;
      for (let index = 0, to = stage; index < end; index++) {
        const length = lengths[index];
        bytes.copyWithin(to, offsets[index], offsets[index] + length);
        to += length;
      }
      queue.push(chain.token, 0);
      chains++;
    }
    return chains;
  }

  plainCopy() {
    const { stage, segments, chains } = this;
    const { bytes } = this.memory;
    const { ramOffset } = this.memory;
    for (let chain = 0; chain < chains; chain++) {
      for (let index = 0, to = stage; index < segments.length; index++) {
        const { address, length } = segments[index];
        const from = address - RAM_BASE + ramOffset;
        bytes.copyWithin(to, from, from + length);
        to += length;
      }
    }
    return chains;
  }
}
