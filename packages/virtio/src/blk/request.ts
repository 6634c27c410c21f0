import type { Chain } from '../queue/chain.js';
import { SECTOR } from './block-store.js';
import { MAX_RANGES, MAX_RANGE_SECTORS } from './config.js';
import * as R from './registers.js';

export type RequestKind = 'read' | 'write' | 'flush' | 'id' | 'discard' | 'zeroes' | 'none';

/** Bytes of the disk that a discard or a write zeroes names. */
export interface DiskRange {
  readonly at: number;
  readonly length: number;
  readonly deallocate: boolean;
}

/**
 * One request, from its header to its status byte. Plain data: a snapshot holds it, and a driver that writes over
 * its header meanwhile changes nothing.
 */
export interface BlockRequest {
  readonly kind: RequestKind;
  /** Where on the disk the data begins; bytes. */
  readonly at: number;
  /** Bytes of data. */
  readonly length: number;
  /** Bytes of data that have been moved; of {@link ranges}: bytes of the first one. */
  done: number;
  /** What is left of a discard or write zeroes. */
  readonly ranges: DiskRange[];
  /** A flush has to come before the end. */
  flush: boolean;
  /** VIRTIO_BLK_S_*. */
  status: number;
}

/** What the store has to do next for a request. */
export type BlockAction =
  | { readonly kind: 'read' | 'write'; readonly at: number; readonly from: number; readonly length: number }
  | { readonly kind: 'discard'; readonly at: number; readonly length: number }
  | { readonly kind: 'zero'; readonly at: number; readonly length: number; readonly deallocate: boolean }
  | { readonly kind: 'flush' };

/** What a device is to its requests. */
export interface DiskLimits {
  /** Bytes. */
  readonly size: number;
  readonly readOnly: boolean;
  readonly discard: boolean;
  readonly writeZeroes: boolean;
  /** A write is stable when its completion is reported (5.2.6.2). */
  readonly writethrough: boolean;
}

/** 5.2.6: the request of a chain that has room for a status byte. */
export function parseRequest(chain: Chain, limits: DiskLimits): BlockRequest {
  const { readable, writable } = chain;
  if (readable.length < R.HEADER) return failed(R.VIRTIO_BLK_S_IOERR);
  const sector = readable.u64(8);
  const outgoing = readable.length - R.HEADER;
  const incoming = writable.length - 1;
  switch (readable.u32(0)) {
    case R.VIRTIO_BLK_T_IN:
      return transfer('read', sector, incoming, limits);
    case R.VIRTIO_BLK_T_OUT:
      if (limits.readOnly) return failed(R.VIRTIO_BLK_S_IOERR);
      return transfer('write', sector, outgoing, limits);
    case R.VIRTIO_BLK_T_FLUSH:
    case R.VIRTIO_BLK_T_FLUSH_OUT:
      return { ...failed(R.VIRTIO_BLK_S_OK), kind: 'flush', flush: true };
    case R.VIRTIO_BLK_T_GET_ID:
      return { ...failed(R.VIRTIO_BLK_S_OK), kind: 'id' };
    case R.VIRTIO_BLK_T_DISCARD:
      return limits.discard ? rangesOf('discard', chain, outgoing, limits) : refused(limits);
    case R.VIRTIO_BLK_T_WRITE_ZEROES:
      return limits.writeZeroes ? rangesOf('zeroes', chain, outgoing, limits) : refused(limits);
    default:
      return failed(R.VIRTIO_BLK_S_UNSUPP);
  }
}

const failed = (status: number): BlockRequest => ({
  kind: 'none',
  at: 0,
  length: 0,
  done: 0,
  ranges: [],
  flush: false,
  status,
});

const refused = (limits: DiskLimits): BlockRequest =>
  failed(limits.readOnly ? R.VIRTIO_BLK_S_IOERR : R.VIRTIO_BLK_S_UNSUPP);

const beyond = (sector: number, length: number, limits: DiskLimits): boolean =>
  sector * SECTOR + length > limits.size;

function transfer(kind: 'read' | 'write', sector: number, length: number, limits: DiskLimits): BlockRequest {
  if (length % SECTOR !== 0 || beyond(sector, length, limits)) return failed(R.VIRTIO_BLK_S_IOERR);
  const flush = kind === 'write' && limits.writethrough;
  return { ...failed(R.VIRTIO_BLK_S_OK), kind, at: sector * SECTOR, length, flush };
}

function rangesOf(
  kind: 'discard' | 'zeroes',
  { readable }: Chain,
  bytes: number,
  limits: DiskLimits,
): BlockRequest {
  const count = bytes / R.SEGMENT;
  if (!Number.isInteger(count) || count < 1 || count > MAX_RANGES) return failed(R.VIRTIO_BLK_S_IOERR);
  const ranges: DiskRange[] = [];
  for (let at = R.HEADER; at < R.HEADER + bytes; at += R.SEGMENT) {
    const sector = readable.u64(at);
    const sectors = readable.u32(at + 8);
    const flags = readable.u32(at + 12);
    // 5.2.6.2: unknown flags, and `unmap` in a discard.
    if ((flags & ~(kind === 'zeroes' ? R.FLAG_UNMAP : 0)) !== 0) return failed(R.VIRTIO_BLK_S_UNSUPP);
    if (sectors > MAX_RANGE_SECTORS || beyond(sector, sectors * SECTOR, limits)) {
      return failed(R.VIRTIO_BLK_S_IOERR);
    }
    const deallocate = (flags & R.FLAG_UNMAP) !== 0;
    if (sectors > 0) ranges.push({ at: sector * SECTOR, length: sectors * SECTOR, deallocate });
  }
  // A write of zeros is a write: in writethrough mode it is stable too.
  return { ...failed(R.VIRTIO_BLK_S_OK), kind, ranges, flush: kind === 'zeroes' && limits.writethrough };
}

/** The next thing to do, of at most `most` bytes of data; undefined: the request has ended. */
export function nextAction(request: BlockRequest, most: number): BlockAction | undefined {
  if (request.status !== R.VIRTIO_BLK_S_OK) return undefined;
  const { kind, done, ranges } = request;
  if ((kind === 'read' || kind === 'write') && done < request.length) {
    return { kind, at: request.at + done, from: done, length: Math.min(most, request.length - done) };
  }
  const range = ranges[0];
  if (range !== undefined) {
    const at = range.at + done;
    const length = Math.min(16 * most, range.length - done);
    if (kind === 'discard') return { kind, at, length };
    return { kind: 'zero', at, length, deallocate: range.deallocate };
  }
  return request.flush ? { kind: 'flush' } : undefined;
}

/** The action has ended. */
export function advance(request: BlockRequest, action: BlockAction, ok: boolean): void {
  if (!ok) {
    request.status = R.VIRTIO_BLK_S_IOERR;
    return;
  }
  if (action.kind === 'flush') {
    request.flush = false;
    return;
  }
  request.done += action.length;
  const range = request.ranges[0];
  if (range === undefined || request.done < range.length) return;
  request.ranges.shift();
  request.done = 0;
}
