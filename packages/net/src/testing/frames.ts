import { parseMac } from '../ethernet.js';
import type { Random } from '../random.js';

export interface FrameFields {
  /** `ff:ff:ff:ff:ff:ff` unless told. */
  readonly to?: string;
  readonly from: string;
  /** EtherType, 0x88b5 (local experimental) unless told. */
  readonly type?: number;
  /** A tag: VID, or the whole TCI. */
  readonly vlan?: number;
  readonly payload?: Uint8Array;
}

/** An Ethernet frame with 46 bytes of payload unless told. */
export function etherFrame(fields: FrameFields): Uint8Array {
  const payload = fields.payload ?? new Uint8Array(46);
  const header = [...parseMac(fields.to ?? 'ff:ff:ff:ff:ff:ff'), ...parseMac(fields.from)];
  if (fields.vlan !== undefined) header.push(0x81, 0x00, fields.vlan >> 8, fields.vlan & 0xff);
  const type = fields.type ?? 0x88b5;
  header.push(type >> 8, type & 0xff);
  const bytes = new Uint8Array(header.length + payload.length);
  bytes.set(header);
  bytes.set(payload, header.length);
  return bytes;
}

/** The `index`th address of a family of unicast ones: 02:00:00:xx:xx:xx. */
export function macOf(index: number): string {
  const hex = (index & 0xff_ffff).toString(16).padStart(6, '0');
  return `02:00:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`;
}

/** A frame of random length and content between two of `stations` addresses; now and then a broadcast. */
export function randomFrame(random: Random, stations: number): Uint8Array {
  const from = random.below(stations);
  const to = random.chance(0.1) ? 'ff:ff:ff:ff:ff:ff' : macOf(random.below(stations));
  return etherFrame({ to, from: macOf(from), payload: random.fill(new Uint8Array(46 + random.below(1455))) });
}
