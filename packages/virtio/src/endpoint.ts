import {
  expectSnapshot,
  type Clock,
  type Counter,
  type DmaPort,
  type EventArguments,
  type EventId,
  type EventOwner,
  type Ledger,
  type Snapshot,
  type SnapshotValue,
} from '@vmloom/device';
import type { HandlerWidth, HostMemory } from '@vmloom/memory';
import type { DeviceHost, VirtioDevice } from './device.js';
import { VirtioError } from './error.js';
import * as F from './features.js';
import { Doorbells, type DoorbellHost } from './notification/doorbells.js';
import { Interrupts, type InterruptHost } from './notification/interrupts.js';
import { IMMEDIATE, UNMODERATED, type Moderation, type NotificationOptions } from './notification/policy.js';
import { PlatformAccess } from './platform-access.js';
import { createCore } from './queue/core.js';
import type { QueueFault } from './queue/faults.js';
import { QueueMemory } from './queue/queue-memory.js';
import { Virtqueue, type QueueOwner, type RingFeatures } from './queue/queue.js';
import { ringFeatures, type RingOptions } from './ring-options.js';
import * as S from './status.js';

/** What a transport does for its endpoint. */
export interface TransportLink {
  /** The driver is to hear that a queue has used buffers. */
  queueInterrupt(queue: number): void;
  /** The driver is to hear that configuration or status changed. */
  configInterrupt(): void;
  /** The driver has reset the device by its status; registers of the transport follow. */
  wasReset?(): void;
}

/** What every transport takes beside its device. */
export interface TransportOptions extends RingOptions {
  /** When the device looks and when it interrupts; as soon as possible unless told. */
  readonly notification?: NotificationOptions;
}

export interface EndpointOptions extends TransportOptions {
  readonly device: VirtioDevice;
}

/** What an endpoint gets when its transport joins a machine. */
export interface EndpointContext {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly dma: DmaPort;
  /** Registered on the clock; hands its events to {@link VirtioEndpoint.onEvent}. */
  readonly owner: EventOwner;
}

const SNAPSHOT = { type: 'virtio-endpoint', version: 1 } as const;

/**
 * What all transports share (chapter 2): device status, feature negotiation, queues, doorbells, notifications,
 * configuration generation. A transport is registers over this; a device is a {@link VirtioDevice} behind it.
 */
export class VirtioEndpoint implements DeviceHost, QueueOwner, DoorbellHost, InterruptHost {
  readonly device: VirtioDevice;
  #generation = 0;
  /** Configuration space changed, and the driver has not read it since. */
  #changed = false;
  readonly #options: EndpointOptions;
  readonly #link: TransportLink;
  #context: EndpointContext | undefined;
  #access: PlatformAccess | undefined;
  #memories: QueueMemory[] = [];
  #queues: Virtqueue[] = [];
  #status = 0;
  #driverFeatures = 0n;
  #features = 0n;
  #legacy = false;
  /** The device itself has given up: no queue moves until a reset. */
  #failed = false;
  #doorbells: Doorbells[] = [];
  #interrupts: Interrupts[] = [];
  /** Events of before the last reset are void. */
  #epoch = 0;
  /** Chains of each queue, as the ledger has them and as they were when it was told last. */
  #chains: Counter[] = [];
  #settled: number[] = [];
  #descriptors: Counter | undefined;
  #queueInterrupts: Counter | undefined;
  #configInterrupts: Counter | undefined;
  #sparedInterrupts: Counter | undefined;

  constructor(options: EndpointOptions, link: TransportLink) {
    this.#options = options;
    this.#link = link;
    this.device = options.device;
    for (const { size } of this.device.queues) {
      if (!Number.isInteger(Math.log2(size)) || size < 1 || size > 32_768) {
        throw new VirtioError(
          'bad-option',
          `a queue of ${size} descriptors: a power of two up to 32768 is needed`,
        );
      }
    }
  }

  // DeviceHost ---------------------------------------------------------------------------------------------

  get name(): string {
    return this.#at.owner.name;
  }

  get clock(): Clock {
    return this.#at.clock;
  }

  get ledger(): Ledger {
    return this.#at.ledger;
  }

  get dma(): DmaPort {
    return this.#platform.dma;
  }

  get memory(): HostMemory {
    return this.#at.dma.memory;
  }

  get queues(): readonly Virtqueue[] {
    return this.#queues;
  }

  get features(): bigint {
    return this.#features;
  }

