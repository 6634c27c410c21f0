import type { HandlerWidth } from '@vmloom/memory';

/** Reads a field of a configuration space kept as bytes, little-endian; bytes behind the end are 0. */
export function readConfigBytes(bytes: Uint8Array, offset: number, width: HandlerWidth): number {
  let value = 0;
  for (let index = width - 1; index >= 0; index--) value = value * 0x100 + (bytes[offset + index] ?? 0);
  return value;
}

/** Writes a field of a configuration space kept as bytes, little-endian; what lies behind the end is lost. */
export function writeConfigBytes(
  bytes: Uint8Array,
  offset: number,
  width: HandlerWidth,
  value: number,
): void {
  for (let index = 0; index < width && offset + index < bytes.length; index++) {
    bytes[offset + index] = value >>> (8 * index);
  }
}
