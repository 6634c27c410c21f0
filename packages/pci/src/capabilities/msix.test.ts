import { DMA_OK } from '@vmloom/device';
import { ACCESS_FAULT } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { PciFunction } from '../function.js';
import { FakeHost, FakeRegisters, RAM_BASE } from '../testing/index.js';
import { MsixCapability } from './msix.js';

const VECTORS = 70;
const PENDING = 0x1000;
const ENABLE = 0x8000;
const FUNCTION_MASK = 0x4000;

class Many extends PciFunction {
  readonly msix: MsixCapability;

  constructor() {
    super({ vendor: 0x1b36, device: 6, classCode: 0xff_00_00, model: 'many' });
    const handler = new FakeRegisters(0x800);
    this.addBar(0, {
      kind: 'memory',
      size: 0x4000,
      regions: [{ name: 'registers', handler, offset: 0x2000, size: 0x800 }],
    });
    this.msix = this.addCapability(new MsixCapability({ vectors: VECTORS, bar: 0, pendingOffset: PENDING }));
  }
}

class Driver {
  readonly host: FakeHost;
  readonly fn: Many;

  constructor(options: ConstructorParameters<typeof FakeHost>[0] = {}) {
    this.host = new FakeHost(options);
    this.fn = this.host.install(new Many());
  }

  control(value: number): void {
    this.host.configWrite(this.fn, this.fn.msix.offset + 2, 2, value);
  }

  entry(vector: number, address: number, data: number, masked = false): void {
    const at = vector * 16;
    this.host.write(this.fn, 0, at, address >>> 0);
    this.host.write(this.fn, 0, at + 4, Math.floor(address / 2 ** 32));
    this.host.write(this.fn, 0, at + 8, data);
    this.mask(vector, masked);
  }

  mask(vector: number, masked: boolean): void {
    this.host.write(this.fn, 0, vector * 16 + 12, masked ? 1 : 0);
  }

  pending(word: number): number {
    return this.host.read(this.fn, 0, PENDING + word * 4);
  }

  get data(): number[] {
    return this.host.messages.map(({ data }) => data);
  }
}