  get legacy(): boolean {
    if (this.#legacy) return true;
    return (this.#status & S.FEATURES_OK) !== 0 && !F.hasFeature(this.#features, F.VIRTIO_F_VERSION_1);
  }

  get running(): boolean {
    return (this.#status & S.DRIVER_OK) !== 0 && !this.#failed;
  }

  after(kind: string, delay: number, args: EventArguments = {}): EventId {
    const { clock, owner } = this.#at;
    return clock.after(owner, 'device', delay, { epoch: this.#epoch, kind, args });
  }

  cancel(id: EventId): boolean {
    return this.#at.clock.cancel(id);
  }

  kick(queue: Virtqueue): void {
    this.#doorbells[queue.index].kick();
  }

  moderate(queue: Virtqueue, moderation: Moderation): void {
    this.#interrupts[queue.index].moderation = moderation;
  }

  configChanged(): void {
    this.#changed = true;
    this.#interruptConfig();
  }

  needsReset(why: string): void {
    this.#failed = true;
    for (const queue of this.#queues) queue.stop();
    this.#askForReset(why);
  }

  counter(event: string, reason?: string): Counter {
    return this.ledger.counter(this.name, event, reason);
  }

  // QueueOwner ---------------------------------------------------------------------------------------------

  used(queue: Virtqueue): void {
    this.#queueInterrupts!.value++;
    this.#link.queueInterrupt(queue.index);
  }

  deferred(queue: Virtqueue): void {
    this.#interrupts[queue.index].used();
  }

  spared(): void {
    this.#sparedInterrupts!.value++;
  }

  /** The queue has stopped by itself; its neighbours go on until the driver resets the device. */
  fault(_queue: Virtqueue, fault: QueueFault): void {
    this.#askForReset(fault);
  }

  // DoorbellHost, InterruptHost ----------------------------------------------------------------------------

  scheduleLook(queue: number, delay: number): void {
    const { clock, owner } = this.#at;
    clock.after(owner, 'look', delay, { epoch: this.#epoch, queue });
  }

  scheduleInterrupt(queue: number, delay: number): void {
    const { clock, owner } = this.#at;
    clock.after(owner, 'interrupt', delay, { epoch: this.#epoch, queue });
  }

  look(queue: Virtqueue): void {
    this.device.notify(queue);
  }

  // For the transport --------------------------------------------------------------------------------------

  /** The transport is on a machine. State in the reserve is taken once per memory. */
  attach(context: EndpointContext): void {
    this.#context = context;
    const { dma, ledger, owner } = context;
    const { queues } = this.device;
    if (this.#memories[0]?.memory !== dma.memory) {
      this.#memories = queues.map(
        ({ size, chainLimit = 1024 }) => new QueueMemory(dma.memory, size, chainLimit),
      );
    }
    this.#access = new PlatformAccess(dma);
    const core = createCore(this.#access.dma);
    this.#queues = this.#memories.map(
      (memory, index) => new Virtqueue({ index, memory, core, dma: this.dma, owner: this }),
    );
    const { doorbells = IMMEDIATE } = this.#options.notification ?? {};
    this.#doorbells = this.#queues.map((queue) => new Doorbells(doorbells, queue, this, ledger, owner.name));
    this.#interrupts = this.#queues.map((queue) => new Interrupts(queue, this, ledger, owner.name));
    this.#settled = queues.map(() => 0);
    this.#chains = queues.map((_, index) => ledger.counter(owner.name, 'chain', `queue ${index}`));
    this.#descriptors = ledger.counter(owner.name, 'dma', 'descriptors read');
    this.#queueInterrupts = ledger.counter(owner.name, 'interrupt', 'queue');
    this.#configInterrupts = ledger.counter(owner.name, 'interrupt', 'config');
    this.#sparedInterrupts = ledger.counter(owner.name, 'interrupt-spared', 'queue');
    this.device.attach(this);
    this.reset();
  }

  detach(): void {
    if (this.#context === undefined) return;
    this.device.detach();
    this.#context = undefined;
    this.#queues = [];
  }

  /** Feature bits that are offered: through the legacy interface those of before 1.0 alone. */
  offered(legacy = false): bigint {
    const ring = ringFeatures(this.#options, legacy);
    return (this.device.features | ring) & (legacy ? 0xffff_ffffn : ~0n);
  }

  /** 32 of the offered bits: `word` 0 those from bit 0 on, 1 those from bit 32 on, and so forth. */
  offeredWord(word: number, legacy = false): number {
    return word > 3 ? 0 : Number((this.offered(legacy) >> BigInt(32 * word)) & 0xffff_ffffn);
  }

  driverWord(word: number): number {
    return word > 3 ? 0 : Number((this.#driverFeatures >> BigInt(32 * word)) & 0xffff_ffffn);
  }

  /** The driver accepts 32 bits. After FEATURES_OK nothing changes any more (3.1.1). */
  setDriverWord(word: number, value: number): void {
    if (word > 3 || (this.#status & (S.FEATURES_OK | S.DRIVER_OK)) !== 0) return;
    const shift = BigInt(32 * word);
    this.#driverFeatures = (this.#driverFeatures & ~(0xffff_ffffn << shift)) | (BigInt(value >>> 0) << shift);
  }

  get status(): number {
    return this.#status;
  }

  /** The driver writes device status (2.1): 0 resets, other bits are added. `legacy`: through the old interface. */
  setStatus(value: number, legacy = false): void {
    if (value === 0) return this.reset();
    this.#legacy = legacy;
    const added = value & ~this.#status & S.DRIVER_BITS;
    this.#status |= added & ~(S.FEATURES_OK | S.DRIVER_OK);
    if (legacy) {
      if ((added & S.DRIVER_OK) === 0) return;
      this.#agree(this.#driverFeatures & this.offered(true));
      return this.#start();
    }
    if ((added & S.FEATURES_OK) !== 0 && this.#acceptable(this.#driverFeatures)) {
      this.#agree(this.#driverFeatures);
      this.#status |= S.FEATURES_OK;
    }
    if ((added & S.DRIVER_OK) !== 0 && (this.#status & S.FEATURES_OK) !== 0) this.#start();
  }

  /** The driver has rung for a queue. Spurious ones are taken; ones for queues that do not exist are lost. */
  ring(index: number): void {
    this.#doorbells[index]?.ring();
  }

  /** The driver has described a queue. `legacy`: with the features agreed on so far by the old interface. */
  enableQueue(queue: Virtqueue, legacy = false): void {
    const set = legacy ? this.#driverFeatures & this.offered(true) : this.#features;
    if (legacy) this.#agree(set);
    queue.enable(ringsOf(set));
  }

  /** 2.6.1: RING_RESET. The driver may describe the queue anew. */
  resetQueue(queue: Virtqueue): void {
    this.device.resetQueue(queue);
    queue.reset();
    this.#doorbells[queue.index].reset();
    this.#interrupts[queue.index].reset();
  }

  /**
   * 2.5.2: differs from what it was when the driver has read something that changed since it last read. Counted at
   * reads, so that the few bits that a transport shows cannot come round unseen (4.1.4.3.1).
   */
  get generation(): number {
    return this.#generation;
  }

  readConfig(offset: number, width: HandlerWidth): number {
    if (this.#changed) this.#generation = (this.#generation + 1) >>> 0;
    this.#changed = false;
    if (offset + width > this.device.configSize) return this.#readTail(offset, width);
    return this.device.readConfig(offset, width) >>> 0;
  }

  writeConfig(offset: number, width: HandlerWidth, value: number): void {
    if (offset + width <= this.device.configSize) this.device.writeConfig(offset, width, value >>> 0);
  }

  onEvent(kind: string, args: EventArguments): void {
    if (args['epoch'] !== this.#epoch) return;
    if (kind === 'look') this.#doorbells[args['queue'] as number].look();
    else if (kind === 'interrupt') this.#interrupts[args['queue'] as number].fire();
    else if (kind === 'device') this.device.onEvent(args['kind'] as string, args['args'] as EventArguments);
    this.#settle();
  }

  /** 2.4: everything back to the state after power-on. */
  reset(): void {
    this.#epoch++;
    this.#status = 0;
    this.#driverFeatures = 0n;
    this.#features = 0n;
    this.#legacy = false;
    this.#failed = false;
    if (this.#context === undefined) return;
    for (const queue of this.#queues) queue.reset();
    for (const doorbells of this.#doorbells) doorbells.reset();
    const { interrupts: moderation = UNMODERATED } = this.#options.notification ?? {};
    for (const interrupts of this.#interrupts) {
      interrupts.reset();
      interrupts.moderation = moderation;
    }
    this.#access?.bypass(true);
    this.device.reset();
    this.#link.wasReset?.();
  }

  save(): Snapshot {
    return {
      ...SNAPSHOT,
      status: this.#status,
      driverFeatures: this.#driverFeatures,
      features: this.#features,
      legacy: this.#legacy,
      failed: this.#failed,
      generation: this.#generation,
      changed: this.#changed,
      epoch: this.#epoch,
      doorbells: this.#doorbells.map((doorbells) => doorbells.save()),
      interrupts: this.#interrupts.map((interrupts) => interrupts.save()),
      queues: this.#queues.map((queue) => queue.save()),
      device: this.device.saveState(),
    };
  }

  /** @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    const queues = snapshot['queues'] as unknown as Snapshot[];
    if (queues.length !== this.#queues.length) {
      throw new VirtioError(
        'bad-snapshot',
        `${this.name} has ${this.#queues.length} queues, its snapshot has not`,
      );
    }
    this.#status = snapshot['status'] as number;
    this.#driverFeatures = snapshot['driverFeatures'] as bigint;
    this.#agree(snapshot['features'] as bigint);
    this.#legacy = snapshot['legacy'] as boolean;
    this.#failed = snapshot['failed'] as boolean;
    this.#generation = snapshot['generation'] as number;
    this.#changed = snapshot['changed'] as boolean;
    this.#epoch = snapshot['epoch'] as number;
    this.#queues.forEach((queue, index) => queue.restore(queues[index]));
    const doorbells = snapshot['doorbells'] as SnapshotValue[];
    const interrupts = snapshot['interrupts'] as SnapshotValue[];
    this.#doorbells.forEach((one, index) => one.restore(doorbells[index]));
    this.#interrupts.forEach((one, index) => one.restore(interrupts[index]));
    this.device.restoreState(snapshot['device'] as Snapshot);
  }

  // Inside -------------------------------------------------------------------------------------------------

  get #at(): EndpointContext {
    if (this.#context === undefined) {
      throw new VirtioError('not-attached', `the ${this.device.model} is on no machine`);
    }
    return this.#context;
  }

  get #platform(): PlatformAccess {
    if (this.#access === undefined) {
      throw new VirtioError('not-attached', `the ${this.device.model} is on no machine`);
    }
    return this.#access;
  }

  /**
   * 2.2.2: a subset of what is offered, and the device can do with it. A driver without VERSION_1 might be refused
   * (6.2), but xv6 is one, and QEMU serves it.
   */
  #acceptable(set: bigint): boolean {
    if ((set & ~this.offered()) !== 0n) return false;
    // 6.2: a device behind an IOMMU may refuse a driver that ignores it.
    if (this.#options.accessPlatform === true && !F.hasFeature(set, F.VIRTIO_F_ACCESS_PLATFORM)) return false;
    return this.device.acceptsFeatures(set);
  }

  #agree(set: bigint): void {
    this.#features = set;
    this.#access?.bypass(!F.hasFeature(set, F.VIRTIO_F_ACCESS_PLATFORM));
  }

  #start(): void {
    this.#status |= S.DRIVER_OK;
    this.device.started();
    for (const doorbells of this.#doorbells) doorbells.start();
  }

  #askForReset(why: string): void {
    this.counter('fault', why).value++;
    if ((this.#status & S.DEVICE_NEEDS_RESET) !== 0) return;
    this.#status |= S.DEVICE_NEEDS_RESET;
    // 2.1.2: with DRIVER_OK set the driver is told by a configuration change notification.
    this.#interruptConfig();
  }

  #interruptConfig(): void {
    if ((this.#status & S.DRIVER_OK) === 0) return;
    this.#configInterrupts!.value++;
    this.#link.configInterrupt();
  }

  /** Counts what the queues did. */
  #settle(): void {
    for (const queue of this.#queues) {
      this.#chains[queue.index].value += queue.popped - this.#settled[queue.index];
      this.#settled[queue.index] = queue.popped;
      this.#descriptors!.value += queue.takeDescriptors();
    }
  }

  /** The access crosses the end of the space: bytes that exist, then zeros. */
  #readTail(offset: number, width: HandlerWidth): number {
    let value = 0;
    for (let index = width - 1; index >= 0; index--) {
      const at = offset + index;
      value = value * 0x100 + (at < this.device.configSize ? this.device.readConfig(at, 1) & 0xff : 0);
    }
    return value;
  }
}

function ringsOf(set: bigint): RingFeatures {
  return {
    packed: F.hasFeature(set, F.VIRTIO_F_RING_PACKED),
    indirect: F.hasFeature(set, F.VIRTIO_F_INDIRECT_DESC),
    eventIndex: F.hasFeature(set, F.VIRTIO_F_EVENT_IDX),
    inOrder: F.hasFeature(set, F.VIRTIO_F_IN_ORDER),
  };
}
