import { DMA_FAULT, type DmaAnswer, type DmaRequest, type DmaTranslator } from '@vmloom/device';
import { HostMemory, PAGE_CLEAN, type AddressSpace } from '@vmloom/memory';
import { RAM_PLACES } from '@vmloom/memory/testing';
import { describe, expect, it } from 'vitest';
import * as F from '../features.js';
import { DeviceBench, EchoDevice, RAM_BASE, type DeviceBenchOptions } from '../testing/index.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

function started(options: DeviceBenchOptions = {}, device = new EchoDevice()): DeviceBench {
  const bench = new DeviceBench(device, options);
  expect(bench.start()).toBe(true);
  return bench;
}

/** An IOMMU that turns the order of pages round: what is one piece on the bus lies in pieces in the host. */
class Reversing implements DmaTranslator {
  asked = 0;
  /** Bus addresses below this fault. */
  floor = 0;

  constructor(readonly space: AddressSpace) {}

  translate(request: DmaRequest, answer: DmaAnswer): void {
    const { ramOffset, ramSize } = this.space.memory;
    this.asked++;
    answer.count = 0;
    answer.status = 0;
    for (let at = 0; at < request.length;) {
      const bus = request.low + at - RAM_BASE;
      if (request.high !== 0 || bus < this.floor || bus >= ramSize) return answer.fail(DMA_FAULT);
      const inPage = bus % 4096;
      const length = Math.min(4096 - inPage, request.length - at);
      answer.add(ramOffset + (ramSize - 4096 - (bus - inPage)) + inPage, length);
      at += length;
    }
  }
}

/** The same with a generation, as an IOMMU that keeps count of invalidations. */
class Counting extends Reversing {
  generation = 0;
}

/** Turns the pages of the guest's memory round, so that its driver and the device behind the IOMMU mean the same bytes. */
function turnPages(bench: DeviceBench): void {
  const { ramOffset, ramSize, bytes } = bench.host;
  const copy = bytes.slice(ramOffset, ramOffset + ramSize);
  for (let at = 0; at < ramSize; at += 4096)
    bytes.set(copy.subarray(at, at + 4096), ramOffset + ramSize - 4096 - at);
}

