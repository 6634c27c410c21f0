// Byte offsets of the emitter's state in linear memory, and what its code and hart.wasm agree on: plain
// constants, shared by TypeScript and AssemblyScript.

// --- The emitter's block ---------------------------------------------------------------------------
// Where the next byte of wasm goes, and where emission gives up.
export const J_OUT = 0;
export const J_OUT_LIMIT = 4;
// Labels open at the present place.
export const J_DEPTH = 8;
// 1: registers live in wasm locals; 0: in the hart's state block.
export const J_LOCALS = 12;
// Registers of the region, by bit: read or written, written.
export const J_X_USED = 16;
export const J_X_WRITTEN = 20;
export const J_F_USED = 24;
export const J_F_WRITTEN = 28;
// The region has floating-point instructions.
export const J_FLOAT = 32;
// First local of the f64 temporaries, of the f32 temporaries.
export const J_F64_TEMPORARIES = 36;
export const J_F32_TEMPORARIES = 40;
// The instruction being emitted: its position relative to the region's base, instructions of its block from
// it to the block's end without itself.
export const J_AT = 44;
export const J_AFTER = 48;
// Depths of the labels of the exits.
export const J_LABEL_SPILL = 52;
export const J_LABEL_EXIT = 56;
export const J_LABEL_NEAR = 60;
export const J_LABEL_INTERPRET = 64;
export const J_LABEL_DISPATCH = 68;
// Table slot of the region.
export const J_SLOT = 72;
export const J_CORE = 76;
export const J_OPERANDS = 80;
// 1 once the present block has made sure that floating point is on.
export const J_FLOAT_READY = 84;
// Relaxed SIMD's fused multiply-add may be used: 1.
export const J_RELAXED = 88;
export const J_BLOCKS = 92;
export const J_BLOCK_COUNT = 96;
export const J_ENTRY_COUNT = 100;
export const J_INSTRUCTIONS = 104;
// Floating-point registers, by bit, that the present block has given a NaN-boxed binary32 number.
export const J_FLOAT_BOXED = 304;
// Pages of the region, and of each: host page, distance in bytes from the first, records of the
// interpreter (u32 each).
export const J_PAGE_COUNT = 108;
export const J_PAGES = 336;
export const J_PAGE_SIZE = 16;
// Cells (u8 each, then u16), records, a queue of cells (u16), blocks, their order (u16): see below.
export const J_MARKS = 256;
export const J_BLOCK_OF = 260;
export const J_RECORDS = 264;
export const J_WORK = 268;
export const J_ORDER = 272;
export const J_ORDER_COUNT = 276;
export const J_MEMORY_ACCESS = 288;
export const J_MAX_INSTRUCTIONS = 292;
// The region has a JALR: 1.
export const J_INDIRECT = 296;
// Where the request came from: the hart's state, the virtual page (u64).
export const J_HART = 308;
export const J_BASE = 312;
export const J_MAX_PAGES = 320;
// Cells in the queue of the walk.
export const J_QUEUED = 324;
// Where the body of the region begins; its branch hints (u32: twice the offset of the instruction in the body, plus
// 1 if the condition is likely to hold), and how many there are.
export const J_BODY = 496;
export const J_HINTS = 500;
export const J_HINT_COUNT = 504;
export const MAX_HINTS = 8192;
export const J_SIZE = 512;
// Local of each register (u8), 0 where it has none.
export const J_X_LOCAL = 128;
export const J_F_LOCAL = 160;

// A cell is a half-word of one of the region's pages: page number in bits 11 and up.
export const CELLS_PER_PAGE = 2048;
export const CELL_SEEN = 1;
export const CELL_LEADER = 2;
export const CELL_ENTRY = 4;
export const CELL_QUEUED = 8;

export const MAX_BLOCKS = 1536;
export const MAX_ENTRIES = 400;
// A block of the region's flow graph. Block 0 is the root: its successors are the entries.
export const B_CELL = 0;
export const B_COUNT = 4;
// Position of the first instruction, relative to the base.
export const B_AT = 8;
// How it ends.
export const B_KIND = 12;
// Blocks, NO_BLOCK where the region is left; positions.
export const B_TAKEN = 16;
export const B_NEXT = 20;
export const B_TAKEN_AT = 24;
export const B_NEXT_AT = 28;
// Position in reverse postorder, from 1; 0: not reached.
export const B_RANK = 32;
export const B_DOMINATOR = 36;
// Number of the entry plus 1, 0 for none.
export const B_ENTRY = 40;
// Edges to it that lead forward; edges that lead back.
export const B_FORWARD = 44;
export const B_BACK = 48;
// Children in the dominator tree that need a label: the last in order first.
export const B_CHILDREN = 52;
export const B_SIBLING = 56;
// Instructions to the next check of the budget, at most.
export const B_NEED = 60;
export const B_LABEL = 64;
export const B_LOOP_LABEL = 68;
export const BLOCK_SIZE = 72;
export const NO_BLOCK = 0xffff;

export const KIND_FALL = 0;
export const KIND_BRANCH = 1;
export const KIND_JUMP = 2;
export const KIND_INDIRECT = 3;

// --- Locals of every region ------------------------------------------------------------------------
// Parameters: the hart's state, the virtual address of the page of the first instruction, the entry.
export const LOCAL_STATE = 0;
export const LOCAL_BASE = 1;
export const LOCAL_ENTRY = 2;
// i32
export const LOCAL_LEFT = 3;
export const LOCAL_READ_TLB = 4;
export const LOCAL_WRITE_TLB = 5;
export const LOCAL_SLOT = 6;
export const LOCAL_STATUS = 7;
export const LOCAL_NEAR = 8;
export const LOCAL_FLOAT_ON = 9;
export const LOCAL_I32_A = 10;
export const LOCAL_I32_B = 11;
// What the magnitude of a binary32 result stays below when it needs no look at the flags, 0 while NX is clear:
// of results that are normal, of finite ones.
export const LOCAL_NORMAL32 = 12;
export const LOCAL_FINITE32 = 13;
// i64
export const LOCAL_TARGET = 14;
export const LOCAL_I64_A = 15;
export const LOCAL_I64_B = 16;
export const LOCAL_I64_C = 17;
export const LOCAL_I64_D = 18;
// The same limits of binary64.
export const LOCAL_NORMAL64 = 19;
export const LOCAL_FINITE64 = 20;
export const LOCAL_REGISTERS = 21;
export const F64_TEMPORARIES = 14;
export const F32_TEMPORARIES = 4;

// --- Operand kinds of the instructions, a byte for each op number ------------------------------------
export const READS_X1 = 1;
export const READS_X2 = 2;
export const WRITES_X = 4;
export const READS_F1 = 8;
export const READS_F2 = 16;
export const READS_F3 = 32;
export const WRITES_F = 64;

// --- What a region answers ---------------------------------------------------------------------------
// 0 to 4 as in assembly/status.ts; the next instruction is not to be entered as compiled code:
export const INTERPRET = 5;

// --- Imported functions, in this order --------------------------------------------------------------
export const CALL_LOAD = 0;
export const CALL_STORE = 1;
export const CALL_EXECUTE = 2;
export const CALL_MULH = 3;
export const CALL_MULHSU = 4;
export const CALL_MULHU = 5;
// compiledFloatOperation and whileInexact of assembly/float.ts.
export const CALL_FLOAT = 6;
export const CALL_WHILE_INEXACT = 7;
// compiledCsr of assembly/compiled.ts.
export const CALL_CSR = 8;
