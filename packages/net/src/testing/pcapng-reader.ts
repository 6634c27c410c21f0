import { NetError } from '../error.js';

export interface CapturedInterface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly options: ReadonlyMap<number, Uint8Array>;
}

export interface CapturedPacket {
  readonly interfaceId: number;
  /** In units of the interface's resolution. */
  readonly time: bigint;
  readonly originalLength: number;
  readonly bytes: Uint8Array;
  readonly options: ReadonlyMap<number, Uint8Array>;
}

/**
 * Reads a little-endian pcapng section and refuses everything that the format does not allow.
 * @throws NetError bad-capture
 */
export function readPcapng(bytes: Uint8Array): {
  interfaces: CapturedInterface[];
  packets: CapturedPacket[];
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const interfaces: CapturedInterface[] = [];
  const packets: CapturedPacket[] = [];
  for (let at = 0; at < bytes.length;) {
    expect(at + 12 <= bytes.length, at, 'a block has at least 12 bytes');
    const type = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    expect(length >= 12 && length % 4 === 0 && at + length <= bytes.length, at, 'block length');
    expect(view.getUint32(at + length - 4, true) === length, at, 'the trailing length repeats the first');
    const end = at + length - 4;
    if (at === 0) {
      expect(type === 0x0a0d_0d0a, at, 'a section header comes first');
      expect(view.getUint32(8, true) === 0x1a2b_3c4d, at, 'byte order magic');
      expect(view.getUint16(12, true) === 1 && view.getUint16(14, true) === 0, at, 'version 1.0');
      expect(view.getBigInt64(16, true) === -1n, at, 'section length not told');
      readOptions(24, end);
    } else if (type === 1) {
      expect(view.getUint16(at + 10, true) === 0, at, 'reserved field is 0');
      interfaces.push({
        linkType: view.getUint16(at + 8, true),
        snapLength: view.getUint32(at + 12, true),
        options: readOptions(at + 16, end),
      });
    } else if (type === 6) {
      const interfaceId = view.getUint32(at + 8, true);
      expect(interfaceId < interfaces.length, at, 'the interface is described before its packets');
      const kept = view.getUint32(at + 20, true);
      const originalLength = view.getUint32(at + 24, true);
      const { snapLength } = interfaces[interfaceId];
      expect(kept <= originalLength && (snapLength === 0 || kept <= snapLength), at, 'captured length');
      const padded = (kept + 3) & ~3;
      expect(at + 28 + padded <= end, at, 'packet inside its block');
      for (let pad = kept; pad < padded; pad++) expect(bytes[at + 28 + pad] === 0, at, 'padding is 0');
      packets.push({
        interfaceId,
        time: (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 16, true)),
        originalLength,
        bytes: bytes.slice(at + 28, at + 28 + kept),
        options: readOptions(at + 28 + padded, end),
      });
    } else expect(false, at, `block type ${type}`);
    at += length;
  }
  return { interfaces, packets };

  function readOptions(from: number, end: number): ReadonlyMap<number, Uint8Array> {
    const options = new Map<number, Uint8Array>();
    for (let at = from; at < end;) {
      expect(at + 4 <= end, at, 'an option has at least 4 bytes');
      const code = view.getUint16(at, true);
      const length = view.getUint16(at + 2, true);
      expect(at + 4 + length <= end, at, 'an option ends inside its block');
      at += 4 + ((length + 3) & ~3);
      if (code === 0) {
        expect(length === 0 && at === end, at, 'opt_endofopt is empty and last');
        return options;
      }
      options.set(code, bytes.slice(at - ((length + 3) & ~3), at - ((length + 3) & ~3) + length));
    }
    expect(from === end, from, 'options end with opt_endofopt');
    return options;
  }
}

function expect(valid: boolean, at: number, what: string): asserts valid {
  if (!valid) throw new NetError('bad-capture', `at byte ${at}: ${what}`);
}
