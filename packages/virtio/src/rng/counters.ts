import type { Counter } from '@vmloom/device';
import type { DeviceHost } from '../device.js';

/** What an entropy device counts in the ledger. */
export class RngCounters {
  readonly requests: Counter;
  readonly bytes: Counter;
  /** Requests that the source failed. */
  readonly failures: Counter;

  constructor(host: DeviceHost) {
    this.requests = host.counter('request', 'entropy');
    this.bytes = host.counter('bytes', 'entropy');
    this.failures = host.counter('error', 'source');
  }
}
