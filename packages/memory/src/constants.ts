// Plain constants, shared by TypeScript and AssemblyScript.

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;

// Page flags: one byte per 4 KiB page of the host's memory. Zero means that a store needs no further care.
// The page holds pre-decoded or compiled guest code.
export const PAGE_CODE = 1;
// The page is under dirty tracking and has not been written since tracking was armed.
export const PAGE_CLEAN = 2;
// A watchpoint of stores lies in the page.
export const PAGE_WATCHED = 4;
// A hart holds an LR reservation in the page.
export const PAGE_RESERVED = 8;
// Loads of harts from the page are told: a hart keeps it out of its translation buffer for loads.
export const PAGE_LOAD_WATCHED = 16;
