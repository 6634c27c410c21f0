import type { Clock } from '@vmloom/device';
import * as REG from '../registers.js';
import type { Iommu } from '../iommu.js';
import type { TableMemory } from './tables.js';

/** A record of the fault queue. */
export interface FaultRecord {
  readonly cause: number;
  readonly type: number;
  readonly device: number;
  /** -1: none. */
  readonly process: number;
  readonly privileged: boolean;
  readonly iotval: bigint;
  readonly iotval2: bigint;
}

/** A record of the page-request queue. */
export interface PageRecord {
  readonly device: number;
  /** -1: none. */
  readonly process: number;
  readonly privileged: boolean;
  readonly execute: boolean;
  readonly payload: bigint;
}

const bit = (value: boolean | undefined, at: number): bigint => (value === true ? 1n << BigInt(at) : 0n);

/** Commands as pairs of doublewords (4.1). */
export const commands = {
  vma: (o: { gscid?: number; pscid?: number; address?: bigint; range?: boolean; nonLeaf?: boolean } = {}) =>
    [
      1n |
        bit(o.address !== undefined, 10) |
        (BigInt(o.pscid ?? 0) << 12n) |
        bit(o.pscid !== undefined, 32) |
        bit(o.gscid !== undefined, 33) |
        bit(o.nonLeaf, 34) |
        (BigInt(o.gscid ?? 0) << 44n),
      (((o.address ?? 0n) >> 12n) << 10n) | bit(o.range, 9),
    ] as const,
  gvma: (o: { gscid?: number; address?: bigint } = {}) =>
    [
      1n |
        (1n << 7n) |
        bit(o.address !== undefined, 10) |
        bit(o.gscid !== undefined, 33) |
        (BigInt(o.gscid ?? 0) << 44n),
      ((o.address ?? 0n) >> 12n) << 10n,
    ] as const,
  fence: (o: { address?: bigint; data?: number; wired?: boolean } = {}) =>
    [
      2n | bit(o.address !== undefined, 10) | bit(o.wired, 11) | (BigInt(o.data ?? 0) << 32n),
      (o.address ?? 0n) >> 2n,
    ] as const,
  ddt: (device?: number) => [3n | bit(device !== undefined, 33) | (BigInt(device ?? 0) << 40n), 0n] as const,
  pdt: (device: number, process: number) =>
    [3n | (1n << 7n) | (BigInt(process) << 12n) | (1n << 33n) | (BigInt(device) << 40n), 0n] as const,
  atsInvalidate: (o: {
    requester: number;
    pasid?: number;
    address?: bigint;
    range?: boolean;
    global?: boolean;
  }) =>
    [
      4n | (BigInt(o.pasid ?? 0) << 12n) | bit(o.pasid !== undefined, 32) | (BigInt(o.requester) << 40n),
      ((o.address ?? 0n) & ~0xfffn) | bit(o.range, 11) | bit(o.global, 0),
    ] as const,
  pageResponse: (o: { requester: number; pasid?: number; group: number; code: number }) =>
    [
      4n |
        (1n << 7n) |
        (BigInt(o.pasid ?? 0) << 12n) |
        bit(o.pasid !== undefined, 32) |
        (BigInt(o.requester) << 40n),
      (BigInt(o.requester) << 48n) | (BigInt(o.code) << 44n) | (BigInt(o.group) << 32n),
    ] as const,
};

/** Drives an IOMMU through its registers and queues, as system software does. */
export class IommuDriver {
  bigEndian = false;
  readonly commandQueue: bigint;
  readonly faultQueue: bigint;
  readonly pageQueue: bigint;

  constructor(
    readonly iommu: Iommu,
    readonly memory: TableMemory,
    readonly clock: Clock,
    /** Log2 of the entries of each queue. */
    readonly log2 = 6,
  ) {
    this.commandQueue = memory.pages(16);
    this.faultQueue = memory.pages(16);
    this.pageQueue = memory.pages(16);
  }

  read(offset: number): number {
    return this.iommu.read(offset, 4);
  }

  write(offset: number, value: number): void {
    this.iommu.write(offset, 4, value >>> 0);
  }

  read64(offset: number): bigint {
    return (BigInt(this.read(offset + 4)) << 32n) | BigInt(this.read(offset));
  }

