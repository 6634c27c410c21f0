import type { SnapshotValue } from '@vmloom/device';
import type { Virtqueue } from '../queue/queue.js';
import { CONTROL } from './registers.js';

/** struct virtio_console_control (5.3.6.2) and what follows it. */
export interface ControlMessage {
  readonly id: number;
  readonly event: number;
  readonly value: number;
  readonly rest?: Uint8Array;
}

/** Control messages on their way to the driver. One of each kind for each port waits at most: the newest. */
export class ControlOutbox {
  #waiting: ControlMessage[] = [];

  put(message: ControlMessage): void {
    const { id, event } = message;
    this.#waiting = this.#waiting.filter((other) => other.id !== id || other.event !== event);
    this.#waiting.push(message);
  }

  /** What waits for a port is void. */
  drop(id: number): void {
    this.#waiting = this.#waiting.filter((message) => message.id !== id);
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Writes messages into the buffers of the control receive queue, as long as there are any. */
  deliver(queue: Virtqueue): void {
    while (this.#waiting.length > 0) {
      const chain = queue.pop();
      if (chain === undefined) {
        if (queue.enableNotifications()) continue;
        break;
      }
      const { token } = chain;
      queue.push(token, chain.writable.write(0, encode(this.#waiting.shift()!)));
    }
    queue.signal();
  }

  save(): SnapshotValue {
    return this.#waiting.map(({ rest = null, ...message }) => ({ ...message, rest }));
  }

  restore(value: SnapshotValue): void {
    const saved = value as unknown as (ControlMessage & { rest: Uint8Array | null })[];
    this.#waiting = saved.map(({ rest, ...message }) => (rest === null ? message : { ...message, rest }));
  }
}

function encode({ id, event, value, rest = new Uint8Array(0) }: ControlMessage): Uint8Array {
  const bytes = new Uint8Array(CONTROL + rest.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, id, true);
  view.setUint16(4, event, true);
  view.setUint16(6, value, true);
  bytes.set(rest, CONTROL);
  return bytes;
}
