// Flattened devicetree format, Devicetree specification 0.4, chapter 5. All fields are big-endian.

export const FDT_MAGIC = 0xd00d_feed;
export const FDT_VERSION = 17;
export const FDT_LAST_COMPATIBLE_VERSION = 16;

// Header fields, byte offsets (5.2).
export const FDT_HEADER_MAGIC = 0;
export const FDT_HEADER_TOTAL_SIZE = 4;
export const FDT_HEADER_OFFSET_STRUCTURE = 8;
export const FDT_HEADER_OFFSET_STRINGS = 12;
export const FDT_HEADER_OFFSET_RESERVATIONS = 16;
export const FDT_HEADER_VERSION = 20;
export const FDT_HEADER_LAST_COMPATIBLE = 24;
export const FDT_HEADER_BOOT_CPU = 28;
export const FDT_HEADER_SIZE_STRINGS = 32;
export const FDT_HEADER_SIZE_STRUCTURE = 36;
export const FDT_HEADER_SIZE = 40;

/** Bytes of one memory reservation (5.3). */
export const FDT_RESERVATION_SIZE = 16;

// Structure block tokens (5.4.1).
export const FDT_BEGIN_NODE = 1;
export const FDT_END_NODE = 2;
export const FDT_PROP = 3;
export const FDT_NOP = 4;
export const FDT_END = 9;
