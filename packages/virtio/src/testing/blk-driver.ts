import type { UsedBuffer } from './mock-queue.js';
import type { DeviceBench } from './device-bench.js';

/** How a block request ended; `status` is -1 when it did not come back. */
export interface BlockAnswer {
  readonly status: number;
  readonly data: Uint8Array;
}

const le = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff);

/** struct virtio_blk_req up to its data (5.2.6). */
export const blockHeader = (type: number, sector = 0): Uint8Array =>
  Uint8Array.from([...le(type, 4), 0, 0, 0, 0, ...le(sector, 8)]);

/** struct virtio_blk_discard_write_zeroes (5.2.6). */
export const blockSegment = (sector: number, sectors: number, flags = 0): Uint8Array =>
  Uint8Array.from([...le(sector, 8), ...le(sectors, 4), ...le(flags, 4)]);

/** A driver of block devices on a {@link DeviceBench}: one request at a time, through memory and doorbells alone. */
export class BlkDriver {
  /** Called while a request is on its way: gives a store outside its turn. */
  constructor(
    readonly bench: DeviceBench,
    readonly turn: () => Promise<void> = () => Promise.resolve(),
  ) {}

  /** Sends a request; `room` bytes of data come back, the status behind them. */
  async request(
    header: Uint8Array,
    data: readonly Uint8Array[] = [],
    room = 0,
    queue = 0,
  ): Promise<BlockAnswer> {
    const { mark } = this.bench.memory;
    this.bench.submit(queue, { out: [header, ...data], in: room === 0 ? [1] : [room, 1] });
    let used: UsedBuffer | undefined;
    for (let turns = 0; used === undefined && turns < 1000; turns++) {
      this.bench.run();
      used = this.bench.queues[queue].poll();
      if (used === undefined) await this.turn();
    }
    this.bench.memory.mark = mark;
    if (used === undefined) return { status: -1, data: new Uint8Array(0) };
    return { status: used.bytes.at(-1)!, data: used.bytes.slice(0, -1) };
  }

  read(sector: number, sectors: number, queue = 0): Promise<BlockAnswer> {
    return this.request(blockHeader(0, sector), [], 512 * sectors, queue);
  }

  async write(sector: number, data: Uint8Array, queue = 0): Promise<number> {
    return (await this.request(blockHeader(1, sector), [data], 0, queue)).status;
  }

  async flush(): Promise<number> {
    return (await this.request(blockHeader(4))).status;
  }

  async discard(...segments: readonly Uint8Array[]): Promise<number> {
    return (await this.request(blockHeader(11), segments)).status;
  }

  async writeZeroes(...segments: readonly Uint8Array[]): Promise<number> {
    return (await this.request(blockHeader(13), segments)).status;
  }

  /** The device ID string, without its padding. */
  async id(): Promise<string> {
    const { data } = await this.request(blockHeader(8), [], 20);
    return String.fromCharCode(...data).replace(/\0*$/, '');
  }
}
