// Byte offsets of the hart's state in linear memory: plain constants, shared by TypeScript and AssemblyScript.

// --- The state block of one hart -------------------------------------------------------------------
// Integer registers come first, so that a record's pre-scaled register index is an offset into the block.
export const S_X = 0;
// Where instructions with rd = x0 write.
export const S_X_SINK = 256;
export const S_PC = 264;
// Retired instructions (u64) at which the running slice ends; the present count is this minus S_LEFT.
export const S_END = 272;
// Instructions left in the slice; in the middle of an instruction, without that one.
export const S_LEFT = 280;
// 1 while an instruction is being carried out by a function outside the dispatch loop.
export const S_INSIDE = 284;
export const S_PRIVILEGE = 288;
// Virtualization mode and VMID of the hypervisor extension: always 0 on a hart without it.
export const S_V = 292;
export const S_VMID = 296;
export const S_EXIT = 300;
// 1 after WFI until an interrupt is pending.
export const S_WAITING = 304;
export const S_OPTIONS = 308;
// Position among the harts of the core, for calls to the host; mhartid is S_HART_ID.
export const S_INDEX = 312;
export const S_CORE = 316;
// Active translation buffers.
export const S_FETCH_TLB = 320;
export const S_READ_TLB = 324;
export const S_WRITE_TLB = 328;
// Host offset of the reserved 64-byte set, 0 without a reservation.
export const S_RESERVATION = 332;
// Results of the slow paths: a fault's cause and address, a physical address, a value.
export const S_FAULT_CAUSE = 336;
export const S_CSR_ILLEGAL = 340;
export const S_FAULT_ADDRESS = 344;
export const S_PHYSICAL = 352;
export const S_VALUE = 360;
// 1 while pmpcfg holds an entry that is not OFF.
export const S_PMP_ACTIVE = 368;
// 1 while a locked entry binds M-mode too.
export const S_PMP_LOCKED = 372;
// Nanoseconds (u64) and picoseconds beyond (u32) at a retired count (u64): virtual time is linear from there.
export const S_EPOCH_TIME = 376;
export const S_EPOCH_RETIRED = 384;
export const S_EPOCH_REMAINDER = 392;
export const S_PICOSECONDS = 396;
export const S_TIMEBASE = 400;
export const S_TLB_BASE = 408;
// Level of the last walk's leaf.
export const S_WALK_LEVEL = 412;
// Next translation bank to reuse.
export const S_BANK_NEXT = 416;
export const S_BANK = 420;
export const S_RAM_COUNT = 424;
export const S_HART_ID = 428;
// Instructions (u64) that compiled code retired, its calls (u64), and how they ended: a u32 for each answer.
export const S_COMPILED_RETIRED = 432;
export const S_COMPILED_CALLS = 440;
export const S_COMPILED_EXITS = 448;
export const S_F = 512;
// CSRs, 8 bytes each.
export const S_MSTATUS = 768;
export const S_MTVEC = 776;
export const S_MEDELEG = 784;
export const S_MIDELEG = 792;
export const S_MIE = 800;
// mip is the OR of what software wrote, the input lines and (with Sstc) the timer.
export const S_MIP_SOFTWARE = 808;
export const S_MIP_LINES = 816;
export const S_MIP_TIMER = 824;
export const S_MEPC = 832;
export const S_MCAUSE = 840;
export const S_MTVAL = 848;
export const S_MSCRATCH = 856;
export const S_MCOUNTEREN = 864;
export const S_MCOUNTINHIBIT = 872;
export const S_MENVCFG = 880;
export const S_STVEC = 888;
export const S_SEPC = 896;
export const S_SCAUSE = 904;
export const S_STVAL = 912;
export const S_SSCRATCH = 920;
export const S_SCOUNTEREN = 928;
export const S_SENVCFG = 936;
export const S_SATP = 944;
export const S_STIMECMP = 952;
export const S_FFLAGS = 960;
export const S_FRM = 964;
// Added to the retired count, or the value itself while mcountinhibit holds the counter.
export const S_MCYCLE = 968;
export const S_MINSTRET = 976;
export const S_PMPCFG = 984;
export const S_PMPADDR = 1000;
// Labels (u64) of the translation banks: satp mode and ASID, VMID and V.
export const S_BANK_LABELS = 1128;
// RAM and ROM of the address space: first, end (u64), host offset of first, flags (u32).
export const S_RAM_MAP = 1168;
export const RAM_ENTRY_SIZE = 24;
export const RAM_ENTRIES = 32;
// A record for an instruction that crosses a page, and the end-of-page record behind it.
export const S_CROSSING = 1936;
// A copy of the record that is being carried out: a store may drop the record itself.
export const S_RECORD = 1984;
// CSRs of the Advanced Interrupt Architecture, all 0 on a hart without it. mvip and sie hold here only the bits
// that are no aliases of mip and mie; S_VIRTUAL_PENDING is derived: bit n + 32 for a virtual interrupt n of S-mode
// that is pending and enabled.
export const S_MVIEN = 2048;
export const S_MVIP = 2056;
export const S_VIRTUAL_SIE = 2064;
export const S_VIRTUAL_PENDING = 2072;
export const S_MISELECT = 2080;
export const S_SISELECT = 2088;
// Priority numbers of major interrupts 0 to 15, a byte each.
export const S_MIPRIO = 2096;
export const S_SIPRIO = 2112;
// Priority numbers (u32) of the machine and the supervisor external interrupt, as their controller tells.
export const S_EXTERNAL_PRIORITY = 2128;
export const STATE_SIZE = 2176;

