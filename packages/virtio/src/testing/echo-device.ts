import type { EventArguments } from '@vmloom/device';
import type { HandlerWidth } from '@vmloom/memory';
import { readConfigBytes, writeConfigBytes } from '../config-bytes.js';
import { VirtioDevice, type QueueShape } from '../device.js';
import type { Virtqueue } from '../queue/queue.js';

/**
 * Writes what it reads back into the same chain: a device to test transports and drivers with. Its configuration
 * space is eight bytes that the driver may write; a write of 0xff to the first one is a change that it announces.
 */
export class EchoDevice extends VirtioDevice {
  readonly type: number;
  readonly model = 'virtio-echo';
  readonly features: bigint;
  readonly queues: readonly QueueShape[];
  readonly configSize = 8;
  readonly config = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  /** Chains are held and go back after so many nanoseconds; at once unless told. */
  delay = 0;
  /** Held chains go back in the opposite order. */
  reversed = false;
  /** What happened to the device. */
  readonly log: string[] = [];

  constructor(options: { type?: number; features?: bigint; queues?: readonly QueueShape[] } = {}) {
    super();
    this.type = options.type ?? 42;
    this.features = options.features ?? 0n;
    this.queues = options.queues ?? [{ size: 256 }, { size: 64 }];
  }

  readConfig(offset: number, width: HandlerWidth): number {
    return readConfigBytes(this.config, offset, width);
  }

  override writeConfig(offset: number, width: HandlerWidth, value: number): void {
    writeConfigBytes(this.config, offset, width, value);
    if (offset === 0 && (value & 0xff) === 0xff) this.host.configChanged();
  }

  override started(): void {
    this.log.push('started');
  }

  override reset(): void {
    this.log.push('reset');
  }

  override resetQueue(queue: Virtqueue): void {
    this.log.push(`reset queue ${queue.index}`);
  }

  notify(queue: Virtqueue): void {
    do {
      queue.disableNotifications();
      for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
        if (this.delay > 0) queue.hold();
        else queue.push(chain.token, chain.writable.write(0, chain.readable.bytes()));
      }
    } while (queue.enableNotifications());
    queue.signal();
    if (this.delay > 0) this.host.after('reply', this.delay, { queue: queue.index });
  }

  override onEvent(_kind: string, args: EventArguments): void {
    const queue = this.host.queues[args['queue'] as number];
    const held = [...queue.held];
    if (this.reversed) held.reverse();
    for (const one of held) {
      const chain = queue.map(one);
      if (chain === undefined) return;
      queue.complete(one, chain.writable.write(0, chain.readable.bytes()));
    }
    queue.signal();
  }
}
