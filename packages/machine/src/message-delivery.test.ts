import { MsiCapability, MsixCapability, PciFunction } from '@vmloom/pci';
import { FakeHost } from '@vmloom/pci/testing';
import { Imsic } from '@vmloom/platform';
import { FakeSignal, ImsicDriver } from '@vmloom/platform/testing';
import { describe, expect, it } from 'vitest';

const VECTORS = 16;
const HARTS = 4;
const IMSICS = 0x2800_0000;
const FIRST = 32;
const STEPS = 3000;
const ENABLE_MSIX = 0x8000;
const FUNCTION_MASK = 0x4000;

function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

class Device extends PciFunction {
  readonly msix: MsixCapability | undefined;
  readonly msi: MsiCapability | undefined;

  constructor(kind: 'msi' | 'msix') {
    super({ vendor: 0x1b36, device: 6, classCode: 0xff_00_00, model: 'device' });
    this.addBar(0, { kind: 'memory', size: 0x4000, regions: [] });
    if (kind === 'msix') this.msix = this.addCapability(new MsixCapability({ vectors: VECTORS, bar: 0 }));
    else this.msi = this.addCapability(new MsiCapability({ vectors: VECTORS }));
  }
}

/** A function whose messages are writes to the pages of four IMSICs, and what a driver and the harts do. */
class Bench {
  // Nobody takes messages before they become writes to memory.
  readonly host = new FakeHost({ messages: undefined });
  readonly device: Device;
  readonly files: ImsicDriver[] = [];
  readonly signals: FakeSignal[] = [];
  /** Vectors signalled whose message has not arrived. */
  readonly due = new Set<number>();
  readonly masked = new Set<number>();
  /** By vector: the hart to which its message goes. */
  readonly harts = Array<number>(VECTORS).fill(0);
  /** Arrived at a hart, and not claimed. */
  readonly arrived = new Set<string>();
  readonly faults: string[] = [];
  allMasked = false;
  claims = 0;

  constructor(kind: 'msi' | 'msix') {
    for (let hart = 0; hart < HARTS; hart++) {
      const signal = new FakeSignal();
      const imsic = new Imsic({ machine: new FakeSignal(), supervisor: signal });
      const file = new ImsicDriver(imsic, 1);
      file.delivery = 1;
      for (let vector = 0; vector < VECTORS; vector++) file.enable(FIRST + vector);
      this.files.push(file);
      this.signals.push(signal);
      this.host.space.mapMmio({
        name: `imsic${hart}`,
        base: IMSICS + hart * 4096,
        size: 4096,
        widths: Imsic.WIDTHS,
        handler: {
          read: () => 0,
          write: (offset, width, value) => {
            this.#arrive(hart, value - FIRST);
            imsic.supervisorPages.write(offset, width, value);
          },
        },
      });
    }
    this.device = this.host.install(new Device(kind));
    for (let vector = 0; vector < VECTORS; vector++) this.move(vector, 0);
    this.maskAll(false);
    const { msi, msix } = this.device;
    if (msi !== undefined) {
      this.#config(msi.offset + 4, 4, IMSICS);
      this.#config(msi.offset + 12, 2, FIRST);
      this.#config(msi.offset + 2, 2, 1 | (Math.log2(VECTORS) << 4));
    } else for (let vector = 0; vector < VECTORS; vector++) this.mask(vector, false);
    expect(this.device.interrupt.mode).toBe(kind);
    expect(msix === undefined).toBe(kind === 'msi');
  }

  signal(vector: number): void {
    this.due.add(vector);
    if (!this.device.interrupt.send(vector)) this.faults.push(`vector ${vector} was not taken`);
  }

  mask(vector: number, masked: boolean): void {
    if (masked) this.masked.add(vector);
    else this.masked.delete(vector);
    const { msi } = this.device;
    if (msi === undefined) {
      this.host.write(this.device, 0, vector * 16 + 12, masked ? 1 : 0);
      return;
    }
    const bits = [...this.masked].reduce((sum, one) => sum | (1 << one), 0);
    this.#config(msi.offset + 16, 4, bits);
  }

  /** The function mask of MSI-X; MSI has none, so all its bits at once. */
  maskAll(masked: boolean): void {
    const { msi, msix } = this.device;
    if (msi !== undefined) {
      for (let vector = 0; vector < VECTORS; vector++) this.mask(vector, masked);
      return;
    }
    this.allMasked = masked;
    this.#config(msix!.offset + 2, 2, ENABLE_MSIX | (masked ? FUNCTION_MASK : 0));
  }