// --- Translation buffers ---------------------------------------------------------------------------
export const TLB_BITS = 9;
export const TLB_ENTRIES = 512;
// tag u64 (page address), then u32 and u32: fetch: records of the page, host page; read: addend, 0;
// write: addend, address of the page's flag byte. A tag with low bits set is invalid.
export const TLB_ENTRY_SIZE = 16;
export const TLB_PART = 8192;
// fetch, read, write, then levels (a byte per entry of each), then a word that is not 0 when an entry is
// valid, then for each level of superpages a filter: 512 bits, of which each superpage sets one.
export const TLB_LEVELS = 24576;
export const TLB_USE = 26112;
export const TLB_FILTERS = 26120;
export const TLB_FILTER_SIZE = 64;
export const TLB_SET_SIZE = 26312;
// Sets of a bank: U, S without SUM, S with SUM. The last set is M-mode's.
export const BANKS = 4;
export const BANK_SETS = 3;
export const TLB_SETS = 13;

// --- The core block, one per host memory -----------------------------------------------------------
export const C_FLAGS = 0;
export const C_PAGE_MAP = 4;
export const C_POOL = 8;
export const C_POOL_PAGES = 12;
export const C_POOL_NEXT = 16;
export const C_POOL_META = 20;
export const C_BUCKETS = 24;
export const C_COMPRESSED = 28;
export const C_HART_COUNT = 32;
export const C_HARTS = 36;
export const MAX_HARTS = 64;
// Virtual addresses (u64) at which a hart leaves before it carries out the instruction.
export const C_BREAKPOINT_COUNT = 292;
export const C_BREAKPOINTS = 296;
export const MAX_BREAKPOINTS = 256;
// Executions after which an instruction asks to be compiled, 1 to 255; 0 never.
export const C_THRESHOLD = 304;
// Instructions that asked: host offset, hart state (u32 each), virtual address (u64); when it is compiled and
// often entered from another region, that region (u32), its own (u32), and the bases of both (u64 each).
export const C_QUEUE = 308;
export const C_QUEUE_COUNT = 312;
export const QUEUE_LENGTH = 64;
export const QUEUE_ENTRY_SIZE = 40;
export const Q_OFFSET = 0;
export const Q_HART = 4;
export const Q_PC = 8;
export const Q_FROM = 16;
export const Q_TO = 20;
export const Q_FROM_BASE = 24;
export const Q_TO_BASE = 32;
// Entries from another region after which the two ask to be one.
export const C_MERGE_THRESHOLD = 340;
// Instructions that a region retires before it asks to be compiled for speed.
export const C_FAST_THRESHOLD = 344;
// Compiled regions: descriptors by number, a list of nodes for each host page, unused nodes.
export const C_REGIONS = 316;
export const C_REGION_LIMIT = 320;
export const C_REGION_PAGES = 324;
export const C_NODES_FREE = 328;
// Regions dropped so far; regions whose code may be let go, a list by number, 0 at its end.
export const C_DROP_COUNT = 332;
export const C_DROPPED = 336;
export const CORE_SIZE = 352;

