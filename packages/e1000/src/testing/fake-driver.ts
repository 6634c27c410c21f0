import { physical, type AddressSpace, type MmioHandler } from '@vmloom/memory';
import * as R from '../register-map.js';

export interface StartOptions {
  /** Descriptors of each ring, a multiple of 8. 64 unless told. */
  readonly ring?: number;
  /** RCTL besides EN; broadcast, 2048-byte buffers and stripped FCS unless told. */
  readonly rctl?: number;
  /** Bytes of a receive buffer as RCTL has them. */
  readonly bufferSize?: number;
  /** Interrupt causes to enable. */
  readonly interrupts?: number;
}

/** A received packet as its descriptors tell of it; the attributes are those of the last one. */
export interface ReceivedPacket {
  readonly bytes: Uint8Array;
  readonly status: number;
  readonly errors: number;
  readonly checksum: number;
  readonly special: number;
  readonly descriptors: number;
}

const TX_RING = 0x0000;
const RX_RING = 0x4000;
const TX_BUFFERS = 0x1_0000;
const RX_BUFFERS = 0x8_0000;
const TX_BUFFER = 0x1000;

/**
 * A driver that works the controller as software does, by registers and memory only, with no hart: rings,
 * buffers, doorbells, polling. Its memory holds the rings, then transmit buffers of 4 KiB, then receive buffers.
 */
export class FakeDriver {
  ring = 64;
  bufferSize = 2048;
  /** The next descriptors to use. */
  txNext = 0;
  rxNext = 0;
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

