import {
  AT_UNTRANSLATED,
  DMA_OK,
  DmaAnswer,
  DmaPort,
  type AddressType,
  type DmaStatus,
} from '@vmloom/device';
import { FakeHost, FakeLine } from '@vmloom/device/testing';
import { Iommu } from '../iommu.js';
import type { IommuOptions } from '../options.js';
import { IommuDriver } from './driver.js';
import { DeviceDirectory, TableMemory } from './tables.js';

/** RAM of the bench: from here, 8 MiB; tables and queues from its middle. */
export const RAM = 0x8000_0000n;
export const RAM_BYTES = 0x80_0000;

/** A request as a test writes it down. */
export interface BenchRequest {
  readonly iova: bigint;
  readonly length?: number;
  readonly write?: boolean;
  /** -1 unless told. */
  readonly pasid?: number;
  readonly privileged?: boolean;
  readonly type?: AddressType;
}

export type BenchOptions = Partial<Omit<IommuOptions, 'clock' | 'space'>> & {
  readonly levels?: 1 | 2 | 3;
  /** False: queues stay off. */
  readonly queues?: boolean;
  /** Structures of the IOMMU in big-endian order. */
  readonly bigEndian?: boolean;
  /** Log2 of the entries of each queue; 6 unless told. */
  readonly log2?: number;
};

/** An IOMMU with memory, wires, a device directory in force and a driver: no fabric, no processor. */
export class IommuBench {
  readonly host = new FakeHost({ base: Number(RAM), ram: RAM_BYTES });
  readonly lines = [new FakeLine(), new FakeLine(), new FakeLine(), new FakeLine()];
  readonly iommu: Iommu;
  readonly memory: TableMemory;
  readonly driver: IommuDriver;
  readonly directory: DeviceDirectory;

  constructor(options: BenchOptions = {}) {
    const { host, lines } = this;
    this.iommu = new Iommu({ name: 'iommu', clock: host.clock, space: host.space, lines, ...options });
    this.memory = new TableMemory(host.space, RAM + BigInt(RAM_BYTES / 2));
    this.driver = new IommuDriver(this.iommu, this.memory, host.clock, options.log2);
    const bigEndian = options.bigEndian ?? false;
    const extended = options.features?.messages !== 'none';
    this.directory = new DeviceDirectory(this.memory, options.levels ?? 1, { extended, bigEndian });
    this.driver.bigEndian = bigEndian;
    // fctl: wires, byte order.
    this.driver.write(8, 2 | (bigEndian ? 1 : 0));
    if (options.queues !== false) this.driver.enableQueues();
    this.driver.setDirectory(this.directory.pointer);
  }

  /** A port of a function behind the IOMMU. */
  port(requester: number): DmaPort {
    return new DmaPort(this.host.memory, this.iommu.translator, requester);
  }

  /** One request of a function: how it ended, and where it led as addresses of RAM. */
  request(requester: number, request: BenchRequest): { status: DmaStatus; ranges: [bigint, number][] } {
    const answer = new DmaAnswer();
    this.iommu.translator.translate(
      {
        requester,
        pasid: request.pasid ?? -1,
        privileged: request.privileged ?? false,
        write: request.write ?? false,
        addressType: request.type ?? AT_UNTRANSLATED,
        low: Number(request.iova & 0xffff_ffffn),
        high: Number((request.iova >> 32n) & 0xffff_ffffn),
        length: request.length ?? 8,
      },
      answer,
    );
    const ranges: [bigint, number][] = [];
    for (let index = 0; index < answer.count; index++) {
      const at = RAM + BigInt(answer.offsets[index] - this.host.memory.ramOffset);
      ranges.push([at, answer.lengths[index]]);
    }
    return { status: answer.status, ranges };
  }

  /** Where one byte of an IOVA leads; undefined: it faulted. */
  where(requester: number, iova: bigint, request: Partial<BenchRequest> = {}): bigint | undefined {
    const { status, ranges } = this.request(requester, { iova, length: 1, ...request });
    return status === DMA_OK ? ranges[0][0] : undefined;
  }

  /** A count of the ledger. */
  count(event: string, reason = ''): number {
    return this.iommu.ledger.total({ owner: 'iommu', event, reason });
  }
}