  /** To another hart, as Linux does it: the entry is masked while it changes (PCIe 6.1.4.5). */
  move(vector: number, hart: number): void {
    if (this.device.msix === undefined) return;
    const wasMasked = this.masked.has(vector);
    this.mask(vector, true);
    const entry = vector * 16;
    this.host.write(this.device, 0, entry, IMSICS + hart * 4096);
    this.host.write(this.device, 0, entry + 4, 0);
    this.host.write(this.device, 0, entry + 8, FIRST + vector);
    this.harts[vector] = hart;
    if (!wasMasked) this.mask(vector, false);
  }

  /** A hart serves what its file shows. */
  claim(hart: number): void {
    const identity = this.files[hart].claim();
    if (identity === 0) return;
    if (!this.arrived.delete(`${identity - FIRST} at ${hart}`))
      this.faults.push(`claim of ${identity}, which had not arrived`);
    this.claims++;
  }

  #arrive(hart: number, vector: number): void {
    if (!this.due.delete(vector)) this.faults.push(`vector ${vector} arrived twice`);
    if (this.masked.has(vector) || this.allMasked)
      this.faults.push(`vector ${vector} arrived while it was masked`);
    if (this.harts[vector] !== hart) this.faults.push(`vector ${vector} arrived at hart ${hart}`);
    this.arrived.add(`${vector} at ${hart}`);
  }

  #config(offset: number, width: 2 | 4, value: number): void {
    this.host.configWrite(this.device, offset, width, value);
  }
}

describe('messages of a PCI function and the interrupt files that they are written to', () => {
  it.each([
    ['msix', 1],
    ['msix', 2],
    ['msi', 3],
    ['msi', 4],
  ] as const)(
    'PCIe 6.1.4.3 to 6.1.4.5, AIA 3.5: under random masks nothing is lost and nothing comes twice: %s, seed %i',
    (kind, seed) => {
      const bench = new Bench(kind);
      const random = generator(seed);
      let signalled = 0;
      for (let step = 0; step < STEPS; step++) {
        const vector = random(VECTORS);
        const action = random(12);
        if (action < 4) {
          bench.signal(vector);
          signalled++;
        } else if (action < 6) bench.mask(vector, random(2) === 0);
        else if (action === 6) bench.maskAll(random(3) === 0);
        else if (action === 7) bench.move(vector, random(HARTS));
        else if (action < 10) bench.host.run(random(3));
        else bench.claim(random(HARTS));
        expect(bench.faults, `step ${step}`).toEqual([]);
      }
      bench.maskAll(false);
      for (let vector = 0; vector < VECTORS; vector++) bench.mask(vector, false);
      bench.host.run(1000);
      expect([...bench.due]).toEqual([]);
      for (let hart = 0; hart < HARTS; hart++) while (bench.signals[hart].level) bench.claim(hart);
      expect([...bench.arrived]).toEqual([]);
      expect(bench.faults).toEqual([]);
      expect(bench.claims).toBeGreaterThan(signalled / 10);
    },
  );

  it('PCIe 6.1.4.2: without the bus master enable a message is not sent, and nobody waits for it', () => {
    const bench = new Bench('msix');
    bench.host.configWrite(bench.device, 4, 2, 2);
    bench.device.interrupt.send(3);
    bench.host.run(1000);
    expect(bench.files[0].isPending(FIRST + 3)).toBe(false);
    expect(bench.host.ledger.total({ event: 'message-dropped' })).toBe(1);
  });

  it('AIA 3.5: a message to another offset of the page, or of another identity, changes nothing', () => {
    const bench = new Bench('msix');
    bench.host.write(bench.device, 0, 0, IMSICS + 8);
    bench.host.write(bench.device, 0, 16 + 8, 0x1_0000 + FIRST);
    bench.due.add(0).add(0x1_0000);
    bench.device.interrupt.send(0);
    bench.device.interrupt.send(1);
    bench.host.run(1000);
    expect([0x80, 0x82, 0x84, 0x86].map((register) => bench.files[0].read(register))).toEqual([
      0n,
      0n,
      0n,
      0n,
    ]);
  });
});
