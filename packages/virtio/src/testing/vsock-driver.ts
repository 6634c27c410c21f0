import { Clock, OutsideIo } from '@vmloom/device';
import * as V from '../vsock/codes.js';
import { VirtioVsock } from '../vsock/virtio-vsock.js';
import { DeviceBench, type DeviceBenchOptions } from './device-bench.js';
import { MemorySockets } from './memory-sockets.js';

/** A packet as the driver sends or gets it. */
export interface VsockPacket {
  readonly op: number;
  readonly guestPort: number;
  readonly hostPort: number;
  readonly type?: number;
  readonly flags?: number;
  /** Of the sender. 64 KiB unless told. */
  readonly space?: number;
  readonly forwarded?: number;
  readonly data?: Uint8Array;
  /** The header's, where it lies. */
  readonly length?: number;
  readonly sourceCid?: number;
  readonly destinationCid?: number;
}

export const TEST_CID = 5;

/** A socket driver for tests: packets by hand, on a device whose host is in memory. */
export class VsockDriver {
  readonly sockets: MemorySockets;
  readonly io: OutsideIo;
  readonly device: VirtioVsock;
  readonly bench: DeviceBench;

  constructor(
    options: DeviceBenchOptions & { buffers?: number; bufferSize?: number; sockets?: MemorySockets } = {},
  ) {
    const clock = options.clock ?? new Clock();
    this.sockets = options.sockets ?? new MemorySockets();
    this.io = new OutsideIo(clock);
    this.device = new VirtioVsock({ cid: TEST_CID, io: this.io, sockets: this.sockets });
    this.bench = new DeviceBench(this.device, { ram: 0x100_0000, ...options, clock });
    this.bench.start();
    this.fill(options.buffers ?? 64, options.bufferSize);
  }

  /** Adds receive buffers. */
  fill(count: number, size = 4096): void {
    for (; count > 0; count--) this.bench.submit(V.RX_QUEUE, { in: [V.HDR_SIZE, size] });
    this.run();
  }

  /** Sends a packet to the device. */
  send(packet: VsockPacket): void {
    const { data = new Uint8Array(0) } = packet;
    const header = new Uint8Array(V.HDR_SIZE);
    const view = new DataView(header.buffer);
    view.setUint32(V.HDR_SRC_CID, packet.sourceCid ?? TEST_CID, true);
    view.setUint32(V.HDR_DST_CID, packet.destinationCid ?? V.HOST_CID, true);
    view.setUint32(V.HDR_SRC_PORT, packet.guestPort, true);
    view.setUint32(V.HDR_DST_PORT, packet.hostPort, true);
    view.setUint32(V.HDR_LEN, packet.length ?? data.length, true);
    view.setUint16(V.HDR_TYPE, packet.type ?? V.TYPE_STREAM, true);
    view.setUint16(V.HDR_OP, packet.op, true);
    view.setUint32(V.HDR_FLAGS, packet.flags ?? 0, true);
    view.setUint32(V.HDR_BUF_ALLOC, packet.space ?? 65_536, true);
    view.setUint32(V.HDR_FWD_CNT, packet.forwarded ?? 0, true);
    this.bench.submit(V.TX_QUEUE, { out: data.length > 0 ? [header, data] : [header] });
    this.run();
    while (this.bench.queues[V.TX_QUEUE].poll() !== undefined);
  }

  /** Lets everything from outside arrive. */
  run(time = 1000): void {
    do {
      this.io.deliver();
      this.bench.run(time);
    } while (this.io.arrived > 0);
  }

  /** The packets that the device sent. */
  received(): Required<Omit<VsockPacket, 'length' | 'sourceCid' | 'destinationCid'>>[] {
    this.run();
    const packets = [];
    for (let used = this.bench.queues[V.RX_QUEUE].poll(); used; used = this.bench.queues[V.RX_QUEUE].poll()) {
      const { bytes } = used;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const length = view.getUint32(V.HDR_LEN, true);
      const cids = [V.HDR_SRC_CID, V.HDR_SRC_CID + 4, V.HDR_DST_CID, V.HDR_DST_CID + 4].map((at) =>
        view.getUint32(at, true),
      );
      if (cids.join() !== `${V.HOST_CID},0,${TEST_CID},0` || bytes.length !== V.HDR_SIZE + length) {
        throw new Error(`a packet of ${bytes.length} bytes from ${cids.join()}`);
      }
      packets.push({
        op: view.getUint16(V.HDR_OP, true),
        guestPort: view.getUint32(V.HDR_DST_PORT, true),
        hostPort: view.getUint32(V.HDR_SRC_PORT, true),
        type: view.getUint16(V.HDR_TYPE, true),
        flags: view.getUint32(V.HDR_FLAGS, true),
        space: view.getUint32(V.HDR_BUF_ALLOC, true),
        forwarded: view.getUint32(V.HDR_FWD_CNT, true),
        data: bytes.slice(V.HDR_SIZE),
      });
    }
    return packets;
  }
}
