import { describe, expect, it } from 'vitest';
import * as F from '../features.js';
import * as S from '../status.js';
import { DeviceBench, EchoDevice, RAM_BASE, type DeviceBenchOptions } from '../testing/index.js';
import { DESC_AVAIL, DESC_INDIRECT, DESC_NEXT, DESC_WRITE } from './codes.js';

const SIZE = 16;
const RAM_END = RAM_BASE + 0x40_0000;

interface Descriptor {
  readonly address?: number;
  readonly length?: number;
  readonly flags?: number;
  readonly next?: number;
}

/** A device whose queue 0 is about to be abused, and queue 1 is not. */
class Victim extends DeviceBench {
  readonly good: number;

  constructor(packed: boolean, options: DeviceBenchOptions = {}, without = 0n) {
    super(new EchoDevice(), { packed, size: SIZE, ...options });
    this.start(without);
    this.good = this.memory.allocate(4096, 4096);
  }

  /** Writes descriptors of queue 0, or of a table, and makes the first one available. */
  offer(descriptors: readonly Descriptor[], table?: readonly Descriptor[]): void {
    const { memory } = this;
    const { descriptors: ring } = this.queues[0];
    let at = 0;
    if (table !== undefined) {
      at = memory.allocate(16 * table.length);
      table.forEach((one, index) => this.describe(at, index, one, false));
    }
    const packed = this.endpoint.features & F.features(F.VIRTIO_F_RING_PACKED);
    descriptors.forEach((one, index) =>
      this.describe(ring, index, { address: at === 0 ? this.good : at, ...one }, packed !== 0n),
    );
    if (packed === 0n) {
      memory.setU16(this.queues[0].driver + 4, 0);
      memory.setU16(this.queues[0].driver + 2, 1);
    }
    this.endpoint.ring(0);
    this.run();
  }

  describe(at: number, index: number, one: Descriptor, available: boolean): void {
    const { memory } = this;
    const place = at + 16 * index;
    memory.setU64(place, one.address ?? this.good);
    memory.setU32(place + 8, one.length ?? 16);
    const packed = (this.endpoint.features & F.features(F.VIRTIO_F_RING_PACKED)) !== 0n;
    const flags = (one.flags ?? 0) | (available ? DESC_AVAIL : 0);
    memory.setU16(place + (packed ? 14 : 12), flags);
    if (!packed) memory.setU16(place + 14, one.next ?? 0);
  }

  /** Why the device needs a reset; undefined when it does not. */
  get fault(): string | undefined {
    const reasons = this.ledger.select({ owner: this.name, event: 'fault' }).filter(({ value }) => value > 0);
    expect(reasons.length > 0).toBe((this.endpoint.status & S.DEVICE_NEEDS_RESET) !== 0);
    return reasons[0]?.reason;
  }

  /** The neighbouring queue, then the device after a reset. */
  expectOthersGoOn(): void {
    expect(this.request(1, { out: [Uint8Array.of(7)], in: [1] })?.bytes).toEqual(Uint8Array.of(7));
    expect(this.start()).toBe(true);
    expect(this.request(0, { out: [Uint8Array.of(8)], in: [1] })?.bytes).toEqual(Uint8Array.of(8));
  }
}

const OUTSIDE: readonly (readonly [name: string, descriptor: Descriptor, why: string])[] = [
  ['address 0', { address: 0 }, 'address'],
  ['below memory', { address: RAM_BASE - 16 }, 'address'],
  ['the end behind memory', { address: RAM_END - 8 }, 'address'],
  ['behind memory', { address: RAM_END }, 'address'],
  ['above 4 GiB', { address: RAM_BASE + 2 ** 32 }, 'address'],
  ['above 2^53', { address: 2 ** 63 }, 'address'],
  ['the length behind memory', { length: 0x8000_0000 }, 'address'],
  ['all of 32 bits', { length: 0xffff_ffff }, 'address'],
];

