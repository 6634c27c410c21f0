import { describe, expect, it } from 'vitest';
import { commands, IommuBench, PageTable, ProcessDirectory } from './testing/index.js';
import { DATA, gscid, PC, pscid, TC } from './testing/tables.js';
import * as REG from './registers.js';

const RAM = 0x8000_0000n;
const A = RAM + 0x20_0000n;
const B = RAM + 0x21_0000n;

/** Device 1: process 1, 2: process 2 of the host; 3: VM 7, process 1. Each maps 0x1000 and 0x2000 to A. */
function spaces() {
  const bench = new IommuBench();
  const tables = [1, 2, 3].map(() => new PageTable(bench.memory));
  const guest = new PageTable(bench.memory, { guest: true });
  guest.map(0n, 0n, DATA, 2);
  guest.map(0x8000_0000n, RAM, DATA, 2);
  bench.directory.set(1, { fsc: tables[0].pointer, ta: pscid(1) });
  bench.directory.set(2, { fsc: tables[1].pointer, ta: pscid(2) });
  bench.directory.set(3, { fsc: tables[2].pointer, ta: pscid(1), iohgatp: guest.pointer | gscid(7) });
  const move = (to: bigint): void => {
    for (const table of tables) for (const iova of [0x1000n, 0x2000n]) table.map(iova, to);
  };
  const fill = (): void => {
    move(A);
    bench.driver.command(commands.vma(), commands.vma({ gscid: 7 }));
    for (const device of [1, 2, 3]) for (const iova of [0x1000n, 0x2000n]) bench.where(device, iova);
    move(B);
  };
  /** Which translations are new, as `device:page`. */
  const renewed = (): string[] =>
    [1, 2, 3].flatMap((device) =>
      [1, 2]
        .filter((page) => bench.where(device, BigInt(page) << 12n) === B)
        .map((page) => `${device}:${page}`),
    );
  return { bench, tables, guest, fill, renewed };
}

describe('IOTINVAL', () => {
  it('3.8: without a command translations stay as they were', () => {
    const { fill, renewed } = spaces();
    fill();
    expect(renewed()).toEqual([]);
  });

  it.each([
    ['GV 0, AV 0, PSCV 0', {}, ['1:1', '1:2', '2:1', '2:2']],
    ['GV 0, AV 0, PSCV 1', { pscid: 1 }, ['1:1', '1:2']],
    ['GV 0, AV 1, PSCV 0', { address: 0x1000n }, ['1:1', '2:1']],
    ['GV 0, AV 1, PSCV 1', { address: 0x2000n, pscid: 2 }, ['2:2']],
    ['GV 1, AV 0, PSCV 0', { gscid: 7 }, ['3:1', '3:2']],
    ['GV 1, AV 0, PSCV 1', { gscid: 7, pscid: 1 }, ['3:1', '3:2']],
    ['GV 1, AV 1, PSCV 0', { gscid: 7, address: 0x1000n }, ['3:1']],
    ['GV 1, AV 1, PSCV 1', { gscid: 7, address: 0x2000n, pscid: 1 }, ['3:2']],
    ['another VM', { gscid: 8 }, []],
    ['another process of the VM', { gscid: 7, pscid: 2 }, []],
  ] as const)('4.1.1: VMA with %s', (_name, operands, expected) => {
    const { bench, fill, renewed } = spaces();
    fill();
    bench.driver.command(commands.vma(operands));
    expect(renewed()).toEqual(expected);
  });

  it('4.1.1: VMA with an address takes all of a superpage of the first stage', () => {
    const { bench, tables, guest } = spaces();
    tables[2].map(0x40_0000n, 0x8020_0000n, DATA, 1);
    expect(bench.where(3, 0x40_5000n)).toBe(RAM + 0x20_5000n);
    guest.unmap(0x8000_0000n, 2);
    guest.map(0x8020_5000n, B);
    tables[2].map(0x40_0000n, 0x8020_0000n, DATA, 1);
    bench.driver.command(commands.gvma({ gscid: 7 }));
    for (let page = 0x8000_0000n; page < 0x8080_0000n; page += 0x1000n) {
      if (page !== 0x8020_5000n) guest.map(page, page);
    }
    expect(bench.where(3, 0x40_5000n)).toBe(B);
    tables[2].map(0x40_0000n, 0x8040_0000n, DATA, 1);
    bench.driver.command(commands.vma({ gscid: 7, address: 0x40_0000n }));
    expect(bench.where(3, 0x40_5000n)).toBe(RAM + 0x40_5000n);
  });

  it.each([
    ['GV 0', {}],
    ['GV 1, AV 0', { gscid: 7 }],
    ['GV 1, AV 1', { gscid: 7, address: A }],
  ])('4.1.1: GVMA with %s takes the VM, and leaves the host', (_name, operands) => {
    const { bench, fill, renewed } = spaces();
    fill();
    bench.driver.command(commands.gvma(operands));
    expect(renewed()).toEqual(['3:1', '3:2']);
  });

  it('4.1.1: GVMA of another VM takes nothing', () => {
    const { bench, fill, renewed } = spaces();
    fill();
    bench.driver.command(commands.gvma({ gscid: 6 }));
    expect(renewed()).toEqual([]);
  });

  it('7.3: with S the address is a range; 7.2: NL is known', () => {
    const bench = new IommuBench({ features: { rangeInvalidation: true } });
    const table = new PageTable(bench.memory);
    bench.directory.set(1, { fsc: table.pointer });
    const pages = [0n, 1n, 2n, 3n, 4n].map((page) => 0x10_0000n + (page << 12n));
    for (const page of pages) table.map(page, A);
    pages.forEach((page) => bench.where(1, page));
    for (const page of pages) table.map(page, B);
    // 16 KiB around 0x10_0000: bits 12 and 13 say so.
    bench.driver.command(commands.vma({ address: 0x10_1000n, range: true, nonLeaf: true }));
    expect(pages.map((page) => bench.where(1, page) === B)).toEqual([true, true, true, true, false]);
  });
});

