// Offsets within the SR-IOV extended capability (PCIe 9.3.3).

export const CAPABILITIES = 0x04;
export const CONTROL = 0x08;
export const STATUS = 0x0a;
export const INITIAL_VFS = 0x0c;
export const TOTAL_VFS = 0x0e;
export const NUM_VFS = 0x10;
export const DEPENDENCY_LINK = 0x12;
export const FIRST_VF_OFFSET = 0x14;
export const VF_STRIDE = 0x16;
export const VF_DEVICE_ID = 0x1a;
export const SUPPORTED_PAGE_SIZES = 0x1c;
export const SYSTEM_PAGE_SIZE = 0x20;
export const VF_BAR0 = 0x24;
export const MIGRATION_STATE = 0x3c;
export const SIZE = 0x40;

// Control (9.3.3.3).
export const VF_ENABLE = 1 << 0;
export const VF_MEMORY_ENABLE = 1 << 3;
export const ARI_CAPABLE_HIERARCHY = 1 << 4;

/** Bits of the page sizes that every device supports: 4 KiB, 8, 64, 256 KiB, 1 and 4 MiB (9.3.3.12). */
export const MANDATORY_PAGE_SIZES = 0x553;
/** Bit n of both page size registers stands for 4 KiB shifted left by n. */
export const SMALLEST_PAGE = 0x1000;
