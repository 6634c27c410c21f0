import { physical, type AddressSpace, type MmioHandler } from '@vmloom/memory';
import * as B from '../register-bits.js';
import * as R from '../register-map.js';

export interface StartOptions {
  /** Descriptors of each ring, a multiple of 8. 64 unless told. */
  readonly ring?: number;
  /** RCTL besides EN; broadcast and stripped FCS unless told. */
  readonly rctl?: number;
  /** SRRCTL; one advanced buffer of 2 KiB unless told. */
  readonly srrctl?: number;
  /** Queues to start. The first unless told. */
  readonly queues?: readonly number[];
}

/** A received packet as its descriptors tell of it; the attributes are those of the last one. */
export interface ReceivedPacket {
  readonly bytes: Uint8Array;
  /** Status and errors: word 2 of an advanced descriptor. */
  readonly status: number;
  /** Types of packet and hash. */
  readonly packetInfo: number;
  /** SPH and HDR_LEN of the first descriptor. */
  readonly headerInfo: number;
  readonly hash: number;
  readonly vlan: number;
  readonly descriptors: number;
}

/** Where the driver's memory has what belongs to a queue. */
const TX_RINGS = 0x0_0000;
const RX_RINGS = 0x1_0000;
const RING_BYTES = 0x1000;
const HEADERS = 0x2_0000;
const TX_BUFFERS = 0x4_0000;
const TX_BUFFER = 0x1000;
const RX_BUFFERS = 0x8_0000;
const RX_BUFFER = 0x0800;
const SLOTS = 64;

/** A context descriptor's fields (7.2.2.2). */
export interface ContextFields {
  readonly maclen?: number;
  readonly iplen?: number;
  readonly l4len?: number;
  readonly mss?: number;
  readonly vlan?: number;
  readonly ipv4?: boolean;
  /** 0 UDP, 1 TCP, 2 SCTP. */
  readonly l4type?: number;
  readonly index?: number;
}

/**
 * A driver that works the controller as software does, by registers and memory only, with no hart: rings of advanced
 * descriptors, buffers, doorbells, polling. It owns a mebibyte; queues share the places of buffers.
 */
export class FakeDriver {
  ring = 64;
  srrctl = 2 | (B.DESCTYPE_ONE_BUFFER << B.SRRCTL_DESCTYPE_SHIFT);
  /** The next descriptors to use, by queue. */
  readonly txNext = new Array<number>(R.QUEUES).fill(0);
  readonly rxNext = new Array<number>(R.QUEUES).fill(0);
  readonly #registers: MmioHandler;
  readonly #space: AddressSpace;
  readonly #base: number;

  /** `base`: guest-physical address of a mebibyte of RAM that is the driver's. */
  constructor(registers: MmioHandler, space: AddressSpace, base: number) {
    this.#registers = registers;
    this.#space = space;
    this.#base = base;
  }

  read(register: number): number {
    return this.#registers.read(register, 4);
  }

  write(register: number, value: number): void {
    this.#registers.write(register, 4, value >>> 0);
  }

  /** A register of a queue. */
  readQueue(register: number, queue: number): number {
    return this.read(register + queue * R.QUEUE_STRIDE);
  }

  writeQueue(register: number, queue: number, value: number): void {
    this.write(register + queue * R.QUEUE_STRIDE, value);
  }

  txDescriptor(index: number, queue = 0): number {
    return this.#base + TX_RINGS + queue * RING_BYTES + (index % this.ring) * 16;
  }
  rxDescriptor(index: number, queue = 0): number {
    return this.#base + RX_RINGS + queue * RING_BYTES + (index % this.ring) * 16;
  }
  txBuffer(index: number): number {
    return this.#base + TX_BUFFERS + (index % SLOTS) * TX_BUFFER;
  }
  rxBuffer(index: number, queue = 0): number {
    return this.#base + RX_BUFFERS + (((queue & 3) * SLOTS + (index % SLOTS)) % 256) * RX_BUFFER;
  }
  rxHeaderBuffer(index: number): number {
    return this.#base + HEADERS + (index % SLOTS) * 0x400;
  }

  store(address: number, bytes: Uint8Array): void {
    this.#space.writeBytes(physical(address), bytes);
  }

  load(address: number, length: number): Uint8Array {
    return this.#space.readBytes(physical(address), length).slice();
  }

  load32(address: number): number {
    return this.#space.load(physical(address), 4);
  }

