// RISC-V SBI specification 2.0: error codes (table 1), extension ids and values shared by several chapters.

export const SBI_SUCCESS = 0;
export const SBI_ERR_FAILED = -1;
export const SBI_ERR_NOT_SUPPORTED = -2;
export const SBI_ERR_INVALID_PARAM = -3;
export const SBI_ERR_DENIED = -4;
export const SBI_ERR_INVALID_ADDRESS = -5;
export const SBI_ERR_ALREADY_AVAILABLE = -6;
export const SBI_ERR_ALREADY_STARTED = -7;
export const SBI_ERR_ALREADY_STOPPED = -8;
export const SBI_ERR_NO_SHMEM = -9;
export type SbiError = 0 | -1 | -2 | -3 | -4 | -5 | -6 | -7 | -8 | -9;

// Legacy extensions (chapter 5).
export const EID_LEGACY_PUTCHAR = 0x01;
export const EID_LEGACY_GETCHAR = 0x02;

export const EID_BASE = 0x10;
export const EID_TIME = 0x5449_4d45;
export const EID_IPI = 0x73_5049;
export const EID_RFENCE = 0x5246_4e43;
export const EID_HSM = 0x48_534d;
export const EID_SRST = 0x5352_5354;
export const EID_PMU = 0x50_4d55;
export const EID_DBCN = 0x4442_434e;

// Bits of mip that the SBI drives (Privileged 3.1.9).
export const BIT_SSIP = 1;
export const BIT_STIP = 5;

// CSR numbers (Privileged, chapter 2).
export const CSR_STIMECMP = 0x14d;
export const CSR_MIE = 0x304;
export const CSR_MCOUNTINHIBIT = 0x320;
export const CSR_MIP = 0x344;
export const CSR_MCYCLE = 0xb00;
export const CSR_CYCLE = 0xc00;
export const CSR_INSTRET = 0xc02;
export const CSR_MVENDORID = 0xf11;
export const CSR_MARCHID = 0xf12;
export const CSR_MIMPID = 0xf13;
