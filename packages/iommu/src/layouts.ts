import { nu64, struct, u32 } from 'buffer-layout';

// The state block of the core in the host's reserve, and the entries of its caches. Structures that software builds in
// memory (device and process contexts, page tables, queue records) are plain doublewords; the specification's numbers
// of their bits are in assembly/bits.ts and registers.ts.

/** What the core knows and answers. Caches follow it; fields say where. */
export const walkState = struct([
  // Host offset of the page flags.
  u32('pageFlags'),
  // fctl.BE.
  u32('bigEndian'),
  u32('capabilities'),
  u32('capabilitiesHigh'),
  nu64('ddtp'),
  // The RAM that holds most tables: addresses from ramBase up to ramEnd lie at ramOffset.
  nu64('ramBase'),
  nu64('ramEnd'),
  u32('ramOffset'),

  // The request at hand.
  u32('deviceId'),
  // With PROCESS_VALID and PROCESS_PRIVILEGED.
  u32('process'),
  // TTYP with REQUEST_*.
  u32('type'),
  nu64('iova'),

  // The answer: address and, where it says so, what became of the guest-physical one.
  nu64('address'),
  nu64('guestAddress'),
  // The translation holds for 2 to the power of this many bytes around the address.
  u32('shift'),
  // TO_*.
  u32('target'),
  // PERMIT_*.
  u32('permissions'),
  // Svpbmt: 0 PMA, 1 NC, 2 IO.
  u32('memoryType'),
  nu64('mrif'),
  nu64('notice'),
  u32('noticeId'),
  // Of a fault.
  u32('cause'),
  nu64('iotval2'),
  u32('disableFaults'),

  // Identifiers of the address space at hand, with ID_VALID.
  u32('gscid'),
  u32('pscid'),
  u32('sum'),

  // The device context at hand.
  nu64('tc'),
  nu64('iohgatp'),
  nu64('ta'),
  nu64('fsc'),
  nu64('msiptp'),
  nu64('msiMask'),
  nu64('msiPattern'),
  // The process context at hand.
  nu64('pcTa'),
  nu64('pcFsc'),

  // What the last walk of a stage found.
  nu64('firstAddress'),
  nu64('firstPte'),
  u32('firstShift'),
  u32('firstGlobal'),
  nu64('secondAddress'),
  nu64('secondPte'),
  u32('secondShift'),

  // Events since TypeScript took them last.
  u32('iotlbHits'),
  u32('iotlbMisses'),
  u32('deviceHits'),
  u32('deviceWalks'),
  u32('processHits'),
  u32('processWalks'),
  u32('firstWalks'),
  u32('secondWalks'),
  u32('walkReads'),
  u32('pteUpdates'),

  // Caches: where they lie, and how many entries (IOTLB: sets) they have, a power of two.
  u32('iotlb'),
  u32('iotlbSets'),
  // Bit n: pages of 2 to the power of 12 + n bytes may be in the IOTLB; 48 bits.
  nu64('iotlbSizes'),
  u32('deviceCache'),
  u32('deviceEntries'),
  u32('processCache'),
  u32('processEntries'),
]);

/** A translation. */
export const iotlbEntry = struct([
  // Page numbers, without the bits below the size of the page.
  nu64('page'),
  nu64('frame'),
  u32('gscid'),
  u32('pscid'),
  u32('flags'),
  // Log2 of the page, and in bits 15:8 that of the page of the first stage.
  u32('shifts'),
]);

export const deviceEntry = struct([
  u32('valid'),
  u32('deviceId'),
  nu64('tc'),
  nu64('iohgatp'),
  nu64('ta'),
  nu64('fsc'),
  nu64('msiptp'),
  nu64('msiMask'),
  nu64('msiPattern'),
]);

export const processEntry = struct([
  u32('valid'),
  u32('deviceId'),
  u32('processId'),
  u32(),
  nu64('ta'),
  nu64('fsc'),
]);