  /** 4.5: reset, link, receive and transmit initialization. */
  start(options: StartOptions = {}): void {
    this.write(R.REG_IMC, 0xffff_ffff);
    this.write(R.REG_EIMC, 0xffff_ffff);
    this.write(R.REG_CTRL, B.CTRL_RST);
    this.write(R.REG_CTRL, this.read(R.REG_CTRL) | B.CTRL_SLU);
    for (const queue of options.queues ?? [0]) {
      this.startReceive(queue, options);
      this.startTransmit(queue, options);
    }
    this.write(R.REG_RCTL, B.RCTL_EN | (options.rctl ?? B.RCTL_BAM | B.RCTL_SECRC));
    this.write(R.REG_TCTL, B.TCTL_EN | B.TCTL_PSP | (0xf << 4) | (0x40 << 12));
    this.read(R.REG_ICR);
  }

  startReceive(queue: number, options: StartOptions = {}): void {
    this.ring = options.ring ?? 64;
    this.srrctl = options.srrctl ?? 2 | (B.DESCTYPE_ONE_BUFFER << B.SRRCTL_DESCTYPE_SHIFT);
    this.rxNext[queue] = 0;
    for (let index = 0; index < this.ring; index++) this.postReceive(index, queue);
    this.writeQueue(R.REG_RDBAL, queue, this.rxDescriptor(0, queue));
    this.writeQueue(R.REG_RDBAH, queue, Math.floor(this.rxDescriptor(0, queue) / 2 ** 32));
    this.writeQueue(R.REG_RDLEN, queue, this.ring * 16);
    this.writeQueue(R.REG_SRRCTL, queue, this.srrctl);
    this.writeQueue(R.REG_RXDCTL, queue, B.DCTL_ENABLE);
    this.writeQueue(R.REG_RDT, queue, this.ring - 1);
  }

  startTransmit(queue: number, options: StartOptions = {}): void {
    this.ring = options.ring ?? 64;
    this.txNext[queue] = 0;
    this.writeQueue(R.REG_TDBAL, queue, this.txDescriptor(0, queue));
    this.writeQueue(R.REG_TDBAH, queue, Math.floor(this.txDescriptor(0, queue) / 2 ** 32));
    this.writeQueue(R.REG_TDLEN, queue, this.ring * 16);
    this.writeQueue(R.REG_TDT, queue, 0);
    this.writeQueue(R.REG_TXDCTL, queue, B.DCTL_ENABLE);
  }

  /** Writes a descriptor of four words at the next place of a transmit ring; its index. No doorbell. */
  queue(words: readonly [number, number, number, number], queue = 0): number {
    const index = this.txNext[queue];
    this.store(this.txDescriptor(index, queue), wordsToBytes(words));
    this.txNext[queue] = (index + 1) % this.ring;
    return index;
  }

  /** Queues a legacy descriptor (7.2.2.1). */
  queueLegacy(
    address: number,
    length: number,
    command: number,
    fields: { cso?: number; css?: number; vlan?: number; queue?: number } = {},
  ): number {
    const { cso = 0, css = 0, vlan = 0, queue = 0 } = fields;
    return this.queue(
      [
        address,
        Math.floor(address / 2 ** 32),
        (length & 0xffff) | (cso << 16) | (command << 24),
        (css << 8) | (vlan << 16),
      ],
      queue,
    );
  }

  /** Queues an advanced data descriptor (7.2.2.3). `options`: POPTS. */
  queueData(
    address: number,
    length: number,
    command: number,
    fields: { popts?: number; paylen?: number; index?: number; mac?: number; queue?: number } = {},
  ): number {
    const { popts = 0, paylen = length, index = 0, mac = 0, queue = 0 } = fields;
    return this.queue(
      [
        address,
        Math.floor(address / 2 ** 32),
        (length & 0xffff) | mac | (B.TXD_DTYP_DATA << 20) | ((command | B.TXD_DEXT) << 24),
        (index << B.TXD_IDX_SHIFT) | (popts << 8) | (paylen << 14),
      ],
      queue,
    );
  }

  /** Queues an advanced context descriptor (7.2.2.2). */
  queueContext(fields: ContextFields, queue = 0): number {
    const {
      maclen = 14,
      iplen = 20,
      l4len = 0,
      mss = 0,
      vlan = 0,
      ipv4 = true,
      l4type = 1,
      index = 0,
    } = fields;
    const tucmd = (ipv4 ? B.TUCMD_IPV4 : 0) | (l4type << B.TUCMD_L4_SHIFT);
    return this.queue(
      [
        iplen | (maclen << 9) | (vlan << 16),
        0,
        (tucmd << 9) | (B.TXD_DTYP_CONTEXT << 20) | (B.TXD_DEXT << 24),
        (index << B.TXD_IDX_SHIFT) | (l4len << 8) | (mss << 16),
      ],
      queue,
    );
  }

