/** Bytes of an Ethernet address from text. */
export const macBytes = (text: string): number[] => text.split(':').map((part) => parseInt(part, 16));

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** An Ethernet frame without FCS whose payload is a pattern that depends on `seed`. */
export function ethernetFrame(
  options: { to?: string; from?: string; type?: number; tag?: number; length?: number; seed?: number } = {},
): Uint8Array {
  const { to = BROADCAST, from = '02:00:00:00:00:01', type = 0x88b5, tag, length = 64, seed = 1 } = options;
  const head = [...macBytes(to), ...macBytes(from)];
  if (tag !== undefined) head.push(0x81, 0x00, tag >> 8, tag & 0xff);
  head.push(type >> 8, type & 0xff);
  const bytes = new Uint8Array(length);
  bytes.set(head);
  for (let at = head.length; at < length; at++) bytes[at] = (at * 31 + seed * 17) & 0xff;
  return bytes;
}

/** RFC 1071 over a byte array, the slow and obvious way. */
export function internetSum(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let sum = 0;
  for (let at = from; at < to; at += 2) sum += (bytes[at] << 8) | (at + 1 < to ? bytes[at + 1] : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** IEEE 802.3 3.2.9, one bit at a time. */
export function fcs(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
