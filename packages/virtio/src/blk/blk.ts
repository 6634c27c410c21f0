import type { EventArguments, OutsideIo, Snapshot } from '@vmloom/device';
import type { HandlerWidth } from '@vmloom/memory';
import { readConfigBytes } from '../config-bytes.js';
import { VirtioDevice, type DeviceHost, type QueueShape } from '../device.js';
import { VirtioError } from '../error.js';
import { features, hasFeature } from '../features.js';
import type { Virtqueue } from '../queue/queue.js';
import { SECTOR, type BlockStore } from './block-store.js';
import { configSpace, SEG_MAX, setCapacity, type BlkTopology } from './config.js';
import { BlkCounters } from './counters.js';
import { ImmediateRequests } from './immediate-requests.js';
import { OutsideRequests } from './outside-requests.js';
import * as R from './registers.js';
import type { DiskLimits } from './request.js';
import type { RequestRunner } from './request-runner.js';
import { restoreDisk, saveDisk } from './snapshot.js';

export interface VirtioBlkOptions extends BlkTopology {
  readonly store: BlockStore;
  /** The machine's door to the outside: needed by a store that is outside. */
  readonly io?: OutsideIo;
  /** Up to 20 ASCII characters that GET_ID answers; empty unless told. */
  readonly serial?: string;
  /** Refuses writes; the store's choice unless told. */
  readonly readOnly?: boolean;
  /** Request queues, 1 to 64. 1 unless told. */
  readonly queues?: number;
  /** Descriptors of each queue. 256 unless told. */
  readonly queueSize?: number;
  /** Whether a write may stay in a cache until a flush, as long as the driver does not choose. True unless told. */
  readonly writeCache?: boolean;
  /** Whether the driver may choose (CONFIG_WCE). True unless told. */
  readonly configWce?: boolean;
  /** DISCARD is offered. True unless told. */
  readonly discard?: boolean;
  /** WRITE_ZEROES is offered. True unless told. */
  readonly writeZeroes?: boolean;
}

/** The block device (virtio 1.3, 5.2) over a {@link BlockStore}. */
export class VirtioBlk extends VirtioDevice {
  readonly type = R.BLK_DEVICE_ID;
  readonly model = 'virtio-blk';
  readonly features: bigint;
  readonly queues: readonly QueueShape[];
  readonly configSize = R.CONFIG_SIZE;
  readonly store: BlockStore;
  readonly readOnly: boolean;
  readonly serial: Uint8Array;
  readonly #io: OutsideIo | undefined;
  readonly #config: Uint8Array;
  readonly #writeCache: boolean;
  /** What the driver wrote to `writeback`. */
  #writeback: boolean | undefined;
  #runner: RequestRunner | undefined;

