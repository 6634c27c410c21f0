/** Why a target stopped. Threads are numbered from 1. */
export type StopReport =
  /** The debugger attached or asked for it (Ctrl-C). */
  | { readonly kind: 'attached' | 'interrupted'; readonly thread: number }
  | { readonly kind: 'stepped'; readonly thread: number }
  | { readonly kind: 'breakpoint'; readonly thread: number; readonly hardware: boolean }
  /** `address` is the watchpoint's, as it was set. */
  | {
      readonly kind: 'watchpoint';
      readonly thread: number;
      readonly address: bigint;
      readonly watched: WatchedAccess;
    }
  | { readonly kind: 'exited'; readonly code: number };

/** What a watchpoint watches: stores, loads, or both. */
export type WatchedAccess = 'store' | 'load' | 'both';

/** What a thread does when the target goes on. */
export type ResumeAction = 'run' | 'step' | 'stay';

/** What the protocol needs of the thing that is debugged. Nothing here throws. */
export interface DebugTarget {
  /** The threads are 1 to this number. */
  readonly threads: number;
  /** Told of each stop after {@link resume}, and of the end. */
  onStop: ((report: StopReport) => void) | undefined;
  /** Why it stands still now; undefined while it runs. */
  readonly stopped: StopReport | undefined;
  /** Stops it and takes it under control. */
  attach(): void;
  /** Forgets breakpoints and watchpoints, gives up control and lets it run. */
  detach(): void;
  /** Ends the target for good. */
  kill(): void;
  /** Stops a running target; {@link onStop} follows. */
  interrupt(): void;
  /** By thread, from 1. */
  resume(actions: readonly ResumeAction[]): void;
  /** A few words about a thread for people. */
  describe(thread: number): string;
  /** `target.xml` (GDB manual, appendix G). */
  readonly description: string;
  /** Bytes of a register by its number in the description; undefined when there is none. */
  registerSize(register: number): number | undefined;
  readRegister(thread: number, register: number): bigint | undefined;
  /** False when it cannot be written, or the value is none of its own. */
  writeRegister(thread: number, register: number, value: bigint): boolean;
  /** As many bytes as can be read, `length` at most; undefined when there is none at `address`. */
  readMemory(thread: number, address: bigint, length: number): Uint8Array | undefined;
  /** All or nothing. */
  writeMemory(thread: number, address: bigint, bytes: Uint8Array): boolean;
  /** False when there is no room for more. */
  addBreakpoint(address: bigint, hardware: boolean): boolean;
  removeBreakpoint(address: bigint, hardware: boolean): void;
  /** False when the range has no memory behind it, or there is no room for more. */
  addWatchpoint(thread: number, address: bigint, length: number, watched: WatchedAccess): boolean;
  removeWatchpoint(address: bigint, length: number, watched: WatchedAccess): void;
}

/** The registers of a `g` packet, in its order: x0 to x31, pc, f0 to f31. */
export const GENERAL_REGISTERS = 65;
