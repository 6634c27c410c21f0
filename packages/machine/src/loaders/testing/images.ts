/** A segment of a file that {@link makeElf} makes. Fields left out follow from the others. */
export interface ElfSegmentSpec {
  readonly physical: number | bigint;
  readonly virtual?: number | bigint;
  readonly bytes: Uint8Array;
  readonly memorySize?: number | bigint;
  readonly type?: number;
}

/** A 64-bit little-endian RISC-V executable: header, program headers, then the bytes of each segment. */
export function makeElf(segments: readonly ElfSegmentSpec[], entry: number | bigint): Uint8Array {
  const headers = 64 + segments.length * 56;
  const bytes = new Uint8Array(segments.reduce((sum, segment) => sum + segment.bytes.length, headers));
  const view = new DataView(bytes.buffer);
  const u64 = (at: number, value: number | bigint): void =>
    view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  u64(24, entry);
  u64(32, 64);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let offset = headers;
  for (const [index, segment] of segments.entries()) {
    const at = 64 + index * 56;
    view.setUint32(at, segment.type ?? 1, true);
    view.setUint32(at + 4, 7, true);
    u64(at + 8, offset);
    u64(at + 16, segment.virtual ?? segment.physical);
    u64(at + 24, segment.physical);
    u64(at + 32, segment.bytes.length);
    u64(at + 40, segment.memorySize ?? segment.bytes.length);
    u64(at + 48, 4096);
    bytes.set(segment.bytes, offset);
    offset += segment.bytes.length;
  }
  return bytes;
}

/** A RISC-V Linux Image of `size` bytes with the given header fields. */
export function makeLinuxImage(
  size: number,
  fields: { textOffset?: number | bigint; imageSize?: number | bigint; flags?: bigint } = {},
): Uint8Array {
  const bytes = new Uint8Array(Math.max(64, size)).fill(0x13);
  const view = new DataView(bytes.buffer);
  bytes.fill(0, 0, 64);
  bytes.set([0x4d, 0x5a]);
  view.setBigUint64(8, BigInt(fields.textOffset ?? 0x20_0000), true);
  view.setBigUint64(16, BigInt(fields.imageSize ?? size), true);
  view.setBigUint64(24, fields.flags ?? 0n, true);
  view.setUint32(32, 2, true);
  bytes.set(new TextEncoder().encode('RISCV'), 48);
  bytes.set([0x52, 0x53, 0x43, 5], 56);
  return bytes;
}

/** An EFI zboot image around a payload. */
export function makeZboot(payload: Uint8Array, compression = 'gzip'): Uint8Array {
  const bytes = new Uint8Array(64 + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67]);
  view.setUint32(8, 64, true);
  view.setUint32(12, payload.length, true);
  bytes.set(new TextEncoder().encode(compression), 24);
  bytes.set(payload, 64);
  return bytes;
}
