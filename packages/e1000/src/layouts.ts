import { blob, nu64, seq, struct, u16, u32, u8 } from 'buffer-layout';

// The structures of the 82540EM in memory (manual chapter 3), and the state block of the core in the
// host's reserve. Offsets are generated into layout-offsets.ts.

/** 3.3.3: legacy transmit descriptor. */
export const txLegacyDescriptor = struct([
  nu64('address'),
  u16('length'),
  u8('checksumOffset'),
  u8('command'),
  u8('status'),
  u8('checksumStart'),
  u16('special'),
]);

/** 3.3.6: TCP/IP context descriptor. `command` holds PAYLEN 19:0, DTYP 23:20, TUCMD 31:24. */
export const txContextDescriptor = struct([
  u8('ipChecksumStart'),
  u8('ipChecksumOffset'),
  u16('ipChecksumEnd'),
  u8('tcpChecksumStart'),
  u8('tcpChecksumOffset'),
  u16('tcpChecksumEnd'),
  u32('command'),
  u8('status'),
  u8('headerLength'),
  u16('segmentSize'),
]);

/** 3.3.7: TCP/IP data descriptor. `command` holds DTALEN 19:0, DTYP 23:20, DCMD 31:24. */
export const txDataDescriptor = struct([
  nu64('address'),
  u32('command'),
  u8('status'),
  u8('options'),
  u16('special'),
]);

/** 3.2.3: receive descriptor. */
export const rxDescriptor = struct([
  nu64('address'),
  u16('length'),
  u16('checksum'),
  u8('status'),
  u8('errors'),
  u16('special'),
]);

/** One of the two offload contexts (normal, segmentation) as the transmitter holds it. */
export const offloadContext = struct([
  u32('ipStart'),
  u32('ipOffset'),
  u32('ipEnd'),
  u32('tcpStart'),
  u32('tcpOffset'),
  u32('tcpEnd'),
  u32('command'),
  u32('headerLength'),
  u32('segmentSize'),
  u32('payloadLength'),
]);

/** A frame in the receive FIFO: this header, then the bytes, padded to 16. */
export const fifoRecord = struct([
  u32('length'),
  u8('status'),
  u8('errors'),
  u16('checksum'),
  u16('special'),
  u16(),
  u32(),
]);

const range = (): ReturnType<typeof struct> => struct([u32('offset'), u32('length')]);

/**
 * What the core keeps in the reserve of the host's memory. The image of the registers comes first, so
 * that register R lies at base + R.
 */
export const coreState = struct([
  blob(0xa000, 'registers'),
  // Host offset of the page flags.
  u32('pageFlags'),
  // Interrupt causes of the work done since TypeScript took them last.
  u32('causes'),
  // 1: a descriptor with RS and IDE was written back (a delayed TXDW).
  u32('txDelayed'),
  // Descriptors that one event may still process.
  u32('budget'),
  // For the ledger, since TypeScript took them last.
  u32('bytesCopied'),
  u32('descriptorsRead'),
  u32('descriptorsWritten'),
  u32('dmaFailures'),
  // Why the last packet was dropped: DROP_*.
  u32('dropReason'),
  // Frames lost on their way from the FIFO to memory.
  u32('rxLost'),

  // Answer of the last dmaMap.
  u32('mapCount'),
  seq(range(), 16, 'mapRanges'),

  // The frame at hand. Range 0 is kept for a header of our own making.
  u32('frameCount'),
  u32('frameLength'),
  seq(range(), 256, 'frameRanges'),

  // Transmitter: the packet in progress.
  u32('txInPacket'),
  u32('txExtended'),
  u32('txSegmenting'),
  u32('txDiscarding'),
  u32('txOptions'),
  u32('txVlan'),
  u32('txTag'),
  // Bytes of the current descriptor already taken.
  u32('txTaken'),
  u32('txStaged'),
  u32('txHeaderHave'),
  u32('txPayloadSent'),
  u32('txSegments'),
  u32('stashLength'),
  // Descriptors read ahead: the index of the first one, and how many.
  u32('txAheadFirst'),
  u32('txAheadCount'),
  u32('rxAheadFirst'),
  u32('rxAheadCount'),
  offloadContextField('txNormal'),
  offloadContextField('txSegmentation'),

  // Receiver: the FIFO is a ring of records in the first bytes of the packet buffer.
  u32('fifoSize'),
  u32('fifoHead'),
  u32('fifoUsed'),
  u32('fifoCount'),
  u32('fifoFrontDone'),
  // Length of the last received frame without FCS, and the pause time of a PAUSE frame.
  u32('rxLength'),
  u32('rxPauseTime'),
  // Attributes of the frame at hand.
  u32('rxStatus'),
  u32('rxErrors'),
  u32('rxChecksum'),
  u32('rxSpecial'),
  u32('rxStrip'),

  blob(16, 'descriptor'),
  blob(256, 'txAhead'),
  blob(256, 'rxAhead'),
  blob(8, 'fcs'),
  blob(64, 'zeros'),
  blob(256, 'rxHeader'),
  blob(288, 'txHeader'),
  blob(256, 'txPrototype'),
  blob(16640, 'txStaging'),
  blob(16640, 'stash'),
  blob(16640, 'rxInput'),
  blob(65536, 'packetBuffer'),
  blob(16384, 'crcTable'),
]);

function offloadContextField(property: string): ReturnType<typeof struct> {
  return struct(offloadContext.fields, property);
}