describe.each([false, true])('hostile chains, packed %s', (packed) => {
  describe.each([0, DESC_WRITE])('flags %i', (write) => {
    it.each(OUTSIDE)('2.7.5.2: %s', (_name, descriptor, why) => {
      const victim = new Victim(packed);
      victim.offer([{ flags: write, ...descriptor }]);
      expect(victim.fault).toBe(why);
      expect(victim.configInterrupts).toBe(1);
      victim.expectOthersGoOn();
    });

    it.each(OUTSIDE)('2.7.5.3, 2.8.7: in an indirect table, %s', (_name, descriptor, why) => {
      const victim = new Victim(packed);
      victim.offer([{ flags: DESC_INDIRECT, length: 16 }], [{ flags: write, ...descriptor }]);
      expect(victim.fault).toBe(why);
      victim.expectOthersGoOn();
    });
  });

  it.each(OUTSIDE.slice(0, 6))('2.7.5.3: the table itself, %s', (_name, descriptor, why) => {
    const victim = new Victim(packed);
    victim.offer([{ flags: DESC_INDIRECT, length: 32, ...descriptor }]);
    expect(victim.fault).toBe(why);
    victim.expectOthersGoOn();
  });

  it('the end of the address space is no way round', () => {
    const victim = new Victim(packed);
    victim.describe(victim.queues[0].descriptors, 0, { length: 0x100 }, packed);
    victim.memory.setU32(victim.queues[0].descriptors, 0xffff_fff0);
    victim.memory.setU32(victim.queues[0].descriptors + 4, 0xffff_ffff);
    if (!packed) victim.memory.setU16(victim.queues[0].driver + 2, 1);
    victim.endpoint.ring(0);
    victim.run();
    expect(victim.fault).toBe('address');
    victim.expectOthersGoOn();
  });

  it.each([0, 8, 17, 31])('2.7.5.3.1: an indirect table of %i bytes', (length) => {
    const victim = new Victim(packed);
    victim.offer([{ flags: DESC_INDIRECT, length }], [{}, {}]);
    expect(victim.fault).toBe('indirect table length');
    victim.expectOthersGoOn();
  });

  it('2.7.5.3.1: INDIRECT that was not negotiated', () => {
    const victim = new Victim(packed, { indirect: false });
    victim.offer([{ flags: DESC_INDIRECT, length: 16 }], [{}]);
    expect(victim.fault).toBe('indirect not negotiated');
    victim.expectOthersGoOn();
  });

  it('2.7.5.3.1: INDIRECT with NEXT', () => {
    const victim = new Victim(packed);
    victim.offer([{ flags: DESC_INDIRECT | DESC_NEXT, length: 16, next: 1 }, {}], [{}]);
    expect(victim.fault).toBe('indirect within a chain');
    victim.expectOthersGoOn();
  });

  it('2.7.4.2: a readable descriptor behind a writable one', () => {
    for (const indirect of [false, true]) {
      const victim = new Victim(packed);
      const chain = [{ flags: DESC_WRITE | DESC_NEXT, next: 1 }, {}];
      if (indirect) victim.offer([{ flags: DESC_INDIRECT, length: 32 }], chain);
      else victim.offer(chain);
      expect(victim.fault).toBe('readable after writable');
      victim.expectOthersGoOn();
    }
  });

  it('2.7.5.2: 4 GiB in one chain', () => {
    const victim = new Victim(packed, { ram: 0x1000_0000 });
    const half = { address: RAM_BASE, length: 0x800_0000, flags: 0 };
    victim.offer(
      [{ flags: DESC_INDIRECT, length: 16 * 40 }],
      Array.from({ length: 40 }, (_, index) => ({
        ...half,
        flags: index < 39 ? DESC_NEXT : 0,
        next: index + 1,
      })),
    );
    expect(victim.fault).toBe('length');
    victim.expectOthersGoOn();
  });

  describe.each(['descriptors', 'driver', 'device'] as const)('over the %s area', (area) => {
    it.each([
      ['its first bytes', 0, 4],
      ['its first byte', -8, 9],
      ['all of it', -64, 512],
    ])('2.7, 2.8: a buffer that the device would write over %s', (_name, shift, length) => {
      const victim = new Victim(packed);
      victim.offer([
        { address: Math.max(victim.queues[0][area] + shift, RAM_BASE), length, flags: DESC_WRITE },
      ]);
      expect(victim.fault).toBe('over the ring');
      victim.expectOthersGoOn();
    });
  });

  it('a buffer that the device reads may be the ring: a guest saves its memory', () => {
    const victim = new Victim(packed);
    victim.offer([
      { address: victim.queues[0].descriptors, length: 64, flags: DESC_NEXT, next: 1 },
      { length: 64, flags: DESC_WRITE },
    ]);
    expect(victim.fault).toBeUndefined();
  });

  it('2.7.4.1: more descriptors in a table than the device takes', () => {
    const device = new EchoDevice({ queues: [{ size: 16, chainLimit: 32 }, { size: 16 }] });
    const bench = new DeviceBench(device, { packed });
    bench.start();
    const segment = { address: bench.memory.allocate(16), length: 1, write: false };
    bench.queues[0].addSegments(
      Array.from({ length: 32 }, () => segment),
      true,
    );
    bench.endpoint.ring(0);
    bench.run();
    expect(bench.queues[0].poll()).toBeDefined();
    bench.queues[0].addSegments(
      Array.from({ length: 33 }, () => segment),
      true,
    );
    bench.endpoint.ring(0);
    bench.run();
    expect(bench.count('fault', 'chain too long')).toBe(1);
  });

  it('2.6.1: a reset while requests are in flight voids them', () => {
    const device = new EchoDevice();
    device.delay = 1000;
    const bench = new DeviceBench(device, { packed });
    bench.start();
    const address = bench.memory.allocate(16);
    bench.submit(0, { out: [Uint8Array.of(1)], in: [1] });
    bench.run(10);
    const held = [...bench.endpoint.queues[0].held];
    expect(held.length).toBe(1);
    bench.start();
    const before = bench.memory.read(address, 0x1000);
    expect(bench.endpoint.queues[0].map(held[0])).toBeUndefined();
    bench.endpoint.queues[0].complete(held[0], 1);
    bench.run();
    expect(bench.memory.read(address, 0x1000)).toEqual(before);
    expect(bench.endpoint.queues[0].inFlight).toBe(0);
  });

  it('contract DMA: memory of a held chain that is gone by the time it goes on', () => {
    const device = new EchoDevice();
    device.delay = 1000;
    const bench = new DeviceBench(device, { packed });
    const extra = bench.space.mapRam({
      name: 'stick',
      base: 0x1_0000,
      size: 0x1000,
      offset: bench.host.ramOffset,
    });
    bench.start();
    bench.queues[0].addSegments([{ address: 0x1_0000, length: 16, write: false }]);
    bench.endpoint.ring(0);
    bench.run(10);
    extra.unmap();
    bench.run(10_000);
    expect(bench.count('fault', 'address')).toBe(1);
  });
});

