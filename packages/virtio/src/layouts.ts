import { blob, nu64, seq, struct, u16, u32, u8 } from 'buffer-layout';

// The structures of virtqueues in memory (virtio 1.3, 2.7 and 2.8), registers of transports (4.1 and 4.2), and the
// state block of one queue in the host's reserve. Offsets are generated into layout-offsets.ts.

/** 2.7.5: an entry of the descriptor table of a split virtqueue, or of an indirect table. */
export const splitDescriptor = struct([nu64('address'), u32('length'), u16('flags'), u16('next')]);

/** 2.7.6: what comes before the entries of the available ring; `used_event` follows them. */
export const availableRing = struct([u16('flags'), u16('index')]);

/** 2.7.8: what comes before the entries of the used ring; `avail_event` follows them. */
export const usedRing = struct([u16('flags'), u16('index')]);

/** 2.7.8: an entry of the used ring. */
export const usedElement = struct([u32('id'), u32('length')]);

/** 2.8.13: a descriptor of a packed virtqueue, or of an indirect table of one. */
export const packedDescriptor = struct([nu64('address'), u32('length'), u16('id'), u16('flags')]);

/** 2.8.14: driver and device event suppression. `offset` carries the wrap counter in bit 15. */
export const eventSuppression = struct([u16('offset'), u16('flags')]);

/** A segment of a chain as the driver described it: a bus address and a length. */
export const segment = struct([nu64('address'), u32('length'), u32()]);

/** A chain that waits for its predecessors (IN_ORDER). */
export const orderEntry = struct([u32('token'), u32('written'), u32('done')]);

const range = (): ReturnType<typeof struct> => struct([u32('offset'), u32('length')]);

/** A stretch of bus addresses that lies in one piece in the host's memory; `bytes` 0: none is known. */
const window = (property: string): ReturnType<typeof struct> =>
  struct([nu64('start'), nu64('bytes'), u32('offset'), u32()], property);

/** One of the three parts of a queue: descriptors, driver area, device area. */
const part = (property: string): ReturnType<typeof struct> =>
  struct(
    [
      nu64('address'),
      u32('bytes'),
      // Address modulo 4096.
      u32('shift'),
      // Where the host offsets of its pages lie.
      u32('pages'),
      u32(),
    ],
    property,
  );

/** What the core keeps of one queue. Arrays whose size depends on the queue follow it; fields say where. */
export const queueState = struct([
  // Host offset of the page flags.
  u32('pageFlags'),

  // Negotiated.
  u32('packed'),
  u32('indirect'),
  u32('eventIndex'),
  u32('inOrder'),
  // Descriptors.
  u32('queueSize'),

  // Split: free-running 16-bit indices. Packed: positions in the ring, with wrap counters.
  u32('nextAvailable'),
  u32('availableWrap'),
  u32('nextUsed'),
  u32('usedWrap'),
  // Entries used since the last look at the driver's wish for a notification.
  u32('unsignalled'),
  // Chains popped and not pushed yet.
  u32('inFlight'),
  // Which chains of `order` wait: the first one, and how many.
  u32('orderHead'),
  u32('orderCount'),

  // The chain at hand.
  u32('token'),
  u32('readableSegments'),
  u32('segmentCount'),
  u32('readableRanges'),
  u32('rangeCount'),
  u32('readableLength'),
  u32('writableLength'),

  // Where the arrays of the queue lie, and how many entries they hold.
  u32('segments'),
  u32('segmentLimit'),
  u32('rangeOffsets'),
  u32('rangeLengths'),
  u32('rangeLimit'),
  u32('order'),

  // Answer of the last dmaMap.
  u32('mapCount'),
  seq(range(), 16, 'mapRanges'),

  // For the ledger, since TypeScript took them last.
  u32('descriptorsRead'),
  u32('translations'),

  part('descriptors'),
  part('driver'),
  part('device'),
  window('readWindow'),
  window('writeWindow'),
  // A descriptor of an indirect table that lies across two pages.
  blob(16, 'descriptor'),
]);

/** 4.1.4: a vendor-specific capability that says where a structure lies. */
export const pciCapability = struct([
  u8('vendor'),
  u8('next'),
  u8('length'),
  u8('type'),
  u8('bar'),
  u8('id'),
  u16(),
  u32('barOffset'),
  u32('barLength'),
]);

/** 4.1.4.3: common configuration. */
export const pciCommon = struct([
  u32('deviceFeatureSelect'),
  u32('deviceFeature'),
  u32('driverFeatureSelect'),
  u32('driverFeature'),
  u16('configMsixVector'),
  u16('numQueues'),
  u8('deviceStatus'),
  u8('configGeneration'),
  u16('queueSelect'),
  u16('queueSize'),
  u16('queueMsixVector'),
  u16('queueEnable'),
  u16('queueNotifyOff'),
  u32('queueDescriptors'),
  u32('queueDescriptorsHigh'),
  u32('queueDriver'),
  u32('queueDriverHigh'),
  u32('queueDevice'),
  u32('queueDeviceHigh'),
  u16('queueNotifyConfigData'),
  u16('queueReset'),
  u16('adminQueueIndex'),
  u16('adminQueueNum'),
]);

/** 4.1.4.10: the registers of before 1.0 in I/O space. */
export const pciLegacy = struct([
  u32('deviceFeatures'),
  u32('driverFeatures'),
  u32('queueAddress'),
  u16('queueSize'),
  u16('queueSelect'),
  u16('queueNotify'),
  u8('deviceStatus'),
  u8('isrStatus'),
  // There only while MSI-X is enabled; configuration space follows what is there.
  u16('configMsixVector'),
  u16('queueMsixVector'),
]);

const reserved = (from: number, to: number): ReturnType<typeof blob> => blob(to - from);

/** 4.2.2: MMIO registers. */
export const mmio = struct([
  u32('magicValue'),
  u32('version'),
  u32('deviceId'),
  u32('vendorId'),
  u32('deviceFeatures'),
  u32('deviceFeaturesSel'),
  reserved(0x18, 0x20),
  u32('driverFeatures'),
  u32('driverFeaturesSel'),
  reserved(0x28, 0x30),
  u32('queueSel'),
  u32('queueSizeMax'),
  u32('queueSize'),
  reserved(0x3c, 0x44),
  u32('queueReady'),
  reserved(0x48, 0x50),
  u32('queueNotify'),
  reserved(0x54, 0x60),
  u32('interruptStatus'),
  u32('interruptAck'),
  reserved(0x68, 0x70),
  u32('status'),
  reserved(0x74, 0x80),
  u32('queueDescLow'),
  u32('queueDescHigh'),
  reserved(0x88, 0x90),
  u32('queueDriverLow'),
  u32('queueDriverHigh'),
  reserved(0x98, 0xa0),
  u32('queueDeviceLow'),
  u32('queueDeviceHigh'),
  reserved(0xa8, 0xac),
  u32('shmSel'),
  u32('shmLenLow'),
  u32('shmLenHigh'),
  u32('shmBaseLow'),
  u32('shmBaseHigh'),
  u32('queueReset'),
  reserved(0xc4, 0xfc),
  u32('configGeneration'),
]);
