import type { SnapshotValue } from '@vmloom/device';

/**
 * A chain that outlives its event: a request to a disk, a read of an idle socket. It keeps what the driver described
 * (bus addresses and lengths), so it can be saved, is safe from a driver that changes descriptors meanwhile, and is
 * mapped anew when it goes on. Objects are used again: a device forgets one when it completes it.
 */
export class HeldChain {
  token = 0;
  /** Segments, readable ones first. */
  count = 0;
  readable = 0;
  /** Four words each: address, upper half, length, unused. */
  words = new Uint32Array(16);
  /** For the device: plain data that says what the request is. Part of the snapshot. */
  request: SnapshotValue = null;

  take(token: number, count: number, readable: number, segments: Uint32Array): void {
    this.token = token;
    this.count = count;
    this.readable = readable;
    this.request = null;
    const length = 4 * count;
    if (this.words.length < length) this.words = new Uint32Array(2 * length);
    for (let index = 0; index < length; index++) this.words[index] = segments[index]!;
  }

  save(): SnapshotValue {
    return {
      token: this.token,
      readable: this.readable,
      segments: [...this.words.subarray(0, 4 * this.count)],
      request: this.request,
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { token: number; readable: number; segments: number[]; request: SnapshotValue };
    this.take(saved.token, saved.segments.length / 4, saved.readable, Uint32Array.from(saved.segments));
    this.request = saved.request;
  }
}