describe('hostile split rings', () => {
  it.each([
    ['itself', 1],
    ['an earlier descriptor', 0],
  ])('2.7.5.2: a loop through %s', (_name, next) => {
    const victim = new Victim(false);
    victim.offer([
      { flags: DESC_NEXT, next: 1 },
      { flags: DESC_NEXT, next },
    ]);
    expect(victim.fault).toBe('loop');
    victim.expectOthersGoOn();
  });

  it('2.7.5.3: a loop in an indirect table', () => {
    const victim = new Victim(false);
    victim.offer(
      [{ flags: DESC_INDIRECT, length: 32 }],
      [
        { flags: DESC_NEXT, next: 1 },
        { flags: DESC_NEXT, next: 0 },
      ],
    );
    expect(victim.fault).toBe('loop');
    victim.expectOthersGoOn();
  });

  it('2.7.5.3.1: an indirect table within an indirect table', () => {
    const victim = new Victim(false);
    victim.offer([{ flags: DESC_INDIRECT, length: 16 }], [{ flags: DESC_INDIRECT }]);
    expect(victim.fault).toBe('nested indirect');
    victim.expectOthersGoOn();
  });

  it('2.7.5.3.2: descriptors may come before the one that refers to a table, whose WRITE means nothing', () => {
    const victim = new Victim(false);
    const table = victim.memory.allocate(16);
    victim.describe(table, 0, { flags: DESC_WRITE }, false);
    victim.offer([
      { flags: DESC_NEXT, next: 1 },
      { address: table, length: 16, flags: DESC_INDIRECT | DESC_WRITE },
    ]);
    expect(victim.fault).toBeUndefined();
    expect(victim.queues[0].poll()?.written).toBe(16);
  });

  it.each([SIZE, 0xffff])('2.7.5: next is %i', (next) => {
    const victim = new Victim(false);
    victim.offer([{ flags: DESC_NEXT, next }]);
    expect(victim.fault).toBe('descriptor out of range');
    victim.expectOthersGoOn();
  });

  it('2.7.5.3: next leads out of an indirect table', () => {
    const victim = new Victim(false);
    victim.offer([{ flags: DESC_INDIRECT, length: 32 }], [{ flags: DESC_NEXT, next: 2 }, {}]);
    expect(victim.fault).toBe('descriptor out of range');
    victim.expectOthersGoOn();
  });

  it.each([SIZE, 0xffff])('2.7.6: the head is %i', (head) => {
    const victim = new Victim(false);
    victim.memory.setU16(victim.queues[0].driver + 4, head);
    victim.memory.setU16(victim.queues[0].driver + 2, 1);
    victim.endpoint.ring(0);
    victim.run();
    expect(victim.fault).toBe('descriptor out of range');
    victim.expectOthersGoOn();
  });

  it.each([SIZE + 1, 0x8000, 0xffff])('2.7.6.1: the available index jumps to %i', (index) => {
    const victim = new Victim(false);
    victim.memory.setU16(victim.queues[0].driver + 2, index);
    victim.endpoint.ring(0);
    victim.run();
    expect(victim.fault).toBe('available index too far');
    victim.expectOthersGoOn();
  });

  it('2.7.6: one head again and again while its chain is in flight', () => {
    const device = new EchoDevice();
    device.delay = 1000;
    const bench = new DeviceBench(device, { size: 4 });
    bench.start();
    const driver = bench.queues[0];
    const address = bench.memory.allocate(16);
    driver.addSegments([{ address, length: 1, write: false }]);
    for (let index = 2; index <= 6; index++) {
      bench.memory.setU16(driver.driver + 2, index);
      bench.endpoint.ring(0);
      bench.run(10);
    }
    expect(bench.count('fault', 'too many chains')).toBe(1);
  });
});

