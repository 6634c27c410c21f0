import type { Counter } from '@vmloom/device';
import {
  ETHERNET_HEADER,
  ETHERTYPE_VLAN,
  MAX_FRAME,
  OFFLOAD_ECN,
  OFFLOAD_SEGMENTATION,
  OFFLOAD_TCP4,
  OFFLOAD_TCP6,
  type EthernetHeader,
  type Frame,
} from '@vmloom/net';
import type { HostOffset, PageFlags } from '@vmloom/memory';
import type { DeviceHost } from '../device.js';
import type { Chain } from '../queue/chain.js';
import type { Virtqueue } from '../queue/queue.js';
import * as N from './codes.js';
import { createNetCore, type NetCore } from './core.js';
import { FrameCopy } from './frame-copy.js';
import type { FlowHash } from './hash.js';

/** Ranges of a frame that are taken as they are; one with more is copied together first. */
const MOST_RANGES = 64;
/** How the driver wants its frames, since it started or since it changed its mind. */
export interface ReceiveForm {
  readonly headerSize: number;
  readonly mergeable: boolean;
  /** GUEST_CSUM is negotiated and on. */
  readonly checksum: boolean;
  /** Bytes of the longest frame that is not to be cut, without its Ethernet header; Infinity without MTU. */
  readonly mtu: number;
  readonly hashReport: boolean;
}

/** 5.1.6.3, 5.1.6.4: puts frames into receive buffers, one copy each. */
export class Receiver {
  form: ReceiveForm = {
    headerSize: N.HDR_SIZE,
    mergeable: false,
    checksum: false,
    mtu: Infinity,
    hashReport: false,
  };
  readonly #host: DeviceHost;
  readonly #core: NetCore;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #pageFlags: PageFlags;
  readonly #frameCopy: FrameCopy;
  /** Host offset of the table of ranges: the header first, then those of the frame. */
  readonly #ranges: number;
  readonly #header: number;
  readonly #staging: number;
  readonly #packets: Counter;
  readonly #octets: Counter;
  readonly #staged: Counter;
  readonly #validated: Counter;
  readonly #tooLong: Counter;
  readonly #noFit: Counter;
  readonly #tokens = new Uint32Array(32_768);
  readonly #written = new Uint32Array(32_768);

  constructor(host: DeviceHost, place: ReceivePlace) {
    this.#host = host;
    this.#core = createNetCore(host.memory);
    this.#words = new Uint32Array(host.memory.wasm.buffer);
    this.#bytes = host.memory.bytes;
    this.#view = host.memory.view;
    this.#pageFlags = host.memory.flags;
    this.#frameCopy = new FrameCopy(host.memory.bytes);
    this.#header = place.base;
    this.#ranges = place.base + 32;
    this.#staging = place.base + PLACE_STAGING;
    this.#packets = host.counter('rx', 'packets');
    this.#octets = host.counter('rx', 'bytes');
    this.#staged = host.ledger.counter(host.name, 'copy', 'staged bytes', 'emulator');
    this.#validated = host.counter('rx', 'validated packets');
    this.#tooLong = host.counter('rx-drop', 'mtu');
    this.#noFit = host.counter('rx-drop', 'no-fit');
  }

