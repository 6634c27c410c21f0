import { DMA_FAULT, DMA_OK } from '@vmloom/device';
import { FakeHost as DeviceHost } from '@vmloom/device/testing';
import { MsixCapability, registers, RootComplex, RootPort } from '@vmloom/pci';
import { FakeFunction, FakeHost } from '@vmloom/pci/testing';
import { describe, expect, it } from 'vitest';
import { PciIommu } from './pci-iommu.js';
import * as REG from './registers.js';
import { commands, DeviceDirectory, IommuDriver, PageTable, TableMemory } from './testing/index.js';
import { gscid, msiBasic } from './testing/tables.js';

const RAM = 0x8000_0000n;
const TARGET = RAM + 0x10_0000n;

/** A fabric with an IOMMU, a card on the root bus and one behind a port; messages are writes to memory. */
function setUp() {
  const host = new DeviceHost({ base: Number(RAM), ram: 0x40_0000 });
  const root = new RootComplex({ space: host.space, clock: host.clock });
  const iommu = root.plug(new PciIommu(), { slot: 1 });
  const card = root.plug(withMessages(), { slot: 2 });
  const port = root.plug(new RootPort(), { slot: 3 });
  const far = port.plug(new FakeFunction({ name: 'far' }));
  const write = (
    fn: FakeFunction | PciIommu | RootPort,
    offset: number,
    width: 1 | 2 | 4,
    value: number,
  ): void => root.configWrite(fn.location!.bus, fn.devfn, offset, width, value);
  write(port, 0x18, 4, 0x0001_0100);
  for (const fn of [iommu, card, port, far]) write(fn, registers.COMMAND, 2, 6);
  const memory = new TableMemory(host.space, RAM + 0x20_0000n);
  const driver = new IommuDriver(iommu.iommu!, memory, host.clock);
  driver.enableQueues();
  const directory = new DeviceDirectory(memory, 2);
  driver.setDirectory(directory.pointer);
  return { host, root, iommu, card, port, far, memory, driver, directory, write };
}

function withMessages(): FakeFunction {
  const card = new FakeFunction({ name: 'card', size: 0x2000 });
  card.addBar(1, { kind: 'memory', size: 0x1000 });
  card.addCapability(new MsixCapability({ vectors: 2, bar: 1 }));
  return card;
}