  /** @throws VirtioError bad-option */
  constructor(options: VirtioBlkOptions) {
    super();
    const { store, io, serial = '', queues = 1, queueSize = 256 } = options;
    check(options);
    this.store = store;
    this.#io = io;
    this.readOnly = options.readOnly ?? store.readOnly;
    this.serial = new Uint8Array(R.ID_LENGTH);
    for (let index = 0; index < serial.length; index++) this.serial[index] = serial.charCodeAt(index);
    this.#writeCache = options.writeCache ?? true;
    const bits = [R.VIRTIO_BLK_F_SEG_MAX, R.VIRTIO_BLK_F_GEOMETRY, R.VIRTIO_BLK_F_BLK_SIZE];
    bits.push(R.VIRTIO_BLK_F_FLUSH, R.VIRTIO_BLK_F_TOPOLOGY);
    if (this.readOnly) bits.push(R.VIRTIO_BLK_F_RO);
    if (options.configWce ?? true) bits.push(R.VIRTIO_BLK_F_CONFIG_WCE);
    if (queues > 1) bits.push(R.VIRTIO_BLK_F_MQ);
    if (!this.readOnly && (options.discard ?? true)) bits.push(R.VIRTIO_BLK_F_DISCARD);
    if (!this.readOnly && (options.writeZeroes ?? true)) bits.push(R.VIRTIO_BLK_F_WRITE_ZEROES);
    this.features = features(...bits);
    this.queues = Array.from({ length: queues }, () => ({ size: queueSize }));
    this.#config = configSpace({
      topology: options,
      size: store.size,
      queues,
      segMax: Math.min(SEG_MAX, Math.max(1, queueSize - 2)),
      deallocates: store.deallocates,
    });
  }

  /** The store has another size now: the driver hears of it. */
  resized(): void {
    setCapacity(this.#config, this.store.size);
    if (this.isAttached) this.host.configChanged();
  }

  /** 5.2.5.2 and 5.2.6.2: completed writes may be volatile. */
  get writeback(): boolean {
    const negotiated = this.isAttached ? this.host.features : this.features;
    const flush = hasFeature(negotiated, R.VIRTIO_BLK_F_FLUSH);
    if (!hasFeature(negotiated, R.VIRTIO_BLK_F_CONFIG_WCE)) return flush && this.#writeCache;
    return this.#writeback ?? (flush && this.#writeCache);
  }

  /** What requests that come now are held to. */
  get limits(): DiskLimits {
    const negotiated = this.host.features;
    return {
      size: this.store.size,
      readOnly: this.readOnly,
      discard: hasFeature(negotiated, R.VIRTIO_BLK_F_DISCARD),
      writeZeroes: hasFeature(negotiated, R.VIRTIO_BLK_F_WRITE_ZEROES),
      writethrough: !this.writeback,
    };
  }

  protected override attached(host: DeviceHost): void {
    const parts = { host, disk: this, counters: new BlkCounters(host) };
    this.#runner = this.store.outside
      ? new OutsideRequests({ ...parts, io: this.#io! })
      : new ImmediateRequests(parts);
  }

  protected override detached(): void {
    this.#runner?.close();
    this.#runner = undefined;
  }

  readConfig(offset: number, width: HandlerWidth): number {
    this.#config[R.CONFIG_WRITEBACK] = Number(this.writeback);
    return readConfigBytes(this.#config, offset, width);
  }

  override writeConfig(offset: number, _width: HandlerWidth, value: number): void {
    if (offset !== R.CONFIG_WRITEBACK || !hasFeature(this.host.features, R.VIRTIO_BLK_F_CONFIG_WCE)) return;
    this.#writeback = (value & 0xff) !== 0;
  }

  notify(queue: Virtqueue): void {
    this.#runner!.notify(queue);
  }

  override onEvent(_kind: string, _args: EventArguments): void {
    this.#runner!.proceed();
  }

  override reset(): void {
    this.#writeback = undefined;
    this.#runner?.forget();
  }

  override resetQueue(queue: Virtqueue): void {
    this.#runner?.forget(queue);
  }

  override saveState(): Snapshot {
    return saveDisk(this.model, this.store, {
      writeback: this.#writeback ?? null,
      runner: this.#runner!.save(),
    });
  }

  override restoreState(snapshot: Snapshot): void {
    const { writeback, runner } = restoreDisk(this.model, this.store, snapshot);
    this.#writeback = writeback ?? undefined;
    this.#runner!.restore(runner);
  }
}

function check(options: VirtioBlkOptions): void {
  const { store, io, serial = '', queues = 1, logicalBlockSize = SECTOR } = options;
  const { physicalBlockSize = logicalBlockSize } = options;
  const refuse = (why: string): never => {
    throw new VirtioError('bad-option', `virtio-blk: ${why}`);
  };
  const block = (size: number): boolean => size >= SECTOR && Number.isInteger(Math.log2(size));
  if (!/^[\x20-\x7e]{0,20}$/.test(serial)) refuse(`the serial "${serial}" is not up to 20 ASCII characters`);
  if (!Number.isInteger(queues) || queues < 1 || queues > 64)
    refuse(`${queues} queues: 1 to 64 are possible`);
  if (store.outside && io === undefined) refuse('a store outside needs the io of its machine');
  if (!block(logicalBlockSize) || !block(physicalBlockSize) || physicalBlockSize < logicalBlockSize) {
    refuse(`blocks of ${logicalBlockSize} in blocks of ${physicalBlockSize} bytes`);
  }
  if (store.size < SECTOR) refuse('the disk has no sector');
}