describe('IODIR', () => {
  it('4.1.3: INVAL_DDT takes one device, or all', () => {
    const bench = new IommuBench();
    const table = new PageTable(bench.memory);
    for (const device of [1, 2]) bench.directory.set(device, {});
    for (const device of [1, 2]) bench.where(device, RAM);
    for (const device of [1, 2]) bench.directory.set(device, { fsc: table.pointer });
    expect([1, 2].map((device) => bench.where(device, RAM))).toEqual([RAM, RAM]);
    bench.driver.command(commands.ddt(1));
    expect([1, 2].map((device) => bench.where(device, RAM))).toEqual([undefined, RAM]);
    bench.driver.command(commands.ddt());
    expect(bench.where(2, RAM)).toBeUndefined();
  });

  it('4.1.3: INVAL_PDT takes one process; INVAL_DDT of the device all of its processes', () => {
    const bench = new IommuBench();
    const processes = new ProcessDirectory(bench.memory);
    const [one, two] = [new PageTable(bench.memory), new PageTable(bench.memory)];
    one.map(0x1000n, A);
    two.map(0x1000n, B);
    bench.directory.set(1, { tc: TC.V | TC.PDTV, fsc: processes.pointer });
    const set = (table: PageTable, id: number): void => {
      for (const pid of [5, 6]) processes.set(pid, { ta: PC.V | pscid(id + pid), fsc: table.pointer });
    };
    const where = () => [5, 6].map((pasid) => bench.where(1, 0x1000n, { pasid }));
    set(one, 10);
    expect(where()).toEqual([A, A]);
    set(two, 20);
    expect(where()).toEqual([A, A]);
    bench.driver.command(commands.pdt(1, 6));
    expect(where()).toEqual([A, B]);
    bench.driver.command(commands.ddt(1));
    expect(where()).toEqual([B, B]);
  });

  it('3.8: what is not valid is not kept', () => {
    const bench = new IommuBench();
    const table = new PageTable(bench.memory);
    expect(bench.where(1, RAM)).toBeUndefined();
    bench.directory.set(1, { fsc: table.pointer });
    expect(bench.where(1, 0x1000n)).toBeUndefined();
    table.map(0x1000n, A);
    expect(bench.where(1, 0x1000n)).toBe(A);
  });
});