describe('the IOMMU as a PCI function', () => {
  it('8.1: class 08.06.00, identity of QEMU, registers in BAR 0, MSI-X', () => {
    const host = new FakeHost();
    const iommu = host.install(new PciIommu());
    expect(host.configRead(iommu, 0, 4)).toBe(0x0014_1b36);
    expect(host.configRead(iommu, 8, 4)).toBe(0x0806_0001);
    expect(host.read(iommu, 0, REG.CAPABILITIES + 4)).toBe(0x1f8);
    // IGS: messages alone.
    expect((host.read(iommu, 0, REG.CAPABILITIES) >>> 28) & 3).toBe(0);
    expect(host.findCapability(iommu, 0x11)).not.toBe(0);
    expect(host.findCapability(iommu, 0x10)).not.toBe(0);
  });

  it('3.3: the DMA of every other function goes through it; it reaches memory itself', () => {
    const { card, far, iommu, directory, memory, driver } = setUp();
    const table = new PageTable(memory);
    table.map(0x1000n, TARGET);
    directory.set(card.requester, { fsc: table.pointer });
    directory.set(far.requester, {});
    expect(card.dma.write(0x1008, 0, new Uint8Array([1]))).toBe(DMA_OK);
    expect(memory.load(TARGET + 8n)).toBe(1n);
    expect(far.requester).toBe(0x100);
    expect(far.dma.write(Number(TARGET), 0, new Uint8Array([2]))).toBe(DMA_OK);
    expect(iommu.dma.write(Number(TARGET), 0, new Uint8Array([3]))).toBe(DMA_OK);
    expect(driver.faults()).toEqual([]);
  });

  it('6.26: its interrupts are messages of its MSI-X table, at the place of msi_cfg_tbl', () => {
    const { host, root, iommu, card, memory, write } = setUp();
    const bar = 0x4000_0000;
    write(iommu, registers.BAR0, 4, bar);
    const at = (offset: number): never => (bar + offset) as never;
    host.space.store(at(REG.MSI_CFG_TBL), 4, Number(TARGET));
    host.space.store(at(REG.MSI_CFG_TBL + 8), 4, 0x77);
    host.space.store(at(REG.MSI_CFG_TBL + 12), 4, 0);
    const capability = iommu.capability(MsixCapability)!;
    root.configWrite(0, iommu.devfn, capability.offset + 2, 2, 0x8000);
    card.dma.write(0x5000, 0, new Uint8Array(4));
    host.clock.runUntil(host.clock.now + 1000);
    expect(memory.load(TARGET)).toBe(0x77n);
  });

  it('contract DMA: answers may be kept until a command says otherwise, or the function moves', () => {
    const { card, directory, driver, port, far, write } = setUp();
    directory.set(card.requester, {});
    const { generation } = card.dma;
    card.dma.write(Number(TARGET), 0, new Uint8Array(4));
    expect(card.dma.generation).toBe(generation);
    driver.command(commands.vma());
    expect(card.dma.generation).toBeGreaterThan(generation);
    const before = far.dma.generation;
    write(port, 0x18, 4, 0x0002_0200);
    expect(far.dma.generation).not.toBe(before);
  });

  it('contract Snapshot, and the end: taken out, DMA is direct again', () => {
    const { root, card, iommu, directory } = setUp();
    directory.set(card.requester, {});
    card.dma.write(Number(TARGET), 0, new Uint8Array(4));
    const saved = root.save();
    root.reset();
    expect(iommu.iommu!.read(REG.DDTP, 4)).toBe(0);
    root.restore(saved);
    expect(iommu.iommu!.read(REG.DDTP, 4) & 15).toBe(3);
    expect(card.dma.write(Number(TARGET), 0, new Uint8Array(4))).toBe(DMA_OK);
    directory.clear(card.requester);
    root.rootBus.unplug(iommu);
    expect(card.dma.write(Number(TARGET) + 8, 0, new Uint8Array(4))).toBe(DMA_OK);
  });
});

