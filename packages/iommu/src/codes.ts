// Plain constants, shared by TypeScript and AssemblyScript. Numbers of clauses are those of the RISC-V IOMMU
// Architecture Specification 1.0.

// Transaction types (fault record, TTYP).
export const TTYP_NONE = 0;
export const TTYP_UNTRANSLATED_EXECUTE = 1;
export const TTYP_UNTRANSLATED_READ = 2;
export const TTYP_UNTRANSLATED_WRITE = 3;
export const TTYP_TRANSLATED_EXECUTE = 5;
export const TTYP_TRANSLATED_READ = 6;
export const TTYP_TRANSLATED_WRITE = 7;
export const TTYP_ATS_REQUEST = 8;
export const TTYP_MESSAGE = 9;

// Beside the transaction type in the core's argument.
/** ATS: the device does not ask for write permission. */
export const REQUEST_NO_WRITE = 0x100;
/** ATS: the device asks for execute permission. */
export const REQUEST_EXECUTE = 0x200;
/** From the translation-request registers. */
export const REQUEST_DEBUG = 0x400;

// Beside the process ID in the core's argument.
export const PROCESS_VALID = 0x10_0000;
export const PROCESS_PRIVILEGED = 0x20_0000;

// Fault causes.
export const CAUSE_EXECUTE_ACCESS = 1;
export const CAUSE_READ_ACCESS = 5;
export const CAUSE_WRITE_ACCESS = 7;
export const CAUSE_EXECUTE_PAGE = 12;
export const CAUSE_READ_PAGE = 13;
export const CAUSE_WRITE_PAGE = 15;
export const CAUSE_EXECUTE_GUEST_PAGE = 20;
export const CAUSE_READ_GUEST_PAGE = 21;
export const CAUSE_WRITE_GUEST_PAGE = 23;
export const CAUSE_ALL_DISALLOWED = 256;
export const CAUSE_DDT_ACCESS = 257;
export const CAUSE_DDT_INVALID = 258;
export const CAUSE_DDT_MISCONFIGURED = 259;
export const CAUSE_TYPE_DISALLOWED = 260;
export const CAUSE_MSI_PTE_ACCESS = 261;
export const CAUSE_MSI_PTE_INVALID = 262;
export const CAUSE_MSI_PTE_MISCONFIGURED = 263;
export const CAUSE_MRIF_ACCESS = 264;
export const CAUSE_PDT_ACCESS = 265;
export const CAUSE_PDT_INVALID = 266;
export const CAUSE_PDT_MISCONFIGURED = 267;
export const CAUSE_MSI_WRITE_ACCESS = 273;

// ddtp.iommu_mode.
export const DDTP_OFF = 0;
export const DDTP_BARE = 1;
export const DDTP_1LVL = 2;
export const DDTP_2LVL = 3;
export const DDTP_3LVL = 4;

// What a translation leads to.
export const TO_MEMORY = 0;
/** A page of an interrupt file, by an MSI PTE in basic mode. */
export const TO_INTERRUPT_FILE = 1;
/** A memory-resident interrupt file, by an MSI PTE in MRIF mode. */
export const TO_MRIF = 2;

// Permissions of a translation.
export const PERMIT_READ = 1;
export const PERMIT_WRITE = 2;
export const PERMIT_EXECUTE = 4;
export const PERMIT_GLOBAL = 8;

// Shift of the range that a translation without any page table stands for: 1 GiB.
export const BARE_SHIFT = 30;

// Bits 0 to 31 of the capabilities register.
export const CAP_SV39 = 0x200;
export const CAP_SV48 = 0x400;
export const CAP_SV57 = 0x800;
export const CAP_SVRSW60T59B = 0x4000;
export const CAP_SVPBMT = 0x8000;
export const CAP_SV39X4 = 0x2_0000;
export const CAP_SV48X4 = 0x4_0000;
export const CAP_SV57X4 = 0x8_0000;
export const CAP_AMO_MRIF = 0x20_0000;
export const CAP_MSI_FLAT = 0x40_0000;
export const CAP_MSI_MRIF = 0x80_0000;
export const CAP_AMO_HWAD = 0x100_0000;
export const CAP_ATS = 0x200_0000;
export const CAP_T2GPA = 0x400_0000;
export const CAP_END = 0x800_0000;
export const CAP_IGS_SHIFT = 28;
export const CAP_HPM = 0x4000_0000;
export const CAP_DBG = 0x8000_0000;
// Bits 32 to 63 of it.
export const CAP_HIGH_PD8 = 0x40;
export const CAP_HIGH_PD17 = 0x80;
export const CAP_HIGH_PD20 = 0x100;
export const CAP_HIGH_NL = 0x400;
export const CAP_HIGH_S = 0x800;

// Ways of the IOTLB's sets.
export const IOTLB_WAYS = 4;

// Flags of an entry of the IOTLB; the low byte is PERMIT_*.
export const ENTRY_VALID = 0x100;
/** The first stage is a page table, and the page is accessible to user mode. */
export const ENTRY_USER = 0x200;
export const ENTRY_FIRST_STAGE = 0x400;
export const ENTRY_INTERRUPT_FILE = 0x800;
export const ENTRY_TYPE_SHIFT = 12;

// Identifiers that tag an entry: valid bit above the number.
export const ID_VALID = 0x8000_0000;