describe('IOFENCE', () => {
  it('4.1.2: AV writes a word when the commands before are done', () => {
    const bench = new IommuBench();
    bench.driver.command(commands.ddt(), commands.fence({ address: A + 4n, data: 0xcafe_1234 }));
    expect(bench.memory.load(A)).toBe(0xcafe_1234_0000_0000n);
    expect(bench.driver.read(REG.CQH)).toBe(2);
    expect(bench.count('command', 'IOFENCE')).toBe(1);
  });

  it('4.1.2: WSI sets fence_w_ip and raises the wire of civ', () => {
    const bench = new IommuBench();
    bench.driver.write(REG.ICVEC, 0x0003);
    bench.driver.command(commands.fence({ wired: true }));
    expect(bench.driver.read(REG.CQCSR) & REG.FENCE_PENDING).not.toBe(0);
    expect(bench.lines.map((line) => line.level)).toEqual([false, false, false, true]);
    bench.driver.write(REG.IPSR, 1);
    // 6.18: the condition persists, so the bit comes back.
    expect(bench.driver.read(REG.IPSR)).toBe(1);
    bench.driver.write(REG.CQCSR, REG.FENCE_PENDING | 3);
    bench.driver.write(REG.IPSR, 1);
    expect(bench.lines[3].level).toBe(false);
  });

  it('4.1.2: WSI is reserved while interrupts are messages', () => {
    const bench = new IommuBench();
    bench.driver.write(REG.FCTL, 0);
    bench.driver.command(commands.fence({ wired: true }));
    expect(bench.driver.read(REG.CQCSR) & REG.COMMAND_ILLEGAL).not.toBe(0);
  });

  it('4.1.2: a write that memory refuses sets cqmf, and cqh stays; cleared, it runs again', () => {
    const bench = new IommuBench();
    bench.driver.command(commands.ddt(), commands.fence({ address: 0x1000n, data: 1 }));
    expect(bench.driver.read(REG.CQCSR) & REG.QUEUE_MEMORY_FAULT).not.toBe(0);
    expect(bench.driver.read(REG.CQH)).toBe(1);
    bench.memory.store(bench.driver.commandQueue + 24n, A >> 2n);
    bench.driver.write(REG.CQCSR, REG.QUEUE_MEMORY_FAULT | 3);
    bench.driver.run();
    expect(bench.driver.read(REG.CQH)).toBe(2);
    expect(bench.memory.load(A)).toBe(1n);
  });
});

