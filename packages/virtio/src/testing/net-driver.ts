import type { Clock, Ledger } from '@vmloom/device';
import type { HostMemory } from '@vmloom/memory';
import { hasFeature } from '../features.js';
import { DeviceBench, type DeviceBenchOptions } from './device-bench.js';
import type { UsedBuffer } from './mock-queue.js';
import * as N from '../net/codes.js';
import type { VirtioNet } from '../net/virtio-net.js';

/** Fields of the header before a packet (5.1.6); 0 unless told. */
export interface NetHeader {
  readonly flags?: number;
  readonly gsoType?: number;
  readonly headerLength?: number;
  readonly gsoSize?: number;
  readonly checksumStart?: number;
  readonly checksumOffset?: number;
}

/** A packet that the device put into receive buffers. */
export interface ReceivedPacket extends Required<NetHeader> {
  readonly buffers: number;
  /** With HASH_REPORT. */
  readonly hash: number;
  readonly hashReport: number;
  readonly bytes: Uint8Array;
}

export interface NetDriverOptions extends DeviceBenchOptions {
  readonly clock?: Clock;
  readonly ledger?: Ledger;
  readonly memory?: HostMemory;
  /** Where the driver's own memory begins; with RAM unless told. For two drivers in one memory. */
  readonly first?: number;
  /** Features that are not accepted. */
  readonly decline?: bigint;
  /** Bytes of each receive buffer; 1526 unless told. */
  readonly bufferSize?: number;
  /** Receive buffers per queue; half of the ring unless told. */
  readonly buffers?: number;
}

/** A network driver for tests: sends packets, keeps receive queues filled, gives commands. */
export class NetDriver {
  readonly bench: DeviceBench;
  readonly headerSize: number;
  readonly bufferSize: number;
  readonly #controlIndex: number;

  constructor(
    readonly device: VirtioNet,
    options: NetDriverOptions = {},
  ) {
    this.bench = new DeviceBench(device, { ram: 0x100_0000, ...options });
    if (options.first !== undefined) this.bench.memory.mark = options.first;
    if (!this.bench.start(options.decline ?? 0n)) throw new Error('the device refused the features');
    const has = (feature: number): boolean => hasFeature(this.features, feature);
    this.headerSize = has(N.F_HASH_REPORT) ? N.HDR_HASH_SIZE : N.HDR_SIZE;
    this.bufferSize = options.bufferSize ?? 1526;
    const all = has(N.F_MQ) || has(N.F_RSS);
    this.#controlIndex = all ? 2 * device.pairs : 2;
    for (let pair = 0; pair < (all ? device.pairs : 1); pair++) {
      this.fill(pair, options.buffers ?? this.bench.queues[2 * pair].size / 2);
    }
  }

  get features(): bigint {
    return this.bench.endpoint.features;
  }

  /** Adds receive buffers to a pair's queue. */
  fill(pair: number, buffers: number): void {
    for (let count = 0; count < buffers; count++) this.bench.queues[2 * pair].add({ in: [this.bufferSize] });
    if (buffers > 0 && this.bench.queues[2 * pair].needsDoorbell()) this.bench.endpoint.ring(2 * pair);
  }

  /** Makes a packet available, in buffers cut at `cuts` (of header and packet together), and rings if wanted. */
  send(packet: Uint8Array, header: NetHeader = {}, pair = 0, cuts: readonly number[] = []): void {
    const bytes = new Uint8Array(this.headerSize + packet.length);
    const view = new DataView(bytes.buffer);
    view.setUint8(N.HDR_FLAGS, header.flags ?? 0);
    view.setUint8(N.HDR_GSO_TYPE, header.gsoType ?? 0);
    view.setUint16(N.HDR_LENGTH, header.headerLength ?? 0, true);
    view.setUint16(N.HDR_GSO_SIZE, header.gsoSize ?? 0, true);
    view.setUint16(N.HDR_CSUM_START, header.checksumStart ?? 0, true);
    view.setUint16(N.HDR_CSUM_OFFSET, header.checksumOffset ?? 0, true);
    bytes.set(packet, this.headerSize);
    const ends = [...cuts, bytes.length];
    const out = ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
    this.bench.submit(2 * pair + 1, { out });
  }

  /** Takes what has arrived out of a pair's queue; its buffers are not given back. */
  received(pair = 0): ReceivedPacket[] {
    const queue = this.bench.queues[2 * pair];
    const packets: ReceivedPacket[] = [];
    for (let used = queue.poll(); used !== undefined; used = queue.poll()) {
      const { bytes: first } = used;
      const view = new DataView(first.buffer, first.byteOffset, first.length);
      const buffers = view.getUint16(N.HDR_NUM_BUFFERS, true);
      const parts = [first.subarray(this.headerSize)];
      for (let index = 1; index < buffers; index++) {
        const next = queue.poll();
        if (next === undefined) throw new Error(`a packet of ${buffers} buffers ends with number ${index}`);
        parts.push(next.bytes);
      }
      packets.push({
        flags: view.getUint8(N.HDR_FLAGS),
        gsoType: view.getUint8(N.HDR_GSO_TYPE),
        headerLength: view.getUint16(N.HDR_LENGTH, true),
        gsoSize: view.getUint16(N.HDR_GSO_SIZE, true),
        checksumStart: view.getUint16(N.HDR_CSUM_START, true),
        checksumOffset: view.getUint16(N.HDR_CSUM_OFFSET, true),
        buffers,
        hash: this.headerSize < N.HDR_HASH_SIZE ? 0 : view.getUint32(N.HDR_HASH_VALUE, true),
        hashReport: this.headerSize < N.HDR_HASH_SIZE ? 0 : view.getUint16(N.HDR_HASH_REPORT, true),
        bytes: Uint8Array.from(parts.flatMap((part) => [...part])),
      });
    }
    return packets;
  }

  /** Gives a command and waits for it; true: OK. */
  command(kind: number, number: number, data: Uint8Array | readonly number[] = []): boolean {
    return this.ask(kind, number, data, 0).ok;
  }

  /** The same for a command that answers with `bytes` bytes. */
  ask(
    kind: number,
    number: number,
    data: Uint8Array | readonly number[],
    bytes: number,
  ): { ok: boolean; answer: Uint8Array } {
    const out = [Uint8Array.of(kind, number), Uint8Array.from(data)].filter((part) => part.length > 0);
    const used = this.control({ out, in: bytes > 0 ? [bytes, 1] : [1] });
    if (used === undefined) throw new Error('the command did not come back');
    return { ok: used.bytes[bytes] === N.CTRL_OK, answer: used.bytes.subarray(0, bytes) };
  }

  /** Buffers on the control queue. */
  control(buffers: {
    readonly out?: readonly Uint8Array[];
    readonly in?: readonly number[];
  }): UsedBuffer | undefined {
    return this.bench.request(this.#controlIndex, buffers, 1000);
  }

  /** A value of configuration space. */
  config(offset: number, width: 1 | 2 | 4): number {
    return this.bench.endpoint.readConfig(offset, width);
  }
}
