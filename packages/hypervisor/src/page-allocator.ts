import { PAGE_SIZE, hostOffset, type HostMemory, type HostOffset } from '@vmloom/memory';
import { HypervisorError } from './error.js';

interface Run {
  readonly start: number;
  readonly end: number;
}

/** Hands out pages of a host's RAM in runs: the lowest run that is long enough (first fit). */
export class PageAllocator {
  #free: Run[];

  constructor(readonly memory: HostMemory) {
    this.#free = [{ start: memory.ramOffset, end: memory.ramOffset + memory.ramSize }];
  }

  /** Bytes that are free, in all runs. */
  get free(): number {
    return this.#free.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /**
   * Takes `bytes` (a multiple of 4 KiB) in one run, cleared, at a multiple of `align`.
   * @throws HypervisorError bad-option, out-of-memory
   */
  allocate(bytes: number, align = PAGE_SIZE): HostOffset {
    if (!Number.isInteger(bytes / PAGE_SIZE) || bytes <= 0 || align % PAGE_SIZE !== 0) {
      throw new HypervisorError('bad-option', `pages come in multiples of 4 KiB, not ${bytes} bytes`);
    }
    for (const [index, { start, end }] of this.#free.entries()) {
      const at = Math.ceil(start / align) * align;
      if (at + bytes > end) continue;
      const rest = [
        { start, end: at },
        { start: at + bytes, end },
      ].filter((run) => run.end > run.start);
      this.#free.splice(index, 1, ...rest);
      this.memory.fill(hostOffset(at), bytes, 0);
      return hostOffset(at);
    }
    throw new HypervisorError(
      'out-of-memory',
      `${bytes} bytes in one piece were asked of a host with ${this.free} bytes free; give the host more memory`,
    );
  }

  /** Gives a run back. @throws HypervisorError bad-option when part of it is free or no RAM of this host */
  release(offset: HostOffset, bytes: number): void {
    const end = offset + bytes;
    const clash = this.#free.some((run) => run.start < end && offset < run.end);
    if (clash || bytes <= 0 || bytes % PAGE_SIZE !== 0 || !this.memory.holds(offset, bytes)) {
      throw new HypervisorError('bad-option', `bytes ${offset} to ${end} were not allocated`);
    }
    const runs = [...this.#free, { start: offset, end }].sort((a, b) => a.start - b.start);
    const joined: Run[] = [];
    for (const run of runs) {
      const last = joined.at(-1);
      if (last?.end === run.start) joined[joined.length - 1] = { start: last.start, end: run.end };
      else joined.push(run);
    }
    this.#free = joined;
  }
}
