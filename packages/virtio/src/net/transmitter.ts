import type { Counter } from '@vmloom/device';
import {
  ETHERNET_HEADER,
  ETHERTYPE_IPV6,
  ETHERTYPE_VLAN,
  Frame,
  OFFLOAD_CHECKSUM,
  OFFLOAD_ECN,
  OFFLOAD_TCP4,
  OFFLOAD_TCP6,
  OFFLOAD_UDP4,
  OFFLOAD_UDP6,
  soundSegmentation,
} from '@vmloom/net';
import type { DeviceHost } from '../device.js';
import { hasFeature } from '../features.js';
import type { Chain } from '../queue/chain.js';
import type { Virtqueue } from '../queue/queue.js';
import * as N from './codes.js';

/** Where frames go. */
export interface TransmitterHost {
  /** False: keep it, {@link Transmitter.resume} follows. */
  send(frame: Frame): boolean;
  /** A frame left by a transmit queue. */
  sent(frame: Frame, queue: Virtqueue): void;
  /** So many chains went back to the driver. */
  used(queue: Virtqueue, chains: number): void;
}

/** 5.1.6.2: takes frames out of transmit queues as ranges of the guest's memory. */
export class Transmitter {
  readonly #host: DeviceHost;
  readonly #to: TransmitterHost;
  readonly #frame = new Frame();
  readonly #bytes: Uint8Array;
  readonly #packets: Counter;
  readonly #octets: Counter;
  readonly #undone: Counter;
  readonly #runts: Counter;
  readonly #badOffload: Counter;
  #headerSize = N.HDR_SIZE;
  #checksum = false;
  #segmentation = 0;
  /** Queues whose next frame the port did not take. */
  #blocked: Virtqueue[] = [];

  constructor(host: DeviceHost, to: TransmitterHost) {
    this.#host = host;
    this.#to = to;
    this.#bytes = host.memory.bytes;
    this.#packets = host.counter('tx', 'packets');
    this.#octets = host.counter('tx', 'bytes');
    this.#undone = host.counter('tx', 'undone packets');
    this.#runts = host.counter('tx-drop', 'runt');
    this.#badOffload = host.counter('tx-drop', 'offload');
  }

  /** The driver has said what it wants. */
  start(headerSize: number): void {
    const { features } = this.#host;
    this.#headerSize = headerSize;
    this.#checksum = hasFeature(features, N.F_CSUM);
    this.#segmentation =
      (hasFeature(features, N.F_HOST_TSO4) ? OFFLOAD_TCP4 : 0) |
      (hasFeature(features, N.F_HOST_TSO6) ? OFFLOAD_TCP6 : 0) |
      (hasFeature(features, N.F_HOST_USO) ? OFFLOAD_UDP4 | OFFLOAD_UDP6 : 0) |
      (hasFeature(features, N.F_HOST_ECN) ? OFFLOAD_ECN : 0);
  }

  reset(): void {
    this.#blocked = [];
  }

  /** Sends what waits in a queue, until it is empty or the port takes no more. */
  run(queue: Virtqueue): void {
    if (this.#blocked.length > 0) {
      if (!this.#blocked.includes(queue)) this.#blocked.push(queue);
      return;
    }
    let chains = 0;
    do {
      queue.disableNotifications();
      for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
        const { token } = chain;
        if (this.#take(chain)) {
          if (!this.#to.send(this.#frame)) {
            queue.unpop(token);
            this.#blocked.push(queue);
            break;
          }
          this.#sent(queue);
        }
        if (!this.#host.running) return;
        queue.push(token, 0);
        chains++;
      }
    } while (this.#blocked.length === 0 && queue.enableNotifications());
    if (chains > 0) this.#to.used(queue, chains);
  }

  /** The port takes frames again: the queues go on, with an event. */
  resume(): void {
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const queue of blocked) this.#host.kick(queue);
  }

  resetQueue(queue: Virtqueue): void {
    this.#blocked = this.#blocked.filter((one) => one !== queue);
  }

  save(): number[] {
    return this.#blocked.map(({ index }) => index);
  }

  restore(blocked: readonly number[]): void {
    this.#blocked = blocked.map((index) => this.#host.queues[index]);
  }

  #sent(queue: Virtqueue): void {
    const frame = this.#frame;
    this.#packets.value++;
    this.#octets.value += frame.length;
    if (frame.needs !== 0) this.#undone.value++;
    this.#to.sent(frame, queue);
  }

