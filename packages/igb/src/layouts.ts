import { blob, nu64, seq, struct, u16, u32, u8 } from 'buffer-layout';

// The structures of the 82576 in memory (datasheet 7.1 and 7.2), and the state block of the core in the host's
// reserve. Offsets are generated into layout-offsets.ts.

/** 7.2.2.1: legacy transmit descriptor. */
export const txLegacyDescriptor = struct([
  nu64('address'),
  u16('length'),
  u8('checksumOffset'),
  u8('command'),
  u8('status'),
  u8('checksumStart'),
  u16('vlan'),
]);

/** 7.2.2.2: advanced context descriptor. `macIp`: IPLEN 8:0, MACLEN 15:9, VLAN 31:16. `l4`: IDX 6:4, L4LEN 15:8, MSS 31:16. */
export const txContextDescriptor = struct([u32('macIp'), u32('seed'), u32('command'), u32('l4')]);

/** 7.2.2.3: advanced data descriptor. `command`: DTALEN 15:0, MAC 19:18, DTYP 23:20, DCMD 31:24. `options`: STA 3:0, IDX 6:4, CC 7, POPTS 13:8, PAYLEN 31:14. */
export const txDataDescriptor = struct([nu64('address'), u32('command'), u32('options')]);

/** 7.1.4: legacy receive descriptor. */
export const rxLegacyDescriptor = struct([
  nu64('address'),
  u16('length'),
  u16('checksum'),
  u8('status'),
  u8('errors'),
  u16('vlan'),
]);

/** 7.1.5.1: advanced receive descriptor as software writes it. */
export const rxReadDescriptor = struct([nu64('packet'), nu64('header')]);

/** 7.1.5.2: advanced receive descriptor as hardware writes it back. */
export const rxWriteBackDescriptor = struct([
  u16('packetInfo'),
  u16('headerInfo'),
  u32('hash'),
  u32('status'),
  u16('length'),
  u16('vlan'),
]);

/** A frame in the receive FIFO: this header, then the bytes, padded to 16. The fields are those of the frame at hand. */
export const fifoRecord = struct([
  u32('length'),
  u32('queue'),
  u32('status'),
  u32('hash'),
  u16('packetInfo'),
  u16('splitLength'),
  u16('vlan'),
  u16('checksum'),
  u32('strip'),
  u32('splitKind'),
]);

const range = (): ReturnType<typeof struct> => struct([u32('offset'), u32('length')]);

/** What a transmit queue keeps between events: its two contexts, and where it is in a segmented packet. */
export const txQueue = struct([
  u32('aheadFirst'),
  u32('aheadCount'),
  // The descriptors of contexts 0 and 1, four words each.
  blob(16, 'context0'),
  blob(16, 'context1'),
  u32('segmenting'),
  // Bytes of the current descriptor already taken.
  u32('taken'),
  u32('headerHave'),
  u32('payloadSent'),
  u32('segments'),
  // Words 2 and 3 of the packet's first descriptor.
  u32('command'),
  u32('options'),
  u32('reserved'),
]);

/** What a receive queue keeps. */
export const rxQueue = struct([u32('aheadFirst'), u32('aheadCount')]);

/**
 * What the core keeps in the reserve of the host's memory. The image of the registers comes first, so that register R
 * lies at base + R.
 */
export const coreState = struct([
  blob(0x11000, 'registers'),
  // Host offset of the page flags.
  u32('pageFlags'),
  // Queues that wrote descriptors back with a cause for an interrupt, and causes of ICR, since TypeScript took them.
  u32('rxQueuesDone'),
  u32('txQueuesDone'),
  u32('causes'),
  // Descriptors that one event may still process.
  u32('budget'),
  // For the ledger, since TypeScript took them last.
  u32('bytesCopied'),
  u32('descriptorsRead'),
  u32('descriptorsWritten'),
  u32('dmaFailures'),
  // Why the last packet was dropped: DROP_*.
  u32('dropReason'),
  // Frames lost on their way from the FIFO to memory, by refused DMA and for want of descriptors.
  u32('rxLost'),
  u32('rxQueueDropped'),

  // Answer of the last dmaMap.
  u32('mapCount'),
  seq(range(), 16, 'mapRanges'),

  // The frame at hand. Range 0 is kept for a header of our own making.
  u32('frameCount'),
  u32('frameLength'),
  seq(range(), 256, 'frameRanges'),

  // The frame that is sent: its sender asked for a time stamp. The one that waits for the wire, and its queue.
  u32('txStamp'),
  u32('stashLength'),
  u32('stashQueue'),

  // Receiver: the FIFO is a ring of records.
  u32('fifoSize'),
  u32('fifoHead'),
  u32('fifoUsed'),
  u32('fifoCount'),
  u32('fifoFrontDone'),
  // Length of the received frame without FCS, and the pause time of a PAUSE frame.
  u32('rxLength'),
  u32('rxPauseTime'),
  // Attributes of the received frame.
  u32('rxHave'),
  u32('rxVerdict'),
  u32('rxStatus'),
  u32('rxHash'),
  u32('rxRssType'),
  u32('rxPacketInfo'),
  u32('rxChecksum'),
  u32('rxTag'),
  u32('rxSplitLength'),
  u32('rxSplitKind'),
  u32('rxL3'),
  u32('rxL4'),
  u32('rxProtocol'),
  u32('rxFragment'),
  // 1 + the queue that a filter chose, 0: none; 1: an immediate interrupt; 1: a filter marks it for a time stamp.
  u32('rxFilterQueue'),
  u32('rxImmediate'),
  u32('rx1588'),
  // Of the delivery at hand.
  u32('rxStrip'),
  u32('rxPool'),

  blob(16, 'descriptor'),
  blob(8, 'fcs'),
  blob(64, 'zeros'),
  blob(256, 'rxHeader'),
  seq(struct(rxQueue.fields), 16, 'rxQueues'),
  seq(struct(txQueue.fields), 16, 'txQueues'),
  blob(16384, 'txAhead'),
  blob(4096, 'rxAhead'),
  // Prototype headers of segmented packets, 1 KiB for each queue.
  blob(16384, 'txPrototypes'),
  blob(1040, 'txHeader'),
  blob(16640, 'txStaging'),
  blob(16640, 'stash'),
  blob(16640, 'rxInput'),
  blob(65536, 'packetBuffer'),
  blob(16384, 'crcTable'),
]);