describe('MSI-X', () => {
  it('PCIe 7.7.2.2 to 7.7.2.4: control tells the table size less 1, table and PBA their BAR and offset', () => {
    const { host, fn } = new Driver();
    const at = fn.msix.offset;
    host.configWrite(fn, at + 2, 2, 0xffff);
    expect(host.configRead(fn, at + 2, 2)).toBe(0xc000 | (VECTORS - 1));
    expect(host.configRead(fn, at + 4, 4)).toBe(0);
    expect(host.configRead(fn, at + 8, 4)).toBe(PENDING);
  });

  it('PCIe 7.7.2.8: after reset every vector is masked', () => {
    const driver = new Driver();
    for (const vector of [0, 1, VECTORS - 1])
      expect(driver.host.read(driver.fn, 0, vector * 16 + 12)).toBe(1);
    driver.entry(3, 0x1000, 7);
    driver.fn.reset('function');
    driver.host.enumerate();
    driver.host.enable(driver.fn);
    expect(driver.host.read(driver.fn, 0, 3 * 16 + 12)).toBe(1);
    expect(driver.host.read(driver.fn, 0, 3 * 16)).toBe(0);
  });

  it('PCIe 7.7.2.5 and 7.7.2.8: the low address bits and reserved control bits are 0', () => {
    const { host, fn } = new Driver();
    for (const word of [0, 4, 8, 12]) host.write(fn, 0, 16 + word, 0xffff_ffff);
    expect([0, 4, 8, 12].map((word) => host.read(fn, 0, 16 + word))).toEqual([
      0xffff_fffc, 0xffff_ffff, 0xffff_ffff, 1,
    ]);
  });

  it('PCIe 6.1.4.2: the table takes accesses of 4 and 8 bytes, no others', () => {
    const { host, fn } = new Driver();
    expect(host.read(fn, 0, 0, 2)).toBe(ACCESS_FAULT);
    expect(host.write(fn, 0, 0, 1, 1)).toBe(false);
    expect(host.read(fn, 0, 0, 4)).toBe(0);
  });

  it('PCIe 6.1.4: each vector sends its own address and data, in the order of signalling', () => {
    const driver = new Driver();
    driver.entry(0, 0x2_0000_1000, 0x11);
    driver.entry(69, 0x2000, 0x22);
    driver.control(ENABLE);
    expect(driver.fn.interrupt.mode).toBe('msix');
    driver.fn.interrupt.send(69);
    driver.fn.interrupt.send(0);
    driver.host.run();
    expect(driver.host.messages).toEqual([
      { requester: 0x0008, address: 0x2000, data: 0x22, at: 0 },
      { requester: 0x0008, address: 0x2_0000_1000, data: 0x11, at: 0 },
    ]);
  });

  it('PCIe 6.1.4.5: a masked vector is pending until its unmask, then sent once', () => {
    const driver = new Driver();
    driver.entry(40, 0x1000, 5, true);
    driver.control(ENABLE);
    driver.fn.interrupt.send(40);
    driver.fn.interrupt.send(40);
    driver.host.run();
    expect([driver.data, driver.pending(1)]).toEqual([[], 1 << 8]);
    driver.mask(40, false);
    expect(driver.pending(1)).toBe(0);
    driver.mask(40, false);
    driver.host.run();
    expect(driver.data).toEqual([5]);
  });

  it('PCIe 7.7.2.2: the function mask holds all vectors back, whatever their own mask says', () => {
    const driver = new Driver();
    driver.entry(1, 0x1000, 1);
    driver.entry(2, 0x1000, 2, true);
    driver.control(ENABLE | FUNCTION_MASK);
    driver.fn.interrupt.send(2);
    driver.fn.interrupt.send(1);
    driver.host.run();
    expect([driver.data, driver.pending(0)]).toEqual([[], 6]);
    driver.control(ENABLE);
    driver.host.run();
    expect([driver.data, driver.pending(0)]).toEqual([[1], 4]);
  });

  it('the pending bits are read-only, and dwords beyond the last vector read 0', () => {
    const driver = new Driver();
    driver.host.write(driver.fn, 0, PENDING, 0xffff_ffff);
    expect([0, 1, 2, 3].map((word) => driver.pending(word))).toEqual([0, 0, 0, 0]);
  });

  it('an address changed while the vector is masked is the one that is used (6.1.4.5)', () => {
    const driver = new Driver();
    driver.entry(0, 0x1000, 1, true);
    driver.control(ENABLE);
    driver.fn.interrupt.send(0);
    driver.entry(0, 0x3000, 9);
    driver.host.run();
    expect(driver.host.messages).toMatchObject([{ address: 0x3000, data: 9 }]);
  });

  it('without a message sink a message is a DMA write through the translator, with the requester ID', () => {
    const seen: number[] = [];
    const driver = new Driver({ messages: undefined });
    const { host, fn } = driver;
    const inner = host.root.translator;
    host.root.translator = {
      space: inner.space,
      translate: (request, answer) => {
        seen.push(request.requester);
        inner.translate(request, answer);
      },
    };
    const page = new FakeRegisters(0x1000);
    host.space.mapMmio({ name: 'imsic', base: 0x2800_0000, size: 0x1000, handler: page });
    driver.entry(0, 0x2800_0000, 33);
    driver.entry(1, RAM_BASE + 8, 44);
    driver.entry(2, 0x9_0000_0000, 55);
    driver.control(ENABLE);
    for (const vector of [0, 1, 2]) fn.interrupt.send(vector);
    host.run();
    expect(page.accesses).toEqual([{ kind: 'write', offset: 0, width: 4, value: 33 }]);
    expect(host.load(RAM_BASE + 8)).toBe(44);
    expect(seen).toEqual([8, 8, 8]);
    expect(host.ledger.total({ owner: fn.name, event: 'message-dropped' })).toBe(1);
    expect(fn.dma.read(RAM_BASE, 0, new Uint8Array(4))).toBe(DMA_OK);
  });

  it('signalling a vector that the table lacks is an error of the model', () => {
    const driver = new Driver();
    driver.control(ENABLE);
    expect(() => driver.fn.interrupt.send(VECTORS)).toThrow(/MSI-X has 70/);
  });

  it('a table that cannot be is refused', () => {
    expect(() => new MsixCapability({ vectors: 2049, bar: 0 })).toThrow(/1 to 2048/);
    expect(() => new MsixCapability({ vectors: 1, bar: 0, tableOffset: 4 })).toThrow(/multiples of 8/);
    const fn = new Many();
    expect(() => fn.addCapability(new MsixCapability({ vectors: 1, bar: 3 }))).toThrow(/no BAR 3/);
  });
});
