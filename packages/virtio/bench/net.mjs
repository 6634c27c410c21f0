/**
 * `node packages/virtio/bench/net.mjs`: nanoseconds per frame from a transmit queue through a switch into a receive
 * queue of another machine, in time of the processor. The driver's part is left out: rings are laid once and offered again. Needs the build.
 */
import { Clock, Ledger } from '@vmloom/device';
import { HostMemory } from '@vmloom/memory';
import { Switch } from '@vmloom/net';
import { transportPacket, partialChecksum } from '@vmloom/net/testing';
import { VirtioNet } from '@vmloom/virtio';
import { DeviceBench, RAM_BASE } from '@vmloom/virtio/testing';

const SIZE = 256;
const F = (bit) => 1n << BigInt(bit);
const EVENT_INDEX = F(29);
const MAC = (index) => `52:54:00:00:00:0${index}`;

/** A ring whose chains stay where they are. `buffers`: what each chain is, as [address, length, write]. */
class Ring {
  constructor(bench, index, buffers) {
    this.bench = bench;
    this.index = index;
    this.queue = bench.queues[index];
    this.packed = this.queue.constructor.name.startsWith('Packed');
    this.chains = Array.from({ length: SIZE }, (_, chain) => buffers(chain));
    this.wrap = true;
    this.next = 0;
    const { memory } = bench;
    this.chains.forEach(([address, length, write], chain) => {
      const at = this.queue.descriptors + 16 * chain;
      memory.setU64(at, address);
      memory.setU32(at + 8, length);
      memory.setU16(at + (this.packed ? 14 : 12), write ? 2 : 0);
      if (this.packed) memory.setU16(at + 12, chain);
      else memory.setU16(this.queue.driver + 4 + 2 * chain, chain);
    });
  }

  /** Offers `count` chains more. */
  offer(count) {
    const { memory } = this.bench;
    const { view } = memory;
    if (!this.packed) {
      this.next = (this.next + count) & 0xffff;
      memory.setU16(this.queue.driver + 2, this.next);
      return;
    }
    for (; count > 0; count--) {
      const at = memory.at(this.queue.descriptors + 16 * this.next);
      const [address, length, write] = this.chains[this.next];
      view.setUint32(at, address, true);
      view.setUint32(at + 8, length, true);
      view.setUint32(
        at + 12,
        this.next | ((write ? 2 : 0) << 16) | (this.wrap ? 0x80 << 16 : 0x8000 << 16),
        true,
      );
      if (++this.next === SIZE) {
        this.next = 0;
        this.wrap = !this.wrap;
      }
    }
  }
}

function measure({ length, packed, shared, undone, seconds = 1 }) {
  const clock = new Clock();
  const ledger = new Ledger();
  const lan = new Switch({ clock, ledger, policy: 'pause' });
  const common = shared ? new HostMemory({ ram: 0x1000_0000, reserve: 0x100_0000 }) : undefined;
  const machines = [1, 2].map((index) => {
    const device = new VirtioNet({ port: lan.port(), mac: MAC(index) });
    const memory = common ?? new HostMemory({ ram: 0x400_0000, reserve: 0x80_0000 });
    const bench = new DeviceBench(device, { name: `n${index}`, clock, ledger, memory, packed });
    if (shared) bench.memory.mark = RAM_BASE + (index - 1) * 0x800_0000;
    bench.start(EVENT_INDEX);
    return { device, bench };
  });
  const [a, b] = machines;
  const fields = { ip: 4, protocol: 'tcp', from: MAC(1), to: MAC(2), payload: new Uint8Array(length - 54) };
  const packet = undone ? partialChecksum(transportPacket(fields)) : transportPacket(fields);
  const header = new Uint8Array(12);
  if (undone) {
    new DataView(header.buffer).setUint16(6, packet.transport, true);
    header.set(length > 1514 ? [1, 1, 54, 0, 0xa8, 5] : [1]);
    header[8] = 16;
  }
  const room = 12 + length;
  const buffer = length > 1514 ? 1536 : 1536;
  const tx = new Ring(a.bench, 1, () => {
    const at = a.bench.memory.allocate(room, 64);
    a.bench.memory.write(at, header);
    a.bench.memory.write(at + 12, packet.bytes);
    return [at, room, false];
  });
  const rx = new Ring(b.bench, 0, () => [b.bench.memory.allocate(buffer, 64), buffer, true]);
  // The switch learns where b is.
  b.bench.queues[1].add({
    out: [
      new Uint8Array([
        ...new Uint8Array(12),
        ...Uint8Array.of(0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 2, 8, 0),
        ...new Uint8Array(46),
      ]),
    ],
  });
  b.bench.endpoint.ring(1);
  clock.runUntil(clock.now + 1000);
  rx.offer(SIZE);
  const perFrame = Math.ceil(room / buffer);
  const batch = Math.min(64, Math.floor(SIZE / perFrame));
  const received = ledger.counter('n2', 'rx', 'packets');
  const run = (until) => {
    let frames = 0;
    const start = performance.now();
    const busy = process.cpuUsage();
    const before = received.value;
    while (performance.now() - start < until) {
      for (let round = 0; round < 20; round++) {
        tx.offer(batch);
        a.bench.endpoint.ring(1);
        clock.runUntil(clock.now + 10_000);
        rx.offer(batch * perFrame);
        frames += batch;
      }
    }
    const { user, system } = process.cpuUsage(busy);
    if (received.value - before !== frames)
      throw new Error(`${received.value - before} of ${frames} frames arrived`);
    return ((user + system) * 1000) / frames;
  };
  run(500);
  return Math.min(...Array.from({ length: 3 }, () => run((seconds * 1000) / 3)));
}

for (const [name, options] of [
  ['60 bytes', { length: 60 }],
  ['60 bytes, checksum undone', { length: 60, undone: true }],
  ['1514 bytes', { length: 1514 }],
  ['1514 bytes, checksum undone', { length: 1514, undone: true }],
  ['62 KiB, undone', { length: 63_000, undone: true }],
]) {
  for (const packed of [false, true]) {
    for (const shared of [false, true]) {
      const time = measure({ ...options, packed, shared });
      const rate = ((options.length * 8) / time).toFixed(1);
      console.log(
        `${name}, ${packed ? 'packed' : 'split'}, ${shared ? 'one memory' : 'two memories'}: ` +
          `${time.toFixed(0)} ns per frame, ${(1e6 / time).toFixed(0)} kpps, ${rate} Gbit/s`,
      );
    }
  }
}