describe('illegal commands', () => {
  const DV = 1n << 33n;
  it.each([
    ['opcode 0', 0n, 0n],
    ['opcode 5', 5n, 0n],
    ['opcode 64 (custom)', 64n, 0n],
    ['IOTINVAL function 2', 1n | (2n << 7n), 0n],
    ['IOTINVAL reserved bit 11', 1n | (1n << 11n), 0n],
    ['IOTINVAL reserved bit 35', 1n | (1n << 35n), 0n],
    ['IOTINVAL reserved bit 60', 1n | (1n << 60n), 0n],
    ['IOTINVAL reserved bit 64', 1n, 1n],
    ['IOTINVAL reserved bit 127', 1n, 1n << 63n],
    ['IOTINVAL NL without the extension', 1n | (1n << 34n), 0n],
    ['IOTINVAL S without the extension', 1n, 1n << 9n],
    ['IOTINVAL.GVMA with PSCV', 1n | (1n << 7n) | (1n << 32n), 0n],
    ['IOFENCE function 1', 2n | (1n << 7n), 0n],
    ['IOFENCE reserved bit 14', 2n | (1n << 14n), 0n],
    ['IOFENCE reserved bit 127', 2n, 1n << 63n],
    ['IODIR function 2', 3n | (2n << 7n), 0n],
    ['IODIR reserved bit 10', 3n | (1n << 10n), 0n],
    ['IODIR reserved bit 32', 3n | (1n << 32n), 0n],
    ['IODIR reserved second doubleword', 3n, 1n],
    ['INVAL_DDT with PID', 3n | (1n << 12n), 0n],
    ['INVAL_DDT with a wide DID', 3n | DV | (64n << 40n), 0n],
    ['INVAL_PDT without DV', 3n | (1n << 7n), 0n],
    ['INVAL_PDT with a wide DID', 3n | (1n << 7n) | DV | (64n << 40n), 0n],
    ['ATS function 2', 4n | (2n << 7n), 0n],
    ['ATS reserved bit 11', 4n | (1n << 11n), 0n],
    ['ATS reserved bit 34', 4n | (1n << 34n), 0n],
  ])('4.1: %s stops the queue at it', (_name, firstWord, secondWord) => {
    const bench = new IommuBench();
    bench.driver.command(commands.ddt(), [firstWord, secondWord], commands.fence({ address: A, data: 7 }));
    expect(bench.driver.read(REG.CQCSR)).toBe(REG.QUEUE_ON | REG.COMMAND_ILLEGAL | 3);
    expect(bench.driver.read(REG.CQH)).toBe(1);
    expect(bench.driver.read(REG.IPSR)).toBe(1);
    expect(bench.lines[0].level).toBe(true);
    expect(bench.memory.load(A)).toBe(0n);
  });

  it('4.1.4: ATS commands are illegal without the capability; 4.1.3: a wide PID', () => {
    const bench = new IommuBench({ features: { ats: false, processes: 'pd8' } });
    bench.driver.command(commands.atsInvalidate({ requester: 1 }));
    expect(bench.driver.read(REG.CQCSR) & REG.COMMAND_ILLEGAL).not.toBe(0);
    bench.memory.store(bench.driver.commandQueue, commands.pdt(1, 0x100)[0]);
    bench.driver.write(REG.CQCSR, REG.COMMAND_ILLEGAL | 3);
    bench.driver.run();
    expect(bench.driver.read(REG.CQH)).toBe(0);
    bench.memory.store(bench.driver.commandQueue, commands.pdt(1, 0xff)[0]);
    bench.driver.write(REG.CQCSR, REG.COMMAND_ILLEGAL | 3);
    bench.driver.run();
    expect(bench.driver.read(REG.CQH)).toBe(1);
  });
});

describe('the queue itself', () => {
  it('4.1: indices wrap', () => {
    const bench = new IommuBench({ log2: 1 });
    for (let round = 0; round < 5; round++) bench.driver.command(commands.fence({ address: A, data: round }));
    expect(bench.memory.load(A)).toBe(4n);
    expect(bench.driver.read(REG.CQH)).toBe(1);
  });

  it('6.15: a queue outside memory sets cqmf', () => {
    const bench = new IommuBench({ queues: false });
    bench.driver.write64(REG.CQB, (0x1234n << 10n) | 4n);
    bench.driver.write(REG.CQCSR, 3);
    bench.driver.write(REG.CQT, 1);
    bench.driver.run();
    expect(bench.driver.read(REG.CQCSR)).toBe(REG.QUEUE_ON | REG.QUEUE_MEMORY_FAULT | 3);
    expect(bench.lines[0].level).toBe(true);
  });

  it('6.15: enabling clears cqh and the error bits; off means off', () => {
    const bench = new IommuBench();
    bench.driver.command([0n, 0n]);
    bench.driver.write(REG.CQCSR, 0);
    expect(bench.driver.read(REG.CQCSR)).toBe(REG.COMMAND_ILLEGAL);
    bench.driver.write(REG.CQT, 2);
    bench.driver.run();
    bench.driver.write(REG.CQT, 0);
    bench.driver.write(REG.CQCSR, 1);
    expect(bench.driver.read(REG.CQCSR)).toBe(REG.QUEUE_ON | 1);
    expect(bench.driver.read(REG.CQH)).toBe(0);
  });

  it('6.6: while the queue is on its base stays; a smaller queue cuts the tail', () => {
    const bench = new IommuBench();
    const base = bench.driver.read64(REG.CQB);
    bench.driver.write64(REG.CQB, 0n);
    expect(bench.driver.read64(REG.CQB)).toBe(base);
    bench.driver.write(REG.CQCSR, 0);
    bench.driver.write(REG.CQT, 37);
    bench.driver.write64(REG.CQB, base & ~31n);
    expect(bench.driver.read(REG.CQT)).toBe(1);
  });
});
