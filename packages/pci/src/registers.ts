// Offsets and bits of the configuration header (PCIe base 7.5.1; type 1: 7.5.1.3).

export const VENDOR_ID = 0x00;
export const DEVICE_ID = 0x02;
export const COMMAND = 0x04;
export const STATUS = 0x06;
export const REVISION_ID = 0x08;
export const CLASS_CODE = 0x09;
export const CACHE_LINE_SIZE = 0x0c;
export const HEADER_TYPE = 0x0e;
export const BAR0 = 0x10;
export const SUBSYSTEM_VENDOR_ID = 0x2c;
export const SUBSYSTEM_ID = 0x2e;
export const EXPANSION_ROM = 0x30;
export const CAPABILITIES_POINTER = 0x34;
export const INTERRUPT_LINE = 0x3c;
export const INTERRUPT_PIN = 0x3d;

// Type 1 only.
export const PRIMARY_BUS = 0x18;
export const SECONDARY_BUS = 0x19;
export const SUBORDINATE_BUS = 0x1a;
export const IO_BASE = 0x1c;
export const IO_LIMIT = 0x1d;
export const SECONDARY_STATUS = 0x1e;
export const MEMORY_BASE = 0x20;
export const MEMORY_LIMIT = 0x22;
export const PREFETCHABLE_BASE = 0x24;
export const PREFETCHABLE_LIMIT = 0x26;
export const PREFETCHABLE_BASE_UPPER = 0x28;
export const PREFETCHABLE_LIMIT_UPPER = 0x2c;
export const BRIDGE_EXPANSION_ROM = 0x38;
export const BRIDGE_CONTROL = 0x3e;

// Command register.
export const COMMAND_IO = 1 << 0;
export const COMMAND_MEMORY = 1 << 1;
export const COMMAND_BUS_MASTER = 1 << 2;
export const COMMAND_PARITY_RESPONSE = 1 << 6;
export const COMMAND_SERR = 1 << 8;
export const COMMAND_INTERRUPT_DISABLE = 1 << 10;

// Status and secondary status registers; those from bit 8 up are cleared by writing 1.
export const STATUS_INTERRUPT = 1 << 3;
export const STATUS_CAPABILITIES = 1 << 4;
export const STATUS_SIGNALED_TARGET_ABORT = 1 << 11;
export const STATUS_RECEIVED_TARGET_ABORT = 1 << 12;
// A request of ours ended as unsupported: nobody answers at the address.
export const STATUS_RECEIVED_MASTER_ABORT = 1 << 13;
export const STATUS_SIGNALED_SYSTEM_ERROR = 1 << 14;
export const STATUS_ERRORS = 0xf900;

export const HEADER_TYPE_1 = 1;
export const HEADER_MULTI_FUNCTION = 0x80;

// Bridge control register.
export const BRIDGE_PARITY_RESPONSE = 1 << 0;
export const BRIDGE_SERR = 1 << 1;
export const BRIDGE_SECONDARY_RESET = 1 << 6;

// Capability IDs (PCI Code and ID Assignment, 2).
export const CAPABILITY_POWER = 0x01;
export const CAPABILITY_MSI = 0x05;
export const CAPABILITY_VENDOR = 0x09;
export const CAPABILITY_BRIDGE_SUBSYSTEM = 0x0d;
export const CAPABILITY_EXPRESS = 0x10;
export const CAPABILITY_MSIX = 0x11;

// Extended capability IDs (PCI Code and ID Assignment, 3).
export const EXTENDED_AER = 0x0001;
export const EXTENDED_SERIAL_NUMBER = 0x0003;
export const EXTENDED_ACS = 0x000d;
export const EXTENDED_ARI = 0x000e;
export const EXTENDED_SRIOV = 0x0010;
