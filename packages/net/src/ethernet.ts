import { NetError } from './error.js';
import type { Frame } from './frame.js';

/** Bytes of destination, source and type. */
export const ETHERNET_HEADER = 14;
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
/** Tag protocol identifier of a customer VLAN tag (802.1Q table 9-1). */
export const ETHERTYPE_VLAN = 0x8100;

/** The header of one frame, read into numbers; reused from frame to frame. */
export class EthernetHeader {
  /** First 2 and last 4 octets of the addresses. */
  destinationHigh = 0;
  destinationLow = 0;
  sourceHigh = 0;
  sourceLow = 0;
  /** Type or length; {@link ETHERTYPE_VLAN} for a tagged frame. */
  type = 0;
  /** Tag control information of a tagged frame (PCP 15:13, DEI 12, VID 11:0), else 0. */
  tci = 0;

  /** False for a frame without a whole header. */
  read(frame: Frame): boolean {
    if (frame.length < ETHERNET_HEADER) return false;
    if (frame.lengths[0] >= 16) this.#readFlat(frame.memory, frame.offsets[0]);
    else this.#readScattered(frame);
    if (frame.length < 16 || this.type !== ETHERTYPE_VLAN) this.tci = 0;
    return true;
  }

  /** True for a broadcast or multicast destination (802.3 3.2.3 b). */
  get toGroup(): boolean {
    return (this.destinationHigh & 0x100) !== 0;
  }
  get fromGroup(): boolean {
    return (this.sourceHigh & 0x100) !== 0;
  }
  /** True for 01-80-C2-00-00-00 to 0F, which bridges do not forward (802.1Q table 8-1). */
  get reserved(): boolean {
    return this.destinationHigh === 0x0180 && this.destinationLow >>> 4 === 0xc20_0000;
  }

  #readFlat(memory: Uint8Array, at: number): void {
    this.destinationHigh = (memory[at] << 8) | memory[at + 1];
    this.destinationLow =
      ((memory[at + 2] << 24) | (memory[at + 3] << 16) | (memory[at + 4] << 8) | memory[at + 5]) >>> 0;
    this.sourceHigh = (memory[at + 6] << 8) | memory[at + 7];
    this.sourceLow =
      ((memory[at + 8] << 24) | (memory[at + 9] << 16) | (memory[at + 10] << 8) | memory[at + 11]) >>> 0;
    this.type = (memory[at + 12] << 8) | memory[at + 13];
    this.tci = (memory[at + 14] << 8) | memory[at + 15];
  }

  #readScattered(frame: Frame): void {
    const word = (at: number): number => (frame.byte(at) << 8) | frame.byte(at + 1);
    this.destinationHigh = word(0);
    this.destinationLow = (word(2) * 0x1_0000 + word(4)) >>> 0;
    this.sourceHigh = word(6);
    this.sourceLow = (word(8) * 0x1_0000 + word(10)) >>> 0;
    this.type = word(12);
    this.tci = word(14);
  }
}

/** Six octets of `aa:bb:cc:dd:ee:ff` (or with hyphens). @throws NetError bad-address */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) {
    throw new NetError('bad-address', `${text} is no MAC address; write it as 52:54:00:12:34:56`);
  }
  return Uint8Array.from(text.split(/[:-]/), (octet) => parseInt(octet, 16));
}

export function formatMac(bytes: Uint8Array, at = 0): string {
  return Array.from(bytes.subarray(at, at + 6), (octet) => octet.toString(16).padStart(2, '0')).join(':');
}