  /** As a processor's 8-byte store arrives: low half first. */
  write64(offset: number, value: bigint): void {
    this.write(offset, Number(value & 0xffff_ffffn));
    this.write(offset + 4, Number((value >> 32n) & 0xffff_ffffn));
  }

  /** Lets events of the next `time` nanoseconds happen. */
  run(time = 1_000_000): void {
    this.clock.runUntil(this.clock.now + time);
  }

  /** Queues on, with their interrupts enabled unless told. */
  enableQueues(interrupts = true): void {
    const size = BigInt(this.log2 - 1);
    const place = (address: bigint): bigint => ((address >> 12n) << 10n) | size;
    this.write64(REG.CQB, place(this.commandQueue));
    this.write64(REG.FQB, place(this.faultQueue));
    this.write64(REG.PQB, place(this.pageQueue));
    const control = REG.QUEUE_ENABLE | (interrupts ? REG.QUEUE_INTERRUPT_ENABLE : 0);
    for (const queue of [REG.CQCSR, REG.FQCSR, REG.PQCSR]) this.write(queue, control);
  }

  setDirectory(pointer: bigint): void {
    this.write64(REG.DDTP, pointer);
  }

  /** Queues commands and lets them run. */
  command(...list: readonly (readonly [bigint, bigint])[]): void {
    let tail = this.read(REG.CQT);
    for (const [first, second] of list) {
      const at = this.commandQueue + BigInt(16 * tail);
      this.memory.store(at, first, this.bigEndian);
      this.memory.store(at + 8n, second, this.bigEndian);
      tail = (tail + 1) % 2 ** this.log2;
    }
    this.write(REG.CQT, tail);
    this.run();
  }

  /** Takes all records of the fault queue. */
  faults(): FaultRecord[] {
    const records: FaultRecord[] = [];
    for (const at of this.#take(REG.FQH, REG.FQT, this.faultQueue, 32)) {
      const [first, , iotval, iotval2] = [0n, 8n, 16n, 24n].map((offset) =>
        this.memory.load(at + offset, this.bigEndian),
      );
      records.push({
        cause: Number(first & 0xfffn),
        type: Number((first >> 34n) & 63n),
        device: Number(first >> 40n),
        process: (first & (1n << 32n)) === 0n ? -1 : Number((first >> 12n) & 0xf_ffffn),
        privileged: (first & (1n << 33n)) !== 0n,
        iotval,
        iotval2,
      });
    }
    return records;
  }

  /** Takes all records of the page-request queue. */
  pageRequests(): PageRecord[] {
    const records: PageRecord[] = [];
    for (const at of this.#take(REG.PQH, REG.PQT, this.pageQueue, 16)) {
      const first = this.memory.load(at, this.bigEndian);
      records.push({
        device: Number(first >> 40n),
        process: (first & (1n << 32n)) === 0n ? -1 : Number((first >> 12n) & 0xf_ffffn),
        privileged: (first & (1n << 33n)) !== 0n,
        execute: (first & (1n << 34n)) !== 0n,
        payload: this.memory.load(at + 8n, this.bigEndian),
      });
    }
    return records;
  }

  /** A request through the debug registers (chapter 5): tr_response. */
  debug(o: {
    device: number;
    iova: bigint;
    process?: number;
    privileged?: boolean;
    execute?: boolean;
    noWrite?: boolean;
  }): bigint {
    this.write64(REG.TR_REQ_IOVA, o.iova);
    const control =
      1n |
      bit(o.privileged, 1) |
      bit(o.execute, 2) |
      bit(o.noWrite, 3) |
      (BigInt(o.process ?? 0) << 12n) |
      bit(o.process !== undefined, 32) |
      (BigInt(o.device) << 40n);
    this.write64(REG.TR_REQ_CTL, control);
    this.run();
    return this.read64(REG.TR_RESPONSE);
  }

  *#take(head: number, tail: number, base: bigint, bytes: number): Generator<bigint> {
    let at = this.read(head);
    for (; at !== this.read(tail); at = (at + 1) % 2 ** this.log2) yield base + BigInt(bytes * at);
    this.write(head, at);
  }
}