  /**
   * Puts a frame into the buffers of a queue; the number of chains used. 0: dropped and counted. -1: there are not
   * enough buffers, and nothing has happened.
   */
  deliver(frame: Frame, ethernet: EthernetHeader, queue: Virtqueue, hash: FlowHash): number {
    const { form } = this;
    // 5.1.4.1: MTU binds what the driver takes as one packet.
    if ((frame.needs & OFFLOAD_SEGMENTATION) === 0) {
      const extra = ethernet.type === ETHERTYPE_VLAN ? ETHERNET_HEADER + 4 : ETHERNET_HEADER;
      if (frame.length > form.mtu + extra) return this.#drop(this.#tooLong);
    }
    if (frame.length > MAX_FRAME) return this.#drop(this.#tooLong);
    let chain = nextBuffer(queue);
    if (chain === undefined) return -1;
    const total = form.headerSize + frame.length;
    if (chain.writable.length < total && !form.mergeable) {
      queue.unpop(chain.token);
      return this.#drop(this.#noFit);
    }
    this.#describe(frame, hash);
    const { headerSize } = form;
    if (chain.writable.length < headerSize) {
      // 5.1.6.3.1: each buffer has room for the header.
      this.#host.needsReset('short receive buffer');
      return 0;
    }
    if (chain.lengths[chain.writable.first] >= total) {
      this.#deliverFlat(frame, chain.offsets[chain.writable.first]);
      queue.push(chain.token, total);
      this.#packets.value++;
      this.#octets.value += frame.length;
      return 1;
    }
    const foreign = frame.memory !== this.#bytes || frame.count > MOST_RANGES;
    const ranges = foreign ? 1 : frame.count + 1;
    this.#describeRanges(frame, ranges);
    const countLow = chain.writable.offset(N.HDR_NUM_BUFFERS);
    const countHigh = chain.writable.offset(N.HDR_NUM_BUFFERS + 1);
    let done = 0;
    let chains = 0;
    for (;;) {
      const room = Math.min(chain.writable.length, total - done);
      this.#copy(chain, ranges, done);
      if (foreign) this.#copyForeign(frame, chain, done, room);
      if (chains === 0) this.#validate(frame, chain, room);
      this.#tokens[chains] = chain.token;
      this.#written[chains++] = room;
      done += room;
      if (done === total) break;
      chain = chains < this.#tokens.length ? nextBuffer(queue) : undefined;
      if (chain === undefined) {
        while (chains > 0) queue.unpop(this.#tokens[--chains]);
        return -1;
      }
    }
    if (chains > 1 && headerSize > N.HDR_NUM_BUFFERS) {
      this.#host.memory.writeU8(countLow as HostOffset, chains & 0xff);
      this.#host.memory.writeU8(countHigh as HostOffset, chains >> 8);
    }
    for (let index = 0; index < chains; index++) queue.push(this.#tokens[index], this.#written[index]);
    this.#packets.value++;
    this.#octets.value += frame.length;
    return chains;
  }

  #drop(counter: Counter): 0 {
    counter.value++;
    return 0;
  }

  /** 5.1.6.4.1: the header of a frame in one buffer. */
  #describe(frame: Frame, hash: FlowHash): void {
    const words = this.#words;
    const { needs } = frame;
    const at = this.#header >>> 2;
    words[at] = 0;
    words[at + 1] = 0;
    words[at + 2] = 1 << 16;
    if (needs !== 0) {
      const start = frame.checksumStart;
      const type = gsoTypeOf(needs);
      const tcp = (needs & (OFFLOAD_TCP4 | OFFLOAD_TCP6)) !== 0;
      const transport = tcp ? (frame.byte(start + 12) >> 4) * 4 : 8;
      words[at] = N.HDR_F_NEEDS_CSUM | (type << 8) | (type === 0 ? 0 : (start + transport) << 16);
      words[at + 1] = (type === 0 ? 0 : frame.segmentSize) | (start << 16);
      words[at + 2] = frame.checksumOffset | (1 << 16);
    }
    if (this.form.hashReport) {
      words[at + 3] = hash.value;
      words[at + 4] = hash.report;
    }
  }

