import { expectSnapshot, type EventArguments, type OutsideIo, type Snapshot } from '@vmloom/device';
import { VirtioDevice, type DeviceHost, type QueueShape } from '../device.js';
import { VirtioError } from '../error.js';
import { OutsideDoor } from '../outside-door.js';
import type { Chain } from '../queue/chain.js';
import type { HeldChain } from '../queue/held-chain.js';
import type { Virtqueue } from '../queue/queue.js';
import { RngCounters } from './counters.js';
import { SeededEntropy, type EntropySource } from './entropy-source.js';
import { RNG_DEVICE_ID } from './registers.js';

/** Bytes that one buffer gets at most: 5.4.6.2 lets the device use less than the whole. */
const MOST = 65_536;
/** Requests that the host works on at a time. */
const ACTIVE = 16;
/** Pause after a failure of the source; nanoseconds. */
const RETRY = 1_000_000_000;

export interface VirtioRngOptions {
  /** A {@link SeededEntropy} unless told. */
  readonly source?: EntropySource;
  /** The machine's door to the outside: needed by a source that is outside. */
  readonly io?: OutsideIo;
}

/** The entropy device (virtio 1.3, 5.4). */
export class VirtioRng extends VirtioDevice {
  readonly type = RNG_DEVICE_ID;
  readonly model = 'virtio-rng';
  readonly features = 0n;
  readonly queues: readonly QueueShape[] = [{ size: 8 }];
  readonly configSize = 0;
  readonly #source: EntropySource;
  readonly #io: OutsideIo | undefined;
  readonly #active = new Map<number, HeldChain>();
  #counters: RngCounters | undefined;
  #door: OutsideDoor | undefined;

  /** @throws VirtioError bad-option */
  constructor(options: VirtioRngOptions = {}) {
    super();
    this.#source = options.source ?? new SeededEntropy();
    this.#io = options.io;
    if (this.#source.outside && options.io === undefined) {
      throw new VirtioError('bad-option', 'virtio-rng: a source outside needs the io of its machine');
    }
  }

  protected override attached(host: DeviceHost): void {
    this.#counters = new RngCounters(host);
    if (!this.#source.outside) return;
    this.#door = new OutsideDoor({
      name: `${host.name}.source`,
      clock: host.clock,
      io: this.#io!,
      arrived: (id, result) => this.#arrived(id, result),
      woken: () => this.#resume(),
    });
  }

  protected override detached(): void {
    this.#door?.close();
  }

  readConfig(): number {
    return 0;
  }

  notify(queue: Virtqueue): void {
    do {
      while (this.#active.size < ACTIVE) {
        const chain = queue.pop();
        if (chain === undefined) break;
        this.#counters!.requests.value++;
        if (this.#door !== undefined && chain.writable.length > 0)
          this.#ask(queue.hold(), chain.writable.length);
        else this.#answer(queue, chain);
      }
    } while (this.#active.size < ACTIVE && queue.enableNotifications());
    queue.signal();
  }

  /** The source failed a while ago. */
  override onEvent(): void {
    this.#resume();
  }

  override reset(): void {
    this.#active.clear();
  }

  override resetQueue(): void {
    this.#active.clear();
  }

  override saveState(): Snapshot {
    return {
      type: this.model,
      version: 1,
      source: this.#source.save?.() ?? null,
      door: this.#door?.save() ?? null,
    };
  }

  override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, this.model, 1);
    if (snapshot['source'] !== null) this.#source.restore?.(snapshot['source']);
    this.#active.clear();
    if (snapshot['door'] !== null) this.#door?.restore(snapshot['door'] as number);
    this.#door?.wake();
  }

  #answer(queue: Virtqueue, chain: Chain): void {
    const bytes = new Uint8Array(Math.min(MOST, chain.writable.length));
    void this.#source.fill(bytes);
    const { token } = chain;
    this.#counters!.bytes.value += bytes.length;
    queue.push(token, chain.writable.write(0, bytes));
  }

  #ask(held: HeldChain, room: number): void {
    const length = Math.min(MOST, room);
    const id = this.#door!.submit(async () => {
      const bytes = new Uint8Array(length);
      await this.#source.fill(bytes);
      return { bytes };
    });
    this.#active.set(id, held);
  }

  #arrived(id: number, result: EventArguments | undefined): void {
    const held = this.#active.get(id);
    if (held === undefined) return;
    this.#active.delete(id);
    const queue = this.host.queues[0];
    if (result === undefined) {
      // 5.4.6.2: one or more bytes are due, so the buffer waits for the source.
      this.#counters!.failures.value++;
      this.host.after('retry', RETRY);
      return;
    }
    const chain = queue.map(held);
    if (chain === undefined) return;
    const written = chain.writable.write(0, result['bytes'] as Uint8Array);
    this.#counters!.bytes.value += written;
    queue.complete(held, written);
    this.notify(queue);
  }

  /** Asks for what is held and not asked for. */
  #resume(): void {
    const queue = this.host.queues[0];
    const busy = new Set(this.#active.values());
    for (const held of queue.held) {
      if (busy.has(held)) continue;
      const chain = queue.map(held);
      if (chain !== undefined) this.#ask(held, chain.writable.length);
    }
    this.notify(queue);
  }
}
