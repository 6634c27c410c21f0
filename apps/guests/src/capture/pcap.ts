import { GuestsError } from '../error.js';

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const MICROSECONDS = 0xa1b2_c3d4;
const ETHERNET = 1;

/**
 * The frames of a capture as tcpdump writes it (draft-ietf-opsawg-pcap): little-endian, version 2.4, Ethernet,
 * each frame whole. @throws GuestsError bad-capture for anything else, and for a file that breaks off
 */
export function readPcap(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  expect(bytes.length >= FILE_HEADER, 0, 'a file header of 24 bytes');
  expect(view.getUint32(0, true) === MICROSECONDS, 0, 'magic of a little-endian file in microseconds');
  expect(view.getUint16(4, true) === 2 && view.getUint16(6, true) === 4, 4, 'version 2.4');
  expect(view.getUint32(20, true) === ETHERNET, 20, 'link type Ethernet');
  const frames: Uint8Array[] = [];
  for (let at = FILE_HEADER; at < bytes.length;) {
    expect(at + RECORD_HEADER <= bytes.length, at, 'a record header of 16 bytes');
    const kept = view.getUint32(at + 8, true);
    expect(kept === view.getUint32(at + 12, true), at, 'the whole of a frame');
    const start = at + RECORD_HEADER;
    expect(start + kept <= bytes.length, at, 'a record that ends in the file');
    frames.push(bytes.slice(start, start + kept));
    at = start + kept;
  }
  return frames;
}

function expect(valid: boolean, at: number, what: string): asserts valid {
  if (!valid) throw new GuestsError('bad-capture', `at byte ${at} of the capture there should be ${what}`);
}