  /** The table of ranges: the header, and what of the frame lies in this memory. */
  #describeRanges(frame: Frame, ranges: number): void {
    const words = this.#words;
    let range = this.#ranges >>> 2;
    words[range++] = this.#header;
    words[range++] = this.form.headerSize;
    for (let index = 0; index < ranges - 1; index++) {
      words[range++] = frame.offsets[index];
      words[range++] = frame.lengths[index];
    }
  }

  /** The usual case: one buffer in one piece takes header and frame. */
  #deliverFlat(frame: Frame, to: number): void {
    const { headerSize, checksum } = this.form;
    const { length } = frame;
    const words = this.#words;
    const view = this.#view;
    const header = this.#header >>> 2;
    const at = to + headerSize;
    for (let word = 0; word < headerSize >>> 2; word++)
      view.setUint32(to + 4 * word, words[header + word], true);
    if (headerSize === N.HDR_LEGACY_SIZE) view.setUint16(to + N.HDR_CSUM_OFFSET, words[header + 2], true);
    this.#frameCopy.copy(frame, 0, at, length);
    if (checksum && frame.needs === 0 && this.#core.sound(at, length) !== 0) {
      this.#validated.value++;
      view.setUint8(to, N.HDR_F_DATA_VALID);
    }
    this.#pageFlags.noteStore(to as HostOffset, headerSize + length);
  }

  /** Copies header and frame, but for the first `skip` bytes, as far as the chain goes. */
  #copy(chain: Chain, ranges: number, skip: number): void {
    const { writable, offsets, lengths } = chain;
    const flags = this.#pageFlags.offset;
    const { first, end } = writable;
    this.#core.scatter(flags, this.#ranges, ranges, skip, offsets.byteOffset, lengths.byteOffset, first, end);
  }

  /** Copies a frame of another memory behind what is written already; `done` bytes are in chains before. */
  #copyForeign(frame: Frame, chain: Chain, done: number, room: number): void {
    const { headerSize } = this.form;
    const at = Math.max(0, headerSize - done);
    const from = Math.max(0, done - headerSize);
    const length = room - at;
    const { writable, offsets, lengths } = chain;
    const { first } = writable;
    // What fits a range in one piece is copied straight into it.
    if (lengths[first] >= room) return this.#place(frame, from, offsets[first] + at, length);
    this.#staged.value += length;
    frame.copyTo(this.#bytes, this.#staging, from, length);
    writable.copy(at, this.#staging as HostOffset, length);
  }

  #place(frame: Frame, from: number, to: number, length: number): void {
    if (length === 0) return;
    this.#frameCopy.copy(frame, from, to, length);
    this.#pageFlags.noteStore(to as HostOffset, length);
  }

  /** 5.1.6.4.1: DATA_VALID spares the driver a look, where the frame is whole and lies in one piece. */
  #validate(frame: Frame, chain: Chain, room: number): void {
    const { headerSize, checksum } = this.form;
    if (!checksum || frame.needs !== 0 || room !== headerSize + frame.length) return;
    const { writable, offsets, lengths } = chain;
    const { first } = writable;
    let at = offsets[first] + headerSize;
    if (lengths[first] === headerSize && writable.count > 1) {
      if (lengths[first + 1] < frame.length) return;
      at = offsets[first + 1];
    } else if (lengths[first] < room) return;
    if (this.#core.sound(at, frame.length) === 0) return;
    this.#validated.value++;
    writable.setU8(N.HDR_FLAGS, N.HDR_F_DATA_VALID);
  }
}

/**
 * The next receive buffer. Where there is none the driver is asked for a doorbell with the next one, while
 * everything that it made available is taken: otherwise it would see no reason to ring.
 */
function nextBuffer(queue: Virtqueue): Chain | undefined {
  return queue.pop() ?? (queue.enableNotifications() ? queue.pop() : undefined);
}

const PLACE_STAGING = 32 + 8 * (MOST_RANGES + 1) + 8;

/** Room of a receiver in the reserve of a host's memory. */
export class ReceivePlace {
  readonly base: number;

  /** @throws MemoryError reserve-exhausted */
  constructor(readonly memory: DeviceHost['memory']) {
    this.base = memory.reserve(PLACE_STAGING + MAX_FRAME, 16);
  }
}

function gsoTypeOf(needs: number): number {
  if ((needs & OFFLOAD_SEGMENTATION) === 0) return N.GSO_NONE;
  const ecn = (needs & OFFLOAD_ECN) !== 0 ? N.GSO_ECN : 0;
  if ((needs & OFFLOAD_TCP4) !== 0) return N.GSO_TCPV4 | ecn;
  if ((needs & OFFLOAD_TCP6) !== 0) return N.GSO_TCPV6 | ecn;
  return N.GSO_UDP_L4;
}
