// Answers of the core, and bits of the rings. Nothing but constants: AssemblyScript and TypeScript share them.

// What taking a chain came to. From POP_FAULT on: what is wrong with the chain or its ring.
export const POP_EMPTY = 0;
export const POP_CHAIN = 1;
export const POP_FAULT = 2;
// The available index is more than the queue's size ahead.
export const FAULT_INDEX = 2;
// A head or a next field names no descriptor of the table.
export const FAULT_DESCRIPTOR = 3;
// More descriptors than the queue has: a loop.
export const FAULT_LOOP = 4;
// More descriptors, or more pieces of memory, than the device takes in one chain.
export const FAULT_TOO_LONG = 5;
// A device-readable descriptor follows a device-writable one.
export const FAULT_ORDER = 6;
// The address and length wrap around, or no memory answers there.
export const FAULT_ADDRESS = 7;
// 4 GiB or more in one chain.
export const FAULT_LENGTH = 8;
// INDIRECT was not negotiated.
export const FAULT_INDIRECT = 9;
// An indirect descriptor inside an indirect table.
export const FAULT_NESTED = 10;
// INDIRECT together with NEXT, or in the middle of a chain.
export const FAULT_INDIRECT_NEXT = 11;
// The length of an indirect table is 0 or no multiple of 16.
export const FAULT_TABLE_LENGTH = 12;
// The device would write over the ring itself.
export const FAULT_OVER_RING = 13;
// The driver made more chains available than it has descriptors.
export const FAULT_IN_FLIGHT = 14;
// A chain of a packed ring runs into descriptors that are not available.
export const FAULT_PARTIAL = 15;

// 2.7.5 and 2.8: flags of a descriptor.
export const DESC_NEXT = 1;
export const DESC_WRITE = 2;
export const DESC_INDIRECT = 4;
export const DESC_AVAIL = 1 << 7;
export const DESC_USED = 1 << 15;

// 2.7.7 and 2.7.10: flags of the split rings.
export const AVAIL_NO_INTERRUPT = 1;
export const USED_NO_NOTIFY = 1;

// 2.8.10: flags of event suppression.
export const EVENT_ENABLE = 0;
export const EVENT_DISABLE = 1;
export const EVENT_DESCRIPTOR = 2;
export const EVENT_WRAP = 1 << 15;
