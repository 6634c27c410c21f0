// The register page (chapter 6): byte offsets, and bits. A register of 8 bytes has its high half at offset + 4.

export const REGISTER_BYTES = 0x1000;

export const CAPABILITIES = 0;
export const FCTL = 8;
export const DDTP = 16;
export const CQB = 24;
export const CQH = 32;
export const CQT = 36;
export const FQB = 40;
export const FQH = 48;
export const FQT = 52;
export const PQB = 56;
export const PQH = 64;
export const PQT = 68;
export const CQCSR = 72;
export const FQCSR = 76;
export const PQCSR = 80;
export const IPSR = 84;
export const IOCOUNTOVF = 88;
export const IOCOUNTINH = 92;
export const IOHPMCYCLES = 96;
/** Counter n, 1 to 31, at IOHPMCTR + 8 * (n - 1). */
export const IOHPMCTR = 104;
/** Selector n, 1 to 31, at IOHPMEVT + 8 * (n - 1). */
export const IOHPMEVT = 352;
export const TR_REQ_IOVA = 600;
export const TR_REQ_CTL = 608;
export const TR_RESPONSE = 616;
export const ICVEC = 760;
/** Entry n at MSI_CFG_TBL + 16 * n: address, data, vector control. */
export const MSI_CFG_TBL = 768;

export const FCTL_BE = 1 << 0;
export const FCTL_WSI = 1 << 1;

// cqcsr, fqcsr, pqcsr: what they share, and what each has.
export const QUEUE_ENABLE = 1 << 0;
export const QUEUE_INTERRUPT_ENABLE = 1 << 1;
export const QUEUE_MEMORY_FAULT = 1 << 8;
export const QUEUE_OVERFLOW = 1 << 9;
export const QUEUE_ON = 1 << 16;
export const COMMAND_TIMEOUT = 1 << 9;
export const COMMAND_ILLEGAL = 1 << 10;
export const FENCE_PENDING = 1 << 11;

// ipsr, and the causes of icvec in the same order.
export const IP_COMMAND = 0;
export const IP_FAULT = 1;
export const IP_PERFORMANCE = 2;
export const IP_PAGE_REQUEST = 3;
export const IP_CAUSES = 4;

// tr_req_ctl, low half; PV is bit 0 and DID bits 31:8 of the high half.
export const TR_GO = 1 << 0;
export const TR_PRIVILEGED = 1 << 1;
export const TR_EXECUTE = 1 << 2;
export const TR_NO_WRITE = 1 << 3;
export const TR_PV = 1 << 0;

// tr_response, low half.
export const TR_FAULT = 1 << 0;
export const TR_PBMT_SHIFT = 7;
export const TR_SUPERPAGE = 1 << 9;

// capabilities.IGS.
export const IGS_MSI = 0;
export const IGS_WSI = 1;
export const IGS_BOTH = 2;

// Events of iohpmevt.
export const EVENT_UNTRANSLATED = 1;
export const EVENT_TRANSLATED = 2;
export const EVENT_ATS = 3;
export const EVENT_TLB_MISS = 4;
export const EVENT_DEVICE_WALK = 5;
export const EVENT_PROCESS_WALK = 6;
export const EVENT_FIRST_WALK = 7;
export const EVENT_SECOND_WALK = 8;
