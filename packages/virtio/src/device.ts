import type { Clock, Counter, DmaPort, EventArguments, EventId, Ledger, Snapshot } from '@vmloom/device';
import type { HandlerWidth, HostMemory } from '@vmloom/memory';
import { VirtioError } from './error.js';
import type { Moderation } from './notification/policy.js';
import type { Virtqueue } from './queue/queue.js';

/** One queue as a device offers it. */
export interface QueueShape {
  /** Descriptors at most: 1 to 32768, a power of two (a driver of split rings takes it as it is). */
  readonly size: number;
  /** Descriptors of one chain at most, those of indirect tables included. 1024 unless told. */
  readonly chainLimit?: number;
}

/** What a device is given: everything it may use of the machine. */
export interface DeviceHost {
  /** Unique in the machine; owner of the device's counters. */
  readonly name: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly memory: HostMemory;
  /** The device's way to memory. Queues use it by themselves. */
  readonly dma: DmaPort;
  readonly queues: readonly Virtqueue[];
  /** What driver and device agreed on. 0n before FEATURES_OK (before DRIVER_OK for a legacy driver). */
  readonly features: bigint;
  /** DRIVER_OK is set, and {@link needsReset} was not called since. Otherwise nothing is taken from queues. */
  readonly running: boolean;
  /** The driver is older than 1.0: no FEATURES_OK, fields in the guest's byte order. */
  readonly legacy: boolean;
  /** Has {@link VirtioDevice.onEvent} called in `delay` nanoseconds. Kinds are the device's own. */
  after(kind: string, delay: number, args?: EventArguments): EventId;
  cancel(id: EventId): boolean;
  /** Has {@link VirtioDevice.notify} called with the next event, as if the driver had rung. */
  kick(queue: Virtqueue): void;
  /** How long used buffers of a queue may wait for an interrupt, until the next reset (interrupt coalescing). */
  moderate(queue: Virtqueue, moderation: Moderation): void;
  /** Configuration space changed: its generation goes up and the driver is interrupted. */
  configChanged(): void;
  /**
   * 2.1.2: something is wrong that only a reset ends. All queues stop at once. `why` is a short name for the ledger
   * (owner, 'fault', why).
   */
  needsReset(why: string): void;
  counter(event: string, reason?: string): Counter;
}

/**
 * A virtio device without a transport: what the author of a device extends. Register accesses never reach it but for
 * configuration space; doorbells arrive as {@link notify} from an event of the clock.
 */
export abstract class VirtioDevice {
  /** Device ID, as in chapter 5. */
  abstract readonly type: number;
  /** As QEMU calls it, without a bus: 'virtio-net'. */
  abstract readonly model: string;
  /** Feature bits of the device type that are offered (0 to 23 and 50 to 127). Bits of rings come from the transport. */
  abstract readonly features: bigint;
  abstract readonly queues: readonly QueueShape[];
  /** Bytes of configuration space that exist. */
  abstract readonly configSize: number;
  #host: DeviceHost | undefined;

  // What a device overrides --------------------------------------------------------------------------------

  /** On a machine: take counters, keep what lives as long as the device. */
  protected attached(_host: DeviceHost): void {}

  /** About to leave the machine. */
  protected detached(): void {}

  /**
   * A value of configuration space, unsigned and little-endian; the access lies inside {@link configSize} and is
   * naturally aligned, as 4.1.3.1 and 4.2.2.2 demand.
   */
  abstract readConfig(offset: number, width: HandlerWidth): number;

  /** A write to configuration space, which changes state and schedules. Ignored unless overridden. */
  writeConfig(_offset: number, _width: HandlerWidth, _value: number): void {}

  /**
   * The features that the driver chose, a subset of those offered. False refuses the combination: FEATURES_OK stays
   * clear (2.2.2). Not asked for legacy drivers.
   */
  acceptsFeatures(_features: bigint): boolean {
    return true;
  }

  /** DRIVER_OK: the driver has set up its queues; {@link DeviceHost.features} says what was agreed on. */
  started(): void {}

  /**
   * The driver has rung for a queue (or {@link DeviceHost.kick} was called). Pop until nothing is left, push what is
   * done, then signal. Called from events only, and only while running.
   */
  abstract notify(queue: Virtqueue): void;

  /** An event of the device's own. */
  onEvent(_kind: string, _args: EventArguments): void {}

  /** 2.4: back to the state after power-on. The queues have been reset, and the device's events cancelled, already. */
  reset(): void {}

  /** RING_RESET: one queue is about to be reset; what the device holds of it is void (2.6.1). */
  resetQueue(_queue: Virtqueue): void {}

  /** State of the device's own, without features, status and queues. */
  saveState(): Snapshot {
    return { type: this.model, version: 1 };
  }

  /** Queues are restored already; requests in flight are in {@link Virtqueue.held}. @throws DeviceError bad-snapshot */
  restoreState(_snapshot: Snapshot): void {}

  // What a device uses -------------------------------------------------------------------------------------

  /** @throws VirtioError not-attached */
  protected get host(): DeviceHost {
    if (this.#host === undefined)
      throw new VirtioError('not-attached', `the ${this.model} is on no transport`);
    return this.#host;
  }

  get isAttached(): boolean {
    return this.#host !== undefined;
  }

  /** By the transport. */
  attach(host: DeviceHost): void {
    this.#host = host;
    this.attached(host);
  }

  /** By the transport. */
  detach(): void {
    this.detached();
    this.#host = undefined;
  }
}
