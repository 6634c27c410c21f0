import type { Counter } from '@vmloom/device';
import type { DeviceHost } from '../device.js';

/** What a console counts in the ledger: bytes both ways, and control messages that mean nothing. */
export class ConsoleCounters {
  readonly received: Counter;
  readonly sent: Counter;
  readonly malformed: Counter;

  constructor(host: DeviceHost) {
    this.received = host.counter('bytes', 'received');
    this.sent = host.counter('bytes', 'sent');
    this.malformed = host.counter('drop', 'malformed control message');
  }
}
