import { DMA_FAULT } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { IommuBench } from './testing/index.js';
import * as REG from './registers.js';

const RAM = 0x8000_0000n;

describe('fault queue', () => {
  it('4.2: a record holds who, what and where', () => {
    const bench = new IommuBench();
    bench.request(0x0123, { iova: 0xffff_8000_1234_5678n, write: true, pasid: 0x54321, privileged: true });
    expect(bench.driver.faults()).toEqual([
      {
        cause: 260,
        type: 3,
        device: 0x123,
        process: 0x54321,
        privileged: true,
        iotval: 0xffff_8000_1234_5678n,
        iotval2: 0n,
      },
    ]);
  });

  it('4.2: PV, PRIV and PID are 0 without a process', () => {
    const bench = new IommuBench();
    bench.request(1, { iova: RAM, privileged: true });
    expect(bench.driver.faults()).toMatchObject([{ cause: 258, process: -1, privileged: false, type: 2 }]);
  });

  it('4.2, 6.16: a full queue sets fqof; records are lost until software clears it', () => {
    const bench = new IommuBench({ log2: 2 });
    for (let index = 0; index < 3; index++) bench.request(index, { iova: RAM });
    expect(bench.driver.read(REG.FQCSR)).toBe(REG.QUEUE_ON | 3);
    bench.request(9, { iova: RAM });
    expect(bench.driver.read(REG.FQCSR)).toBe(REG.QUEUE_ON | REG.QUEUE_OVERFLOW | 3);
    expect(bench.driver.faults().map((fault) => fault.device)).toEqual([0, 1, 2]);
    expect(bench.request(10, { iova: RAM }).status).toBe(DMA_FAULT);
    expect(bench.driver.faults()).toEqual([]);
    bench.driver.write(REG.FQCSR, REG.QUEUE_OVERFLOW | 3);
    bench.request(11, { iova: RAM });
    expect(bench.driver.faults().map((fault) => fault.device)).toEqual([11]);
  });

  it('4.2, 6.16: a queue outside memory sets fqmf', () => {
    const bench = new IommuBench({ queues: false });
    bench.driver.write64(REG.FQB, (0xfff_ffff_fff0n << 10n) | 4n);
    bench.driver.write(REG.FQCSR, 3);
    bench.request(1, { iova: RAM });
    expect(bench.driver.read(REG.FQCSR)).toBe(REG.QUEUE_ON | REG.QUEUE_MEMORY_FAULT | 3);
    expect(bench.driver.read(REG.FQT)).toBe(0);
    expect(bench.driver.read(REG.IPSR)).toBe(2);
  });

  it('6.16: nothing is written while the queue is off; enabling clears fqt and the error bits', () => {
    const bench = new IommuBench({ log2: 1 });
    bench.request(1, { iova: RAM });
    bench.request(1, { iova: RAM });
    expect(bench.driver.read(REG.FQCSR) & REG.QUEUE_OVERFLOW).not.toBe(0);
    bench.driver.write(REG.FQCSR, 0);
    bench.request(1, { iova: RAM });
    expect(bench.driver.read(REG.FQT)).toBe(1);
    bench.driver.write(REG.FQCSR, 1);
    expect(bench.driver.read(REG.FQCSR)).toBe(REG.QUEUE_ON | 1);
    expect(bench.driver.read(REG.FQT)).toBe(0);
  });

  it('6.18: fip is set by a record when fie is 1, and by error bits as long as they are there', () => {
    const bench = new IommuBench({ log2: 1 });
    bench.driver.write(REG.ICVEC, 0x10);
    bench.request(1, { iova: RAM });
    expect(bench.lines[1].level).toBe(true);
    bench.driver.write(REG.IPSR, 2);
    expect(bench.lines[1].level).toBe(false);
    bench.request(1, { iova: RAM });
    bench.driver.write(REG.IPSR, 2);
    expect(bench.lines[1].level).toBe(true);
    bench.driver.write(REG.FQCSR, REG.QUEUE_OVERFLOW | 3);
    bench.driver.write(REG.IPSR, 2);
    expect(bench.lines[1].level).toBe(false);
    bench.driver.write(REG.FQCSR, 1);
    bench.driver.faults();
    bench.request(1, { iova: RAM });
    expect(bench.driver.read(REG.IPSR)).toBe(0);
  });
});

describe('interrupts by messages', () => {
  const TARGET = RAM + 0x10_0000n;
  const setUp = (): IommuBench => {
    const bench = new IommuBench();
    bench.driver.write(REG.FCTL, 0);
    bench.driver.write(REG.ICVEC, 0x20);
    bench.driver.write64(REG.MSI_CFG_TBL + 32, TARGET);
    bench.driver.write(REG.MSI_CFG_TBL + 40, 0x1234_5678);
    return bench;
  };

  it('6.26: the message of the vector leaves by an event, once for a transition of ipsr', () => {
    const bench = setUp();
    bench.request(1, { iova: RAM });
    expect(bench.memory.load(TARGET)).toBe(0n);
    bench.driver.run();
    expect(bench.memory.load(TARGET)).toBe(0x1234_5678n);
    bench.memory.store(TARGET, 0n);
    bench.request(1, { iova: RAM });
    bench.driver.run();
    expect(bench.memory.load(TARGET)).toBe(0n);
    bench.driver.write(REG.IPSR, 2);
    bench.request(1, { iova: RAM });
    bench.driver.run();
    expect(bench.memory.load(TARGET)).toBe(0x1234_5678n);
    expect(bench.lines.every((line) => !line.level)).toBe(true);
  });

  it('6.26: a masked vector waits for its unmasking', () => {
    const bench = setUp();
    bench.driver.write(REG.MSI_CFG_TBL + 44, 1);
    bench.request(1, { iova: RAM });
    bench.driver.run();
    expect(bench.memory.load(TARGET)).toBe(0n);
    bench.driver.write(REG.MSI_CFG_TBL + 44, 0);
    bench.driver.run();
    expect(bench.memory.load(TARGET)).toBe(0x1234_5678n);
  });

  it('6.26: a message that nothing takes is a fault of cause 273 with its address', () => {
    const bench = setUp();
    bench.driver.write64(REG.MSI_CFG_TBL + 32, 0x12_3000n);
    bench.request(1, { iova: RAM });
    bench.driver.run();
    expect(bench.driver.faults()[1]).toEqual({
      cause: 273,
      type: 0,
      device: 0,
      process: -1,
      privileged: false,
      iotval: 0x12_3000n,
      iotval2: 0n,
    });
  });
});
