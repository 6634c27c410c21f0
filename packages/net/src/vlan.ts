import { NetError } from './error.js';
import { type EthernetHeader, ETHERTYPE_VLAN } from './ethernet.js';
import { Frame } from './frame.js';

/** VLAN identifiers that may be used: 1 to 4094 (802.1Q table 9-2). */
export const VLAN_LIMIT = 4095;
/** No VLAN: the frame is not admitted. */
export const NO_VLAN = -1;

/** How a port of a VLAN-aware switch treats tags. */
export type VlanMode =
  /** One VLAN, untagged on the wire. */
  | { readonly access: number }
  /** Tagged; those listed, or every one. `native` goes untagged; without it untagged frames are refused. */
  | { readonly trunk: readonly number[] | 'all'; readonly native?: number };

/** The VLANs of one port (802.1Q 6.9, 8.6.2, 8.8.9). */
export class VlanPort {
  /** The VLAN of untagged frames, or {@link NO_VLAN}. */
  readonly untagged: number;
  readonly #tagged: Uint8Array = new Uint8Array(VLAN_LIMIT);

  /** @throws NetError bad-option */
  constructor(readonly mode: VlanMode) {
    if ('access' in mode) this.untagged = checked(mode.access);
    else {
      this.untagged = mode.native === undefined ? NO_VLAN : checked(mode.native);
      if (mode.trunk === 'all') this.#tagged.fill(1, 1);
      else for (const vlan of mode.trunk) this.#tagged[checked(vlan)] = 1;
    }
  }

  member(vlan: number): boolean {
    return vlan === this.untagged || this.#tagged[vlan] === 1;
  }

  /** The VLAN of a frame that arrived, or {@link NO_VLAN}. A priority tag (VID 0) counts as none (6.9.1). */
  classify(header: EthernetHeader): number {
    const vlan = header.type === ETHERTYPE_VLAN ? header.tci & 0xfff : 0;
    if (vlan === 0) return this.untagged;
    return this.#tagged[vlan] === 1 || (vlan === this.untagged && 'trunk' in this.mode) ? vlan : NO_VLAN;
  }
}

/** Puts frames into the form that a port sends: with a tag or without. Reuses one frame and one buffer. */
export class Retagger {
  readonly #frame = new Frame();
  #buffer = new Uint8Array(2048);

  /** The frame as it leaves on `port` in `vlan`: the same one, cut around its tag, or copied with one. */
  shape(frame: Frame, header: EthernetHeader, vlan: number, port: VlanPort): Frame {
    const hasTag = header.type === ETHERTYPE_VLAN;
    if (vlan === port.untagged) return hasTag ? this.#withoutTag(frame) : frame;
    if (hasTag && (header.tci & 0xfff) === vlan) return frame;
    return this.#withTag(frame, (header.tci & 0xf000) | vlan, hasTag ? 16 : 12);
  }

  #withoutTag(frame: Frame): Frame {
    const result = this.#frame;
    result.clear(frame.memory);
    result.addPart(frame, 0, 12);
    result.addPart(frame, 16, frame.length - 16);
    result.needLike(frame, -4);
    return result;
  }

  #withTag(frame: Frame, tci: number, restAt: number): Frame {
    const length = frame.length - restAt + 16;
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
    const buffer = this.#buffer;
    frame.copyTo(buffer, 0, 0, 12);
    buffer[12] = ETHERTYPE_VLAN >> 8;
    buffer[13] = ETHERTYPE_VLAN & 0xff;
    buffer[14] = tci >> 8;
    buffer[15] = tci & 0xff;
    frame.copyTo(buffer, 16, restAt);
    this.#frame.clear(buffer);
    this.#frame.add(0, length);
    this.#frame.needLike(frame, 16 - restAt);
    return this.#frame;
  }
}

function checked(vlan: number): number {
  if (Number.isInteger(vlan) && vlan >= 1 && vlan < VLAN_LIMIT) return vlan;
  throw new NetError('bad-option', `a VLAN is a number from 1 to 4094, not ${vlan}`);
}