describe('hostile packed rings', () => {
  it('2.8.6: a list that runs through the whole ring', () => {
    const victim = new Victim(true);
    victim.offer(Array.from({ length: SIZE }, () => ({ flags: DESC_NEXT })));
    expect(victim.fault).toBe('loop');
    victim.expectOthersGoOn();
  });

  it('2.8.6: a list that runs into descriptors that are not available', () => {
    const victim = new Victim(true);
    victim.offer([{ flags: DESC_NEXT }, { flags: DESC_NEXT }]);
    expect(victim.fault).toBe('partial chain');
    victim.expectOthersGoOn();
  });

  it('2.8.5: direct and indirect descriptors in one list', () => {
    const victim = new Victim(true);
    victim.offer([{ flags: DESC_NEXT }, { flags: DESC_INDIRECT, length: 16 }]);
    expect(victim.fault).toBe('indirect within a chain');
    victim.expectOthersGoOn();
  });

  it('2.8.7: of the flags in a table WRITE alone counts', () => {
    const victim = new Victim(true);
    victim.offer(
      [{ flags: DESC_INDIRECT | DESC_WRITE, length: 32 }],
      [{ flags: DESC_INDIRECT | DESC_NEXT }, { flags: DESC_WRITE | DESC_NEXT | DESC_INDIRECT }],
    );
    expect(victim.fault).toBeUndefined();
    expect(victim.queues[0].poll()?.written).toBe(16);
  });
});

describe('queues that are described badly', () => {
  it.each([
    ['2.7: a split queue of 3 descriptors', false, 3, 0, 'queue size'],
    ['2.7: a queue of 0 descriptors', false, 0, 0, 'queue size'],
    ['4.1.4.3.2: more descriptors than the device has', false, 512, 0, 'queue size'],
    ['2.7: a table at an odd place', false, 4, 8, 'queue alignment'],
    ['2.8.10.1: a packed ring at an odd place', true, 4, 4, 'queue alignment'],
    ['2.7: a ring outside memory', false, 4, -RAM_BASE, 'queue address'],
    ['2.8: a packed ring that ends outside memory', true, 64, 0x40_0000 - 64, 'queue address'],
  ] as const)('%s', (_name, packed, size, shift, why) => {
    const bench = new DeviceBench(new EchoDevice(), { packed });
    bench.start();
    const queue = bench.endpoint.queues[0];
    bench.endpoint.resetQueue(queue);
    queue.size = size;
    queue.setAddress('descriptors', RAM_BASE + shift, 0);
    queue.setAddress('driver', RAM_BASE + 0x1000, 0);
    queue.setAddress('device', RAM_BASE + 0x2000, 0);
    bench.endpoint.enableQueue(queue);
    bench.endpoint.ring(0);
    bench.run();
    expect(bench.count('fault', why)).toBe(1);
    expect(bench.endpoint.status & S.DEVICE_NEEDS_RESET).not.toBe(0);
    expect(bench.request(1, { out: [Uint8Array.of(7)], in: [1] })).toBeDefined();
  });

  it('2.8: a packed queue may have any size', () => {
    const bench = new DeviceBench(new EchoDevice(), { packed: true, size: 3 });
    bench.start();
    for (let round = 0; round < 20; round++) {
      expect(bench.request(0, { out: [Uint8Array.of(round)], in: [1] })?.bytes).toEqual(Uint8Array.of(round));
    }
  });
});
