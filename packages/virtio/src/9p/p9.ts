import { expectSnapshot, type EventArguments, type OutsideIo, type Snapshot } from '@vmloom/device';
import type { HandlerWidth } from '@vmloom/memory';
import { readConfigBytes } from '../config-bytes.js';
import { VirtioDevice, type DeviceHost, type QueueShape } from '../device.js';
import { VirtioError } from '../error.js';
import { features } from '../features.js';
import { OutsideDoor } from '../outside-door.js';
import type { Chain } from '../queue/chain.js';
import type { HeldChain } from '../queue/held-chain.js';
import type { Virtqueue } from '../queue/queue.js';
import { P9Counters } from './counters.js';
import * as R from './registers.js';
import { P9Server, type P9ServerOptions } from './server.js';

export interface Virtio9pOptions extends P9ServerOptions {
  /** What the guest mounts: `mount -t 9p -o trans=virtio <tag> /mnt`. 1 to 1024 bytes. */
  readonly tag: string;
  /** The machine's door to the outside: needed by files that are outside. */
  readonly io?: OutsideIo;
}

/** Bytes that a device moves within {@link INTERVAL}: a driver that asks for more cannot stop the machine. */
const BUDGET = 16 * 1024 * 1024;
/** Nanoseconds. */
const INTERVAL = 1_000_000;

/** A tree of files for the guest: 9P2000.L over virtio (device ID 9). */
export class Virtio9p extends VirtioDevice {
  readonly type = R.P9_DEVICE_ID;
  readonly model = 'virtio-9p';
  readonly features = features(R.VIRTIO_9P_MOUNT_TAG);
  readonly queues: readonly QueueShape[] = [{ size: 128 }];
  readonly configSize: number;
  readonly server: P9Server;
  readonly #config: Uint8Array;
  readonly #outside: boolean;
  readonly #io: OutsideIo | undefined;
  readonly #active = new Map<number, HeldChain>();
  #counters: P9Counters | undefined;
  #door: OutsideDoor | undefined;
  #budget = BUDGET;
  #renewal = 0;
  #paused = false;

  /** @throws VirtioError bad-option */
  constructor(options: Virtio9pOptions) {
    super();
    const tag = new TextEncoder().encode(options.tag);
    if (tag.length < 1 || tag.length > 1024) {
      throw new VirtioError(
        'bad-option',
        `virtio-9p: the tag has ${tag.length} bytes, 1 to 1024 are possible`,
      );
    }
    this.#outside = options.files.outside;
    this.#io = options.io;
    if (this.#outside && options.io === undefined) {
      throw new VirtioError('bad-option', 'virtio-9p: files outside need the io of their machine');
    }
    this.server = new P9Server(options);
    this.#config = Uint8Array.of(tag.length & 0xff, tag.length >>> 8, ...tag);
    this.configSize = this.#config.length;
  }

  protected override attached(host: DeviceHost): void {
    this.#counters = new P9Counters(host);
    if (!this.#outside) return;
    this.#door = new OutsideDoor({
      name: `${host.name}.files`,
      clock: host.clock,
      io: this.#io!,
      arrived: (id, result) => this.#arrived(id, result),
      woken: () => this.#resume(),
    });
  }

  protected override detached(): void {
    this.server.reset();
    this.#door?.close();
  }

  readConfig(offset: number, width: HandlerWidth): number {
    return readConfigBytes(this.#config, offset, width);
  }

  notify(queue: Virtqueue): void {
    if (this.#paused) return;
    this.#renew();
    do {
      for (;;) {
        if (this.#budget <= 0) {
          this.#paused = true;
          this.host.after('proceed', this.#renewal - this.host.clock.now);
          queue.signal();
          return;
        }
        const chain = queue.pop();
        if (chain === undefined) break;
        if (!this.#request(queue, chain)) return;
      }
    } while (queue.enableNotifications());
    queue.signal();
  }

  override onEvent(): void {
    this.#paused = false;
    this.notify(this.host.queues[0]);
  }

  override reset(): void {
    this.#active.clear();
    this.#paused = false;
    // In a replay the files are not touched, nor is anything open.
    this.server.reset();
  }

  override resetQueue(): void {
    this.#active.clear();
  }

  override saveState(): Snapshot {
    return {
      type: this.model,
      version: 1,
      server: this.server.save(),
      door: this.#door?.save() ?? null,
      budget: this.#budget,
      renewal: this.#renewal,
      paused: this.#paused,
    };
  }

  override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, this.model, 1);
    this.server.restore(snapshot['server']);
    this.#active.clear();
    this.#budget = snapshot['budget'] as number;
    this.#renewal = snapshot['renewal'] as number;
    this.#paused = snapshot['paused'] as boolean;
    if (snapshot['door'] !== null) this.#door?.restore(snapshot['door'] as number);
    this.#door?.wake();
  }

  #renew(): void {
    const { now } = this.host.clock;
    if (now < this.#renewal) return;
    this.#budget = BUDGET;
    this.#renewal = now + INTERVAL;
  }

  /** One message; false when it is such that the device needs a reset. */
  #request(queue: Virtqueue, chain: Chain): boolean {
    const { readable, writable, token } = chain;
    const size = readable.u32(0);
    if (readable.length < R.HEADER || size < R.HEADER || size > readable.length) {
      this.host.needsReset('no 9P message');
      return false;
    }
    if (writable.length < R.ERROR_SIZE) {
      this.host.needsReset('no room for a 9P answer');
      return false;
    }
    // A longer one is refused by its length; its bytes do not matter.
    const message = readable.bytes(0, Math.min(size, this.server.maxMessage + 1));
    this.#budget -= message.length;
    this.#counters!.received(message.length);
    if (this.#door === undefined) {
      const answer = this.server.handle(message, writable.length);
      this.#budget -= answer.length;
      this.#counters!.answered(answer);
      queue.push(token, writable.write(0, answer));
    } else this.#submit(this.#door, queue.hold(), message, writable.length);
    return true;
  }

  #submit(door: OutsideDoor, held: HeldChain, message: Uint8Array, room: number): void {
    const id = door.submit(async () => {
      const answer = this.server.handle(message, room);
      // Done is done: a snapshot holds the answer, and nobody asks the files a second time.
      held.request = answer;
      return { answer };
    });
    this.#active.set(id, held);
  }

  #arrived(id: number, result: EventArguments | undefined): void {
    const held = this.#active.get(id);
    if (held === undefined || result === undefined) return;
    this.#active.delete(id);
    this.#answer(held, result['answer'] as Uint8Array);
    this.host.queues[0].signal();
  }

  #answer(held: HeldChain, answer: Uint8Array): void {
    const queue = this.host.queues[0];
    const chain = queue.map(held);
    if (chain === undefined) return;
    this.#budget -= answer.length;
    this.#counters!.answered(answer);
    queue.complete(held, chain.writable.write(0, answer));
  }

  /** Answers what was in flight when the snapshot was taken. */
  #resume(): void {
    const queue = this.host.queues[0];
    for (const held of queue.held) {
      if (held.request instanceof Uint8Array) this.#answer(held, held.request);
    }
    this.notify(queue);
  }
}
