import type { SnapshotValue } from '@vmloom/device';

/** What `sector` counts everywhere (5.2.6), whatever block size is announced; bytes. */
export const SECTOR = 512;

/** How a call of a {@link BlockStore} ends: at once, or by a promise when the store is outside. */
export type Done = void | Promise<void>;

/**
 * What a disk keeps its bytes in. Positions and lengths are bytes, multiples of 512, inside {@link size}: the device
 * has seen to that. A failure is an exception, or a rejection when the store is outside.
 */
export interface BlockStore {
  /** Bytes. */
  readonly size: number;
  readonly readOnly: boolean;
  /**
   * False: every call has done its work when it returns, so equal runs repeat. True: the host does the work in its
   * own time; buffers belong to the store until the promise is settled.
   */
  readonly outside: boolean;
  /** Whether zeroing may free the host's room. */
  readonly deallocates: boolean;
  read(at: number, target: Uint8Array): Done;
  /** May stay in a cache until {@link flush}. */
  write(at: number, source: Uint8Array): Done;
  /** Everything whose write had ended before is on stable storage when this has ended. */
  flush(): Done;
  /** The bytes are not needed any more; reads may answer anything from now on. */
  discard(at: number, length: number): Done;
  /** The bytes read 0 from now on; `deallocate`: their room may be freed. */
  zero(at: number, length: number, deallocate: boolean): Done;
  /** What a snapshot of the machine has to hold; absent where the bytes outlive the machine. */
  save?(): SnapshotValue;
  restore?(value: SnapshotValue): void;
}

/** Whether something is still on its way. */
export const isPending = (done: unknown): done is Promise<void> => done instanceof Promise;

/** Goes on with `next` when `done` has ended well. */
export function andThen(done: Done, next: () => Done): Done {
  return isPending(done) ? done.then(next) : next();
}

/** Ends when all have ended. */
export function all(parts: readonly Done[]): Done {
  const pending = parts.filter(isPending);
  return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined);
}
