import type { DebugTarget, ResumeAction, StopReport, WatchedAccess } from '../target.js';

/** A target without a machine: two threads, a few registers, memory at 0x1000 to 0x1fff; logs what it is told. */
export class FakeTarget implements DebugTarget {
  readonly threads = 2;
  readonly description = '<target>#$}*</target>';
  readonly log: string[] = [];
  readonly registers = new Map<number, bigint>();
  readonly memory = new Uint8Array(0x1000);
  onStop: ((report: StopReport) => void) | undefined;
  stopped: StopReport | undefined;

  attach(): void {
    this.log.push('attach');
    this.stopped = { kind: 'attached', thread: 1 };
  }

  detach(): void {
    this.log.push('detach');
    this.stopped = undefined;
  }

  kill(): void {
    this.log.push('kill');
  }

  interrupt(): void {
    if (this.stopped === undefined) this.stop({ kind: 'interrupted', thread: 1 });
  }

  /** The target stops by itself. */
  stop(report: StopReport): void {
    this.stopped = report;
    this.onStop?.(report);
  }

  resume(actions: readonly ResumeAction[]): void {
    this.log.push(`resume ${actions.join(' ')}`);
    this.stopped = undefined;
  }

  describe(thread: number): string {
    return `thread ${thread}`;
  }

  registerSize(register: number): number | undefined {
    if (register === 66) return 4;
    return register < 65 ? 8 : undefined;
  }

  readRegister(thread: number, register: number): bigint | undefined {
    return this.registers.get(thread * 1000 + register) ?? 0n;
  }

  writeRegister(thread: number, register: number, value: bigint): boolean {
    if (this.registerSize(register) === undefined) return false;
    this.registers.set(thread * 1000 + register, value);
    return true;
  }

  readMemory(_thread: number, address: bigint, length: number): Uint8Array | undefined {
    const at = Number(address) - 0x1000;
    return at < 0 || at >= 0x1000 ? undefined : this.memory.subarray(at, at + length);
  }

  writeMemory(_thread: number, address: bigint, bytes: Uint8Array): boolean {
    const at = Number(address) - 0x1000;
    if (at < 0 || at + bytes.length > 0x1000) return false;
    this.memory.set(bytes, at);
    return true;
  }

  addBreakpoint(address: bigint, hardware: boolean): boolean {
    this.log.push(`${hardware ? 'hardware ' : ''}break ${address.toString(16)}`);
    return true;
  }

  removeBreakpoint(address: bigint, hardware: boolean): void {
    this.log.push(`no ${hardware ? 'hardware ' : ''}break ${address.toString(16)}`);
  }

  addWatchpoint(thread: number, address: bigint, length: number, watched: WatchedAccess): boolean {
    this.log.push(`watch ${watched} ${thread} ${address.toString(16)} ${length}`);
    return address !== 0n;
  }

  removeWatchpoint(address: bigint, length: number, watched: WatchedAccess): void {
    this.log.push(`no watch ${watched} ${address.toString(16)} ${length}`);
  }
}