  /** Guest-physical addresses of what this driver owns. */
  txDescriptor(index: number): number {
    return this.#base + TX_RING + (index % this.ring) * 16;
  }
  rxDescriptor(index: number): number {
    return this.#base + RX_RING + (index % this.ring) * 16;
  }
  txBuffer(index: number): number {
    return this.#base + TX_BUFFERS + (index % 64) * TX_BUFFER;
  }
  rxBuffer(index: number): number {
    return this.#base + RX_BUFFERS + (index % this.ring) * this.bufferSize;
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

  /** 14.3 to 14.5: reset, receive and transmit initialization. */
  start(options: StartOptions = {}): void {
    this.write(R.REG_IMC, 0xffff_ffff);
    this.write(R.REG_CTRL, R.CTRL_RST);
    this.write(R.REG_CTRL, this.read(R.REG_CTRL) | R.CTRL_SLU);
    this.startReceiver(options);
    this.startTransmitter(options);
    this.read(R.REG_ICR);
    this.write(R.REG_IMS, options.interrupts ?? 0);
  }

  startReceiver(options: StartOptions = {}): void {
    this.ring = options.ring ?? 64;
    this.bufferSize = options.bufferSize ?? 2048;
    this.rxNext = 0;
    for (let index = 0; index < this.ring; index++) this.postReceive(index, this.rxBuffer(index));
    this.write(R.REG_RDBAL, this.#base + RX_RING);
    this.write(R.REG_RDBAH, Math.floor((this.#base + RX_RING) / 2 ** 32));
    this.write(R.REG_RDLEN, this.ring * 16);
    this.write(R.REG_RDH, 0);
    this.write(R.REG_RDT, this.ring - 1);
    this.write(R.REG_RCTL, R.RCTL_EN | (options.rctl ?? R.RCTL_BAM | R.RCTL_SECRC));
  }

  startTransmitter(options: StartOptions = {}): void {
    this.ring = options.ring ?? 64;
    this.txNext = 0;
    this.write(R.REG_TDBAL, this.#base + TX_RING);
    this.write(R.REG_TDBAH, Math.floor((this.#base + TX_RING) / 2 ** 32));
    this.write(R.REG_TDLEN, this.ring * 16);
    this.write(R.REG_TDH, 0);
    this.write(R.REG_TDT, 0);
    this.write(R.REG_TCTL, R.TCTL_EN | R.TCTL_PSP | (0x0f << 4) | (0x40 << 12));
  }

  /** Writes a descriptor of four words at the next place of the transmit ring; its index. No doorbell. */
  queue(words: readonly [number, number, number, number]): number {
    const index = this.txNext;
    this.store(this.txDescriptor(index), wordsToBytes(words));
    this.txNext = (index + 1) % this.ring;
    return index;
  }

  /** Queues a legacy descriptor (3.3.3). */
  queueLegacy(
    address: number,
    length: number,
    command: number,
    fields: { cso?: number; css?: number; special?: number } = {},
  ): number {
    const { cso = 0, css = 0, special = 0 } = fields;
    return this.queue([
      address,
      Math.floor(address / 2 ** 32),
      (length & 0xffff) | (cso << 16) | (command << 24),
      (css << 8) | (special << 16),
    ]);
  }

  /** Queues a data descriptor (3.3.7). */
  queueData(address: number, length: number, command: number, options = 0, special = 0): number {
    return this.queue([
      address,
      Math.floor(address / 2 ** 32),
      (length & 0xfffff) | (R.TXD_DTYP_DATA << 20) | ((command | R.TXD_DEXT) << 24),
      (options << 8) | (special << 16),
    ]);
  }

  /** Queues a context descriptor (3.3.6). */
  queueContext(context: {
    ipcss?: number;
    ipcso?: number;
    ipcse?: number;
    tucss?: number;
    tucso?: number;
    tucse?: number;
    command: number;
    paylen?: number;
    hdrlen?: number;
    mss?: number;
  }): number {
    const c = {
      ipcss: 0,
      ipcso: 0,
      ipcse: 0,
      tucss: 0,
      tucso: 0,
      tucse: 0,
      paylen: 0,
      hdrlen: 0,
      mss: 0,
      ...context,
    };
    return this.queue([
      c.ipcss | (c.ipcso << 8) | (c.ipcse << 16),
      c.tucss | (c.tucso << 8) | (c.tucse << 16),
      (c.paylen & 0xfffff) | ((c.command | R.TXD_DEXT) << 24),
      (c.hdrlen << 8) | (c.mss << 16),
    ]);
  }

  /** The transmit doorbell. */
  ringTransmit(): void {
    this.write(R.REG_TDT, this.txNext);
  }

  /** Sends one packet by a legacy descriptor; its index. */
  send(bytes: Uint8Array, command = R.TXD_EOP | R.TXD_IFCS | R.TXD_RS): number {
    const address = this.txBuffer(this.txNext);
    this.store(address, bytes);
    const index = this.queueLegacy(address, bytes.length, command);
    this.ringTransmit();
    return index;
  }

  /** DD of a transmit descriptor. */
  transmitted(index: number): boolean {
    return (this.load32(this.txDescriptor(index) + 12) & R.TXD_STATUS_DD) !== 0;
  }

  /** Gives descriptor `index` a buffer. No doorbell. */
  postReceive(index: number, address: number): void {
    this.store(this.rxDescriptor(index), wordsToBytes([address, Math.floor(address / 2 ** 32), 0, 0]));
  }

  /** Takes one packet out of the ring and gives its descriptors back; undefined when none is complete. */
  poll(): ReceivedPacket | undefined {
    const parts: Uint8Array[] = [];
    for (let count = 0; count < this.ring; count++) {
      const index = (this.rxNext + count) % this.ring;
      const at = this.rxDescriptor(index);
      const [, , lengthAndChecksum, rest] = [0, 4, 8, 12].map((word) => this.load32(at + word)) as [
        number,
        number,
        number,
        number,
      ];
      if ((rest & R.RXD_STATUS_DD) === 0) return undefined;
      parts.push(this.load(this.rxBuffer(index), lengthAndChecksum & 0xffff));
      if ((rest & R.RXD_STATUS_EOP) === 0) continue;
      for (let used = 0; used <= count; used++) {
        this.postReceive((this.rxNext + used) % this.ring, this.rxBuffer((this.rxNext + used) % this.ring));
      }
      this.rxNext = (index + 1) % this.ring;
      this.write(R.REG_RDT, (this.rxNext + this.ring - 1) % this.ring);
      return {
        bytes: join(parts),
        status: rest & 0xff,
        errors: (rest >>> 8) & 0xff,
        checksum: lengthAndChecksum >>> 16,
        special: rest >>> 16,
        descriptors: count + 1,
      };
    }
    return undefined;
  }

  /** All packets that are complete. */
  pollAll(): ReceivedPacket[] {
    const packets: ReceivedPacket[] = [];
    for (let packet = this.poll(); packet !== undefined; packet = this.poll()) packets.push(packet);
    return packets;
  }

  /** MDIC read (13.4.7). */
  readPhy(register: number, phy = 1): number {
    this.write(R.REG_MDIC, R.MDIC_OP_READ | (register << 16) | (phy << 21));
    return this.read(R.REG_MDIC) & 0xffff;
  }

  writePhy(register: number, value: number): void {
    this.write(R.REG_MDIC, R.MDIC_OP_WRITE | (register << 16) | (1 << 21) | value);
  }

  /** EERD read (13.4.4). */
  readEeprom(word: number): number {
    this.write(R.REG_EERD, (word << 8) | R.EERD_START);
    return this.read(R.REG_EERD) >>> 16;
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