  /** Makes a chain the frame at hand; false when it is not to be sent. */
  #take(chain: Chain): boolean {
    const { readable, offsets, lengths } = chain;
    const { end, length } = readable;
    const header = this.#headerSize;
    const frame = this.#frame;
    frame.clear(this.#bytes);
    if (length < header) {
      this.#host.needsReset('short transmit header');
      return false;
    }
    if (length < header + ETHERNET_HEADER) {
      this.#runts.value++;
      return false;
    }
    let skip = header;
    for (let index = 0; index < end; index++) {
      const size = lengths[index];
      if (size > skip) frame.add(offsets[index] + skip, size - skip);
      skip = size > skip ? 0 : skip - size;
    }
    const flat = lengths[0] >= N.HDR_LEGACY_SIZE;
    const flags = flat ? this.#bytes[offsets[0]] : readable.u8(N.HDR_FLAGS);
    const gso = flat ? this.#bytes[offsets[0] + 1] : readable.u8(N.HDR_GSO_TYPE);
    // Other flags mean nothing in this direction (5.1.6.2.2).
    if ((flags & N.HDR_F_NEEDS_CSUM) === 0 && gso === N.GSO_NONE) return true;
    if (this.#leaveUndone(chain, flags, gso)) return true;
    this.#badOffload.value++;
    return false;
  }

  /** Notes what the driver left undone; false when it may not, or when it does not fit the frame. */
  #leaveUndone(chain: Chain, flags: number, gso: number): boolean {
    const { readable } = chain;
    const frame = this.#frame;
    // 5.1.6.2.1: what is cut has no checksum of its own.
    if (!this.#checksum || (flags & N.HDR_F_NEEDS_CSUM) === 0) return false;
    frame.checksumStart = readable.u16(N.HDR_CSUM_START);
    frame.checksumOffset = readable.u16(N.HDR_CSUM_OFFSET);
    if (frame.checksumStart < ETHERNET_HEADER) return false;
    if (frame.checksumStart + frame.checksumOffset + 2 > frame.length) return false;
    frame.needs = OFFLOAD_CHECKSUM;
    if (gso === N.GSO_NONE) return true;
    const wanted = segmentationOf(gso, frame);
    if (wanted === 0 || (wanted & ~this.#segmentation) !== 0) return false;
    frame.needs |= wanted;
    frame.segmentSize = readable.u16(N.HDR_GSO_SIZE);
    return soundSegmentation(frame);
  }
}

function segmentationOf(gso: number, frame: Frame): number {
  const ecn = (gso & N.GSO_ECN) !== 0 ? OFFLOAD_ECN : 0;
  switch (gso & ~N.GSO_ECN) {
    case N.GSO_TCPV4:
      return OFFLOAD_TCP4 | ecn;
    case N.GSO_TCPV6:
      return OFFLOAD_TCP6 | ecn;
    case N.GSO_UDP_L4:
      return networkType(frame) === ETHERTYPE_IPV6 ? OFFLOAD_UDP6 : OFFLOAD_UDP4;
    default:
      return 0;
  }
}

/** The EtherType behind the tags. */
function networkType(frame: Frame): number {
  const type = (at: number): number => (frame.byte(at) << 8) | frame.byte(at + 1);
  let at = 12;
  for (let tags = 0; tags < 2 && type(at) === ETHERTYPE_VLAN; tags++) at += 4;
  return type(at);
}