// --- Compiled regions ------------------------------------------------------------------------------
export const REGION_STATE = 0;
export const REGION_NEXT_DROPPED = 4;
export const REGION_NODES = 8;
export const REGION_PAGE_COUNT = 12;
// For each page: host page u32, first byte and end u16 of what the region holds of it, pages from the region's
// base to it i32.
export const REGION_PAGES = 16;
export const REGION_PAGE_SIZE = 12;
export const REGION_MAX_PAGES = 8;
// Instructions (i32) that it still has to retire before it asks to be compiled for speed; 1 when it is.
export const REGION_COUNTDOWN = 112;
export const REGION_FAST = 116;
export const REGION_SIZE = 128;
export const REGION_FREE = 0;
export const REGION_PENDING = 1;
export const REGION_INSTALLED = 2;
export const REGION_DROPPED = 3;
// A node: byte offset in the page of an entry (u16), or NODE_NO_ENTRY for the page itself; number of the
// entry (u16), region, next node of the page, next node of the region.
export const NODE_OFFSET = 0;
export const NODE_ENTRY = 2;
export const NODE_REGION = 4;
export const NODE_NEXT_IN_PAGE = 8;
export const NODE_NEXT_IN_REGION = 12;
export const NODE_SIZE = 16;
export const NODE_NO_ENTRY = 0xffff;

// --- Pre-decoded code ------------------------------------------------------------------------------
// One record per half-word of a page, and an end-of-page record.
export const RECORD_SIZE = 16;
export const R_OP = 0;
// Offset of the destination register in the state block (u16).
export const R_RD = 2;
// Source register indices times 8 (u8).
export const R_RS1 = 4;
export const R_RS2 = 5;
// Bytes to the next record (u8).
export const R_STEP = 6;
// How often a jump came here, while the instruction is not compiled (u8).
export const R_HEAT = 7;
export const R_IMM = 8;
export const R_RAW = 12;
// The record of a compiled entry holds the number of the entry, the region, the pages from its base (i16), and
// how often other regions led here (u16).
export const R_DISTANCE = 2;
export const R_VISITS = 4;
export const R_ENTRY = 8;
export const R_REGION = 12;
export const DECODED_PAGE_SIZE = 32784;
export const META_SIZE = 12;

// Rows of the decode buckets.
export const ROW_SIZE = 12;

// --- How run() ended -------------------------------------------------------------------------------
export const EXIT_BUDGET = 0;
export const EXIT_WFI = 1;
export const EXIT_SBI = 2;
export const EXIT_STOP = 3;
export const EXIT_BREAKPOINT = 4;
export const EXIT_FATAL = 5;

export const OPTION_HOST_FIRMWARE = 1;
export const OPTION_EBREAK_EXITS = 2;
// The hart runs over the core's breakpoints.
export const OPTION_NO_BREAKPOINTS = 4;
// Smaia and Ssaia; an incoming-MSI controller is connected.
export const OPTION_AIA = 8;
export const OPTION_IMSIC = 16;

// --- The incoming-MSI controller -------------------------------------------------------------------
// Interrupt files; a guest's file has its number, from 1, added to that of the supervisor.
export const FILE_MACHINE = 0;
export const FILE_SUPERVISOR = 1;
// In the place of a register's number: the file's top interrupt; a write claims it.
export const FILE_TOP = 0;

// Immediate types of the decode rows.
export const IMM_NONE = 0;
export const IMM_I = 1;
export const IMM_S = 2;
export const IMM_B = 3;
export const IMM_U = 4;
export const IMM_J = 5;
export const IMM_SHAMT = 6;
export const IMM_CSR = 7;
// rm in bits 2:0, rs3 times 8 above.
export const IMM_RM = 8;