describe.each([
  ['split', false],
  ['packed', true],
] as const)('a %s queue', (_name, packed) => {
  it('2.6: a chain comes back with what the device wrote', () => {
    const bench = started({ packed });
    const used = bench.request(0, { out: [text('hel'), text('lo')], in: [2, 10] });
    expect(used?.written).toBe(5);
    expect(used?.bytes).toEqual(text('hello'));
    expect(bench.interrupts[0]).toBe(1);
  });

  it('2.7.5.3, 2.8.7: indirect', () => {
    const bench = started({ packed });
    const used = bench.request(0, { out: [text('hel'), text('lo')], in: [2, 10], indirect: true });
    expect(used?.bytes).toEqual(text('hello'));
  });

  it('2.7.4.1: how the driver cuts a request into descriptors means nothing', () => {
    const bench = started({ packed });
    const bytes = Uint8Array.from({ length: 40 }, (_, index) => index + 1);
    for (const cut of [1, 2, 3, 7, 40]) {
      const out: Uint8Array[] = [];
      for (let at = 0; at < 40; at += cut) out.push(bytes.slice(at, at + cut));
      bench.queues[0].add({ out, in: [13, 27], indirect: cut === 1 });
      const queue = bench.endpoint.queues[0];
      const chain = queue.pop()!;
      const { readable, writable } = chain;
      expect([readable.length, writable.length]).toEqual([40, 40]);
      expect(readable.bytes()).toEqual(bytes);
      expect(readable.bytes(38, 10)).toEqual(Uint8Array.of(39, 40));
      expect([readable.u8(2), readable.u16(2), readable.u32(2)]).toEqual([3, 0x0403, 0x0605_0403]);
      expect(readable.u64(6)).toBe(0x0e0d_0c0b * 2 ** 32 + 0x0a09_0807);
      expect(readable.u32(38)).toBe(0x2827);
      expect(readable.offset(40)).toBe(-1);
      expect(writable.fill(0, 100, 0xee)).toBe(40);
      writable.setU32(11, 0x0403_0201);
      expect(writable.write(38, text('abc'))).toBe(2);
      expect(writable.copy(20, chain.offsets[0] as never, 1)).toBe(1);
      queue.push(chain.token, 40);
      const back = bench.queues[0].poll()!.bytes;
      expect([...back.subarray(10, 16)]).toEqual([0xee, 1, 2, 3, 4, 0xee]);
      expect(decode(back.subarray(38))).toBe('ab');
      expect(back[20]).toBe(1);
    }
  });

  it('2.7.13, 2.8.21: goes round many times, two queues', () => {
    const bench = started({ packed, size: 8 });
    const { mark } = bench.memory;
    for (let round = 0; round < 1000; round++) {
      bench.memory.mark = mark;
      const message = text(`message ${round}`);
      const used = bench.request(round % 2, { out: [message], in: [4, 20] });
      expect(used?.bytes).toEqual(message);
    }
    expect(bench.count('chain')).toBe(1000);
  });

  it('2.7: the 16-bit indices wrap', () => {
    const bench = started({ packed, size: 64 });
    const { mark } = bench.memory;
    for (let chains = 0; chains < 70_000; chains += 64) {
      bench.memory.mark = mark;
      for (let index = 0; index < 64; index++) bench.queues[0].add({ out: [Uint8Array.of(index)] });
      bench.endpoint.ring(0);
      bench.run(1);
      for (let index = 0; index < 64; index++) expect(bench.queues[0].poll()).toBeDefined();
    }
    expect(bench.count('fault')).toBe(0);
  });

  it('2.6: held chains go back out of order', () => {
    const device = Object.assign(new EchoDevice(), { delay: 1000, reversed: true });
    const bench = started({ packed, size: 8 }, device);
    for (let round = 0; round < 10; round++) {
      for (const one of ['a', 'b', 'c']) bench.submit(0, { out: [text(one)], in: [1] });
      bench.run();
      expect([0, 1, 2].map(() => decode(bench.queues[0].poll()?.bytes))).toEqual(['c', 'b', 'a']);
    }
  });

  it('2.7.9, 2.8.8: with IN_ORDER chains that are done early wait for their predecessors', () => {
    const device = Object.assign(new EchoDevice(), { delay: 1000, reversed: true });
    const bench = started({ packed, size: 8, inOrder: true }, device);
    for (let round = 0; round < 10; round++) {
      for (const one of ['a', 'b', 'c']) bench.submit(0, { out: [text(one)], in: [1] });
      bench.run();
      expect([0, 1, 2].map(() => decode(bench.queues[0].poll()?.bytes))).toEqual(['a', 'b', 'c']);
    }
    const queue = bench.endpoint.queues[0];
    for (const one of ['a', 'b']) bench.queues[0].add({ out: [text(one)], in: [1] });
    const first = queue.pop()!.token;
    const second = queue.pop()!.token;
    queue.push(second, 0);
    expect(bench.queues[0].poll()).toBeUndefined();
    queue.push(first, 0);
    expect(bench.queues[0].poll()).toBeDefined();
    expect(bench.queues[0].poll()).toBeDefined();
  });

  it.each([false, true])('pops are undone, last one first, IN_ORDER %s', (inOrder) => {
    const bench = started({ packed, size: 16, inOrder });
    const queue = bench.endpoint.queues[0];
    for (let round = 0; round < 5; round++) {
      for (const one of ['a', 'bb', 'ccc']) bench.queues[0].add({ out: [text(one)], in: [1, 2] });
      const lengths = (): number[] => [0, 1, 2].map(() => queue.pop()!.readable.length);
      const tokens = [0, 1, 2].map(() => queue.pop()!.token);
      for (const token of tokens.reverse()) queue.unpop(token);
      expect(queue.inFlight).toBe(0);
      expect(lengths()).toEqual([1, 2, 3]);
      for (const token of tokens.reverse()) queue.push(token, 0);
      for (let index = 0; index < 3; index++) expect(bench.queues[0].poll()).toBeDefined();
    }
  });

  it('a held chain keeps what the driver described, whatever it writes there meanwhile', () => {
    const device = Object.assign(new EchoDevice(), { delay: 1000 });
    const bench = started({ packed }, device);
    bench.submit(0, { out: [text('mine')], in: [4] });
    bench.run(10);
    const { descriptors } = bench.queues[0];
    bench.memory.setU32(descriptors, 0xdead_0000);
    bench.memory.setU32(descriptors + 8, 0xffff_ffff);
    bench.run(10_000);
    expect(decode(bench.queues[0].poll()?.bytes)).toBe('mine');
  });

  it.each(RAM_PLACES)('contract memory: works with RAM at $name', ({ ramOffset, ram }) => {
    const memory = new HostMemory({ ram, ramOffset, reserve: 0x10_0000 });
    const bench = started({ packed, memory });
    bench.memory.mark = RAM_BASE + ram - 0x2000;
    expect(decode(bench.request(0, { out: [text('edge')], in: [8] })?.bytes)).toBe('edge');
    bench.memory.mark = RAM_BASE + ram / 2 - 16;
    expect(decode(bench.request(0, { out: [text('middle of it all')], in: [40] })?.bytes)).toBe(
      'middle of it all',
    );
  });

  it('contract memory: shared memory', () => {
    const memory = new HostMemory({ ram: 0x10_0000, reserve: 0x10_0000, shared: true });
    const bench = started({ packed, memory });
    expect(decode(bench.request(0, { out: [text('shared')], in: [8] })?.bytes)).toBe('shared');
  });

  it('contract page flags: rings and buffers that the device writes are dirty', () => {
    const bench = started({ packed });
    const { host, memory } = bench;
    const first = host.ramOffset / 4096;
    const driver = bench.queues[0];
    memory.mark = RAM_BASE + 0x10_0000;
    host.flags.armDirtyTracking(first, host.ramSize / 4096);
    const page = (address: number): number => memory.at(address) >>> 12;
    const buffer = Math.ceil(memory.mark / 16) * 16 + 16;
    bench.request(0, { out: [text('x')], in: [1] });
    expect(host.flags.get(page(buffer)) & PAGE_CLEAN).toBe(0);
    expect(host.flags.get(page(packed ? driver.descriptors : driver.device)) & PAGE_CLEAN).toBe(0);
    expect(host.flags.get(first + 0x200) & PAGE_CLEAN).toBe(PAGE_CLEAN);
  });

  describe.each([
    ['that is asked each time', Reversing],
    ['that keeps count', Counting],
  ])('behind an IOMMU %s', (_kind, Kind) => {
    function behind(): { bench: DeviceBench; iommu: Reversing } {
      let iommu: Reversing | undefined;
      const device = new EchoDevice({ queues: [{ size: 1024 }, { size: 8 }] });
      const translator = (space: AddressSpace): Reversing => (iommu = new Kind(space));
      const bench = started({ packed, accessPlatform: true, translator, ram: 0x20_0000 }, device);
      return { bench, iommu: iommu! };
    }

    it('6.1: rings and buffers in pieces', () => {
      const { bench } = behind();
      const message = Uint8Array.from({ length: 20_000 }, (_, index) => index * 7);
      for (let round = 0; round < 12; round++) {
        const indirect = round % 2 === 1;
        // The table of descriptors of an indirect chain lies across a page boundary too.
        bench.memory.mark = RAM_BASE + 0x10_0000 - 24 + 8 * (round % 3);
        bench.queues[0].add({ out: [message, text('tail')], in: [1, 30_000], indirect });
        turnPages(bench);
        bench.endpoint.ring(0);
        bench.run();
        turnPages(bench);
        const used = bench.queues[0].poll();
        expect(used?.written).toBe(20_004);
        expect(used!.bytes.subarray(0, 20_000).every((byte, index) => byte === message[index])).toBe(true);
      }
    });

    it('6.1: what the IOMMU refuses is a fault of the queue', () => {
      const { bench, iommu } = behind();
      bench.memory.mark = RAM_BASE + 0x10_0000;
      bench.queues[0].add({ out: [text('x')] });
      turnPages(bench);
      iommu.floor = bench.host.ramSize;
      bench.endpoint.ring(0);
      bench.run();
      expect(bench.count('fault')).toBe(1);
    });
  });

  it('6.1: without ACCESS_PLATFORM a device goes past the IOMMU; a device behind one refuses such a driver', () => {
    let iommu: Reversing | undefined;
    const translator = (space: AddressSpace): Reversing => (iommu = new Reversing(space));
    const past = started({ packed, translator });
    expect(decode(past.request(0, { out: [text('past')], in: [8] })?.bytes)).toBe('past');
    expect(iommu!.asked).toBe(0);
    const bench = new DeviceBench(new EchoDevice(), { packed, accessPlatform: true });
    expect(bench.start(F.features(F.VIRTIO_F_ACCESS_PLATFORM))).toBe(false);
  });

  it('contract DMA: memory that moves while the queue runs is found again', () => {
    const bench = started({ packed });
    bench.request(0, { out: [text('before')], in: [8] });
    const stick = bench.space.mapRam({
      name: 'stick',
      base: 0x1_0000,
      size: 0x1000,
      offset: bench.host.ramOffset,
    });
    bench.queues[0].addSegments([
      { address: 0x1_0000, length: 4, write: false },
      { address: bench.memory.allocate(4), length: 4, write: true },
    ]);
    bench.endpoint.ring(0);
    bench.run();
    expect(bench.queues[0].poll()?.written).toBe(4);
    stick.unmap();
    bench.queues[0].addSegments([{ address: 0x1_0000, length: 4, write: false }]);
    bench.endpoint.ring(0);
    bench.run();
    expect(bench.count('fault', 'address')).toBe(1);
  });
});

describe('the used descriptor of a packed queue', () => {
  it('2.8.3, 2.8.4: WRITE says whether anything was written', () => {
    const bench = started({ packed: true });
    expect(bench.request(0, { out: [text('x')] })?.written).toBe(0);
    expect(bench.memory.u16(bench.queues[0].descriptors + 14) & 2).toBe(0);
    expect(bench.request(0, { out: [text('x')], in: [1] })?.written).toBe(1);
    expect(bench.memory.u16(bench.queues[0].descriptors + 16 + 14) & 2).toBe(2);
  });
});
