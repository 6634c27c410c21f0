// Privilege modes.
export const USER: u32 = 0;
export const SUPERVISOR: u32 = 1;
export const MACHINE: u32 = 3;

// mstatus (privileged architecture 3.1.6).
export const SIE: u64 = 1 << 1;
export const MIE: u64 = 1 << 3;
export const SPIE: u64 = 1 << 5;
export const MPIE: u64 = 1 << 7;
export const SPP: u64 = 1 << 8;
export const MPP: u64 = 3 << 11;
export const FS: u64 = 3 << 13;
export const MPRV: u64 = 1 << 17;
export const SUM: u64 = 1 << 18;
export const MXR: u64 = 1 << 19;
export const TVM: u64 = 1 << 20;
export const TW: u64 = 1 << 21;
export const TSR: u64 = 1 << 22;
export const UXL: u64 = 2 << 32;
export const SXL: u64 = 2 << 34;
export const SD: u64 = 1 << 63;
export const MPP_SHIFT: u64 = 11;
export const SPP_SHIFT: u64 = 8;

// Exception causes (3.1.15).
export const FETCH_ACCESS_FAULT: u32 = 1;
export const ILLEGAL_INSTRUCTION: u32 = 2;
export const BREAKPOINT: u32 = 3;
export const LOAD_MISALIGNED: u32 = 4;
export const LOAD_ACCESS_FAULT: u32 = 5;
export const STORE_MISALIGNED: u32 = 6;
export const STORE_ACCESS_FAULT: u32 = 7;
export const ECALL_FROM_U: u32 = 8;
export const ECALL_FROM_S: u32 = 9;
export const FETCH_PAGE_FAULT: u32 = 12;
export const LOAD_PAGE_FAULT: u32 = 13;
export const STORE_PAGE_FAULT: u32 = 15;

// mip and mie.
export const SSIP: u64 = 1 << 1;
export const STIP: u64 = 1 << 5;
export const SEIP: u64 = 1 << 9;

// menvcfg.
export const ADUE: u64 = 1 << 61;
export const STCE: u64 = 1 << 63;

// Kinds of access.
export const FETCH: u32 = 0;
export const READ: u32 = 1;
export const WRITE: u32 = 2;

// How an instruction outside the dispatch loop ended.
// Retired; the next one follows it.
export const NEXT: u32 = 0;
// Retired; S_PC holds the next one, interrupts are looked at.
export const RESYNC: u32 = 1;
// A trap was taken; nothing retired.
export const TRAPPED: u32 = 2;
// run() ends; nothing retired.
export const LEAVE: u32 = 3;
// run() ends after this instruction.
export const LEAVE_RETIRED: u32 = 4;