describe('protection', () => {
  it('a device that writes outside its domain harms nobody: cause 15, and the address', () => {
    const { card, directory, memory, driver } = setUp();
    const table = new PageTable(memory);
    table.map(0x1000n, TARGET);
    directory.set(card.requester, { fsc: table.pointer });
    memory.store(TARGET + 0x1000n, 0x1234n);
    expect(card.dma.write(0x1ffc, 0, new Uint8Array(8).fill(9))).toBe(DMA_FAULT);
    expect(memory.load(TARGET + 0xff8n)).toBe(0n);
    expect(card.dma.write(Number(TARGET) + 0x1000, 0, new Uint8Array(8).fill(9))).toBe(DMA_FAULT);
    expect(memory.load(TARGET + 0x1000n)).toBe(0x1234n);
    expect(driver.faults()).toMatchObject([
      { cause: 15, device: card.requester, iotval: 0x2000n },
      { cause: 15, device: card.requester, iotval: TARGET + 0x1000n },
    ]);
  });

  it('a read that is refused comes back as an unsupported request, in the status register', () => {
    const { root, card, directory, driver } = setUp();
    directory.set(card.requester, { iohgatp: 1n << 60n });
    const target = new Uint8Array(4).fill(7);
    expect(card.dma.read(0x1000, 0, target)).toBe(DMA_FAULT);
    expect([...target]).toEqual([7, 7, 7, 7]);
    expect(
      root.configRead(0, card.devfn, registers.STATUS, 2) & registers.STATUS_RECEIVED_MASTER_ABORT,
    ).not.toBe(0);
    expect(driver.faults()).toMatchObject([{ cause: 259, type: 2 }]);
  });

  it('strict: after unmap, IOTINVAL and IOFENCE the next write is refused', () => {
    const { card, directory, memory, driver } = setUp();
    const table = new PageTable(memory);
    table.map(0x1000n, TARGET);
    directory.set(card.requester, { fsc: table.pointer });
    expect(card.dma.write(0x1000, 0, new Uint8Array(4))).toBe(DMA_OK);
    table.unmap(0x1000n);
    driver.command(
      commands.vma({ address: 0x1000n }),
      commands.fence({ address: TARGET + 0x2000n, data: 1 }),
    );
    expect(memory.load(TARGET + 0x2000n)).toBe(1n);
    expect(card.dma.write(0x1000, 0, new Uint8Array(4))).toBe(DMA_FAULT);
    expect(driver.faults()).toMatchObject([{ cause: 15, iotval: 0x1000n }]);
  });

  it('lazy: the window is from the unmap to the flush, for pages that were in use', () => {
    const { card, directory, memory, driver } = setUp();
    const table = new PageTable(memory);
    const pages = Array.from({ length: 8 }, (_, index) => 0x1000 * (index + 1));
    for (const page of pages) table.map(BigInt(page), TARGET + BigInt(page));
    directory.set(card.requester, { fsc: table.pointer });
    const used = pages.slice(0, 5);
    for (const page of used) card.dma.write(page, 0, new Uint8Array(4));
    for (const page of pages) table.unmap(BigInt(page));
    const open = () => pages.filter((page) => card.dma.write(page, 0, new Uint8Array(4)) === DMA_OK);
    expect(open()).toEqual(used);
    driver.run(5_000_000);
    expect(open()).toEqual(used);
    driver.command(commands.vma(), commands.fence());
    expect(open()).toEqual([]);
  });

  it('a forged requester ID: of a bus that no port claims it is refused there, else it has no context (258)', () => {
    const { far, card, directory, driver } = setUp();
    directory.set(card.requester, {});
    // In the name of the card on the root bus, from behind a port of bus 1.
    far.dma.requester = card.requester;
    expect(far.dma.write(Number(TARGET), 0, new Uint8Array(4))).not.toBe(DMA_OK);
    expect(driver.faults()).toEqual([]);
    far.dma.requester = 0x0123;
    expect(far.dma.write(Number(TARGET), 0, new Uint8Array(4))).toBe(DMA_FAULT);
    expect(driver.faults()).toMatchObject([{ cause: 258, device: 0x123 }]);
  });

  it('a foreign interrupt file: a VM reaches its own alone', () => {
    const { card, directory, memory, driver, host, root, write } = setUp();
    const guest = new PageTable(memory, { guest: true });
    const files = memory.pages();
    const [mine, foreign] = [TARGET + 0x4000n, TARGET + 0x5000n];
    directory.set(card.requester, {
      iohgatp: guest.pointer | gscid(4),
      msiptp: (1n << 60n) | (files >> 12n),
      msiMask: 1n,
      msiPattern: 0x2_8000n,
    });
    memory.store(files, msiBasic(mine)[0]);
    const bar = 0x4010_0000;
    write(card, registers.BAR0 + 4, 4, bar);
    const send = (address: bigint): void => {
      [Number(address), 0, 5, 0].forEach((word, index) =>
        host.space.store((bar + 4 * index) as never, 4, word),
      );
      card.interrupt.send(0);
      host.clock.runUntil(host.clock.now + 1000);
    };
    root.configWrite(0, card.devfn, card.capability(MsixCapability)!.offset + 2, 2, 0x8000);
    send(0x2800_0000n);
    expect(memory.load(mine)).toBe(5n);
    send(foreign);
    send(0x2800_1000n);
    expect(memory.load(foreign)).toBe(0n);
    expect(driver.faults()).toMatchObject([
      { cause: 23, iotval: foreign, iotval2: foreign },
      { cause: 262, iotval: 0x2800_1000n },
    ]);
  });
});
