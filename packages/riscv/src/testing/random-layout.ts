import { RAM_BASE } from './bare-machine.js';

/** Where a random program's parts lie. Data has one address in all modes, code has several. */
export const PLACE = {
  device: 0x1000_0000,
  machineHandler: RAM_BASE,
  supervisorHandler: RAM_BASE + 0x1000,
  /** Save areas of the handlers. */
  save: RAM_BASE + 0x2000,
  /** The main loops' generator. */
  state: RAM_BASE + 0x3000,
  /** Tables of the program that nothing changes. */
  constants: RAM_BASE + 0x4000,
  tables: RAM_BASE + 0x1_0000,
  scattered: RAM_BASE + 0x8_0000,
  remapped: RAM_BASE + 0xc_0000,
  stacks: RAM_BASE + 0xd_0000,
  data: RAM_BASE + 0x10_0000,
  trouble: RAM_BASE + 0x14_0000,
  /** On a boundary of 2 MiB, for superpages. */
  contiguous: RAM_BASE + 0x20_0000,
} as const;

export const RAM_SIZE = 0x40_0000;
/** Pages of each. */
export const CODE_PAGES = 8;
export const WINDOW_PAGES = 20;
export const TABLE_BYTES = 0x5_0000;
export const CONSTANT_PAGES = 4;
export const STACK_PAGES = 4;
/** Versions of the page that is mapped now here, now there. */
export const REMAPPED_PAGES = 4;
/** Bytes of a hart's part of the save page: M-mode's half and S-mode's. */
export const SAVE_SIZE = 512;
export const SUPERVISOR_SAVE = 256;

/** Virtual addresses of code; the physical ones are M-mode's. */
export const VIRTUAL = {
  /** All of RAM for S-mode's handler, in every address space. */
  kernel: 0xffff_ffc0_0000_0000n,
  supervisorContiguous: 0x1_0000_0000n,
  userContiguous: 0x1_4000_0000n,
  supervisorSuperpage: 0x1_8020_0000n,
  userSuperpage: 0x1_c020_0000n,
  supervisorScattered: 0x2_0000_0000n,
  userScattered: 0x2_4000_0000n,
  supervisorRemapped: 0x3_0000_0000n,
  userRemapped: 0x3_0000_1000n,
} as const;

/** Where the kernel sees a physical address. */
export const kernelAddress = (physicalAddress: number): bigint =>
  VIRTUAL.kernel + BigInt(physicalAddress - RAM_BASE);

/** Registers of the device, by offset. */
export const DEVICE = {
  /** A write lowers the interrupt line that the value names. */
  acknowledge: 0x10,
  /** A write raises one. */
  raise: 0x14,
  /** A write has the device store into code. */
  dma: 0x18,
  /** A write schedules something so many nanoseconds from now. */
  timer: 0x1c,
  /** A write stops the slice behind the instruction. */
  stop: 0x20,
} as const;
