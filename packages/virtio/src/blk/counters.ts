import type { Counter } from '@vmloom/device';
import type { DeviceHost } from '../device.js';
import type { BlockRequest, RequestKind } from './request.js';

const KINDS: readonly RequestKind[] = ['read', 'write', 'flush', 'id', 'discard', 'zeroes', 'none'];

/** What a disk counts in the ledger: requests by kind, bytes moved, and failures by status. */
export class BlkCounters {
  readonly #requests: ReadonlyMap<RequestKind, Counter>;
  readonly #read: Counter;
  readonly #written: Counter;
  readonly #ioError: Counter;
  readonly #unsupported: Counter;

  constructor(host: DeviceHost) {
    this.#requests = new Map(KINDS.map((kind) => [kind, host.counter('request', kind)]));
    this.#read = host.counter('bytes', 'read');
    this.#written = host.counter('bytes', 'written');
    this.#ioError = host.counter('error', 'I/O');
    this.#unsupported = host.counter('error', 'unsupported');
  }

  /** A request has ended. */
  ended({ kind, status, done }: BlockRequest): void {
    this.#requests.get(kind)!.value++;
    if (kind === 'read') this.#read.value += done;
    if (kind === 'write') this.#written.value += done;
    if (status !== 0) (status === 1 ? this.#ioError : this.#unsupported).value++;
  }
}
