// Bits of the structures in memory.

// Leaf and non-leaf PTEs (Privileged, 4.4.1).
export const PTE_V: u64 = 1 << 0;
export const PTE_R: u64 = 1 << 1;
export const PTE_W: u64 = 1 << 2;
export const PTE_X: u64 = 1 << 3;
export const PTE_U: u64 = 1 << 4;
export const PTE_G: u64 = 1 << 5;
export const PTE_A: u64 = 1 << 6;
export const PTE_D: u64 = 1 << 7;
export const PTE_RESERVED: u64 = 0x07c0_0000_0000_0000;
/** Bits 60 and 59: reserved, or software's with Svrsw60t59b. */
export const PTE_SOFTWARE: u64 = 0x1800_0000_0000_0000;
export const PTE_PBMT_SHIFT: u64 = 61;
export const PTE_PBMT: u64 = 3 << 61;
export const PTE_N: u64 = 1 << 63;

export const PPN: u64 = 0x0000_0fff_ffff_ffff;
export const PTE_PPN_SHIFT: u64 = 10;

// Entries of directories (3.1.1, 3.2.1).
export const ENTRY_V: u64 = 1;
export const ENTRY_RESERVED: u64 = 0xffc0_0000_0000_03fe;

// DC.tc (3.1.3.1).
export const TC_V: u64 = 1 << 0;
export const TC_EN_ATS: u64 = 1 << 1;
export const TC_EN_PRI: u64 = 1 << 2;
export const TC_T2GPA: u64 = 1 << 3;
export const TC_DTF: u64 = 1 << 4;
export const TC_PDTV: u64 = 1 << 5;
export const TC_PRPR: u64 = 1 << 6;
export const TC_GADE: u64 = 1 << 7;
export const TC_SADE: u64 = 1 << 8;
export const TC_DPE: u64 = 1 << 9;
export const TC_SBE: u64 = 1 << 10;
export const TC_SXL: u64 = 1 << 11;
export const TC_RESERVED: u64 = 0xffff_ffff_00ff_f000;

// A pointer to a table: its mode in bits 63:60; iohgatp has the GSCID between.
export const MODE_SHIFT: u64 = 60;
export const POINTER_RESERVED: u64 = 0x0fff_f000_0000_0000;
export const GSCID_SHIFT: u64 = 44;

// DC.ta: all but the PSCID. The fields of QoS are reserved without that extension.
export const DC_TA_RESERVED: u64 = 0xffff_ffff_0000_0fff;
export const TA_PSCID_SHIFT: u64 = 12;

// PC.ta (3.2.3.1).
export const PC_V: u64 = 1 << 0;
export const PC_ENS: u64 = 1 << 1;
export const PC_SUM: u64 = 1 << 2;
export const PC_TA_RESERVED: u64 = 0xffff_ffff_0000_0ff8;

// MSI PTEs (Advanced Interrupt Architecture, 9.5).
export const MSI_V: u64 = 1 << 0;
export const MSI_MODE_SHIFT: u64 = 1;
export const MSI_C: u64 = 1 << 63;
export const MSI_BASIC_RESERVED: u64 = 0x7fc0_0000_0000_03f8;
export const MSI_MRIF_RESERVED: u64 = 0x7fc0_0000_0000_0078;
export const MSI_NOTICE_RESERVED: u64 = 0xefc0_0000_0000_0000;