  /** The transmit doorbell. */
  ringTransmit(queue = 0): void {
    this.writeQueue(R.REG_TDT, queue, this.txNext[queue]);
  }

  /** Sends one packet by an advanced descriptor; its index. */
  send(bytes: Uint8Array, command = B.TXD_EOP | B.TXD_IFCS | B.TXD_RS, queue = 0): number {
    const address = this.txBuffer(this.txNext[queue]);
    this.store(address, bytes);
    const index = this.queueData(address, bytes.length, command, { queue });
    this.ringTransmit(queue);
    return index;
  }

  /** DD of a transmit descriptor. */
  transmitted(index: number, queue = 0): boolean {
    return (this.load32(this.txDescriptor(index, queue) + 12) & B.TXD_STATUS_DD) !== 0;
  }

  /** Gives descriptor `index` its buffers. No doorbell. */
  postReceive(index: number, queue = 0, address = this.rxBuffer(index, queue)): void {
    const type = (this.srrctl >> B.SRRCTL_DESCTYPE_SHIFT) & 7;
    const header =
      type === B.DESCTYPE_SPLIT || type === B.DESCTYPE_SPLIT_ALWAYS ? this.rxHeaderBuffer(index) : 0;
    const high = (value: number): number => Math.floor(value / 2 ** 32);
    this.store(this.rxDescriptor(index, queue), wordsToBytes([address, high(address), header, high(header)]));
  }

  /** Takes one packet out of a ring of advanced descriptors and gives them back; undefined when none is complete. */
  poll(queue = 0): ReceivedPacket | undefined {
    const parts: Uint8Array[] = [];
    let headerInfo = 0;
    for (let count = 0; count < this.ring; count++) {
      const index = (this.rxNext[queue] + count) % this.ring;
      const at = this.rxDescriptor(index, queue);
      const status = this.load32(at + 8);
      if ((status & B.RXD_STATUS_DD) === 0) return undefined;
      const info = this.load32(at);
      if (count === 0) {
        headerInfo = info >>> 16;
        const type = (this.srrctl >> B.SRRCTL_DESCTYPE_SHIFT) & 7;
        const split = (headerInfo & B.RXD_SPH) !== 0 && (status & B.RXD_ERROR_HBO) === 0;
        if (split || type === B.DESCTYPE_SPLIT_ALWAYS)
          parts.push(this.load(this.rxHeaderBuffer(index), (headerInfo >> B.RXD_HDR_LEN_SHIFT) & 0x3ff));
      }
      const last = this.load32(at + 12);
      parts.push(this.load(this.rxBuffer(index, queue), last & 0xffff));
      if ((status & B.RXD_STATUS_EOP) === 0) continue;
      const packet = {
        bytes: join(parts),
        status,
        packetInfo: info & 0xffff,
        headerInfo,
        hash: this.load32(at + 4),
        vlan: last >>> 16,
        descriptors: count + 1,
      };
      for (let used = 0; used <= count; used++)
        this.postReceive((this.rxNext[queue] + used) % this.ring, queue);
      this.rxNext[queue] = (index + 1) % this.ring;
      this.writeQueue(R.REG_RDT, queue, index);
      return packet;
    }
    return undefined;
  }

  /** All packets that are complete. */
  pollAll(queue = 0): ReceivedPacket[] {
    const packets: ReceivedPacket[] = [];
    for (let packet = this.poll(queue); packet !== undefined; packet = this.poll(queue)) packets.push(packet);
    return packets;
  }

  /** MDIC read (8.2.4). */
  readPhy(register: number, phy = 1): number {
    this.write(R.REG_MDIC, B.MDIC_OP_READ | (register << 16) | (phy << 21));
    return this.read(R.REG_MDIC) & 0xffff;
  }

  writePhy(register: number, value: number): void {
    this.write(R.REG_MDIC, B.MDIC_OP_WRITE | (register << 16) | (1 << 21) | value);
  }

  /** EERD read (8.4.2). */
  readEeprom(word: number): number {
    this.write(R.REG_EERD, (word << B.EERD_ADDRESS_SHIFT) | B.EERD_START);
    return this.read(R.REG_EERD) >>> B.EERD_DATA_SHIFT;
  }
}

function wordsToBytes(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(index * 4, word, true));
  return bytes;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
