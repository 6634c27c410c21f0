import type { Counter } from '@vmloom/device';
import type { DeviceHost } from '../device.js';
import { RLERROR } from './registers.js';

/** What a 9P device counts in the ledger: requests, bytes both ways, and refusals. */
export class P9Counters {
  readonly #requests: Counter;
  readonly #received: Counter;
  readonly #sent: Counter;
  readonly #errors: Counter;

  constructor(host: DeviceHost) {
    this.#requests = host.counter('request', '9P');
    this.#received = host.counter('bytes', 'received');
    this.#sent = host.counter('bytes', 'sent');
    this.#errors = host.counter('error', 'Rlerror');
  }

  received(bytes: number): void {
    this.#requests.value++;
    this.#received.value += bytes;
  }

  answered(answer: Uint8Array): void {
    this.#sent.value += answer.length;
    if (answer[4] === RLERROR) this.#errors.value++;
  }
}
