import { expectSnapshot, type Counter, type EventArguments, type Snapshot } from '@vmloom/device';
import type { HandlerWidth } from '@vmloom/memory';
import {
  EthernetHeader,
  OFFLOAD_CHECKSUM,
  OFFLOAD_ECN,
  OFFLOAD_TCP4,
  OFFLOAD_TCP6,
  OFFLOAD_UDP4,
  OFFLOAD_UDP6,
  parseMac,
  type Frame,
  type Port,
  type PortOwner,
} from '@vmloom/net';
import { readConfigBytes } from '../config-bytes.js';
import { VirtioDevice, type DeviceHost, type QueueShape } from '../device.js';
import { VirtioError } from '../error.js';
import { hasFeature } from '../features.js';
import type { Virtqueue } from '../queue/queue.js';
import * as N from './codes.js';
import { COALESCE_EVENT, Coalescing } from './coalescing.js';
import { Control } from './control.js';
import { offeredFeatures, requirementsMet, type NetFeature } from './features.js';
import { ReceiveFilter } from './receive-filter.js';
import { ReceivePlace, Receiver } from './receiver.js';
import { Steering } from './steering.js';
import { Transmitter } from './transmitter.js';

export interface VirtioNetOptions {
  /** The wire; without one the link is down. */
  readonly port?: Port;
  /** Station address; `52:54:00:12:34:56` unless told. */
  readonly mac?: string;
  /** Pairs of receive and transmit queues, 1 to 64; from 2 on MQ is offered. 1 unless told. */
  readonly pairs?: number;
  /** Descriptors per queue, a power of two. 256 unless told. */
  readonly queueSize?: number;
  /** Offers RSS (`rss`). False unless told. */
  readonly rss?: boolean;
  /** Offers hash reports (`hash`). False unless told. */
  readonly hashReport?: boolean;
  /** Offers this MTU, 68 to 65535 (`host_mtu`). Not unless told. */
  readonly mtu?: number;
  /** Mbit/s, 0 to 0x7fffffff (`speed`). Unknown unless told. */
  readonly speed?: number;
  /** `duplex`. Unknown unless told. */
  readonly duplex?: 'half' | 'full';
  /** What else is not offered, by QEMU's names of properties; nor is what needs it. */
  readonly without?: readonly NetFeature[];
}

/** What a driver receives undone, by the feature bit. */
const GUEST_OFFLOADS: readonly (readonly [feature: number, offload: number])[] = [
  [N.F_GUEST_CSUM, OFFLOAD_CHECKSUM],
  [N.F_GUEST_TSO4, OFFLOAD_TCP4],
  [N.F_GUEST_TSO6, OFFLOAD_TCP6],
  [N.F_GUEST_ECN, OFFLOAD_ECN],
  [N.F_GUEST_USO4, OFFLOAD_UDP4],
  [N.F_GUEST_USO6, OFFLOAD_UDP6],
];
const SIGNAL_EVENT = 'signal';
const READY_EVENT = 'ready';
const SNAPSHOT_VERSION = 1;

/** 5.1: the network device. */
export class VirtioNet extends VirtioDevice implements PortOwner {
  readonly type = 1;
  readonly model = 'virtio-net';
  readonly features: bigint;
  readonly queues: readonly QueueShape[];
  readonly configSize = N.CONFIG_SIZE;
  readonly pairs: number;
  readonly filter = new ReceiveFilter();
  readonly steering = new Steering();
  readonly #port: Port | undefined;
  readonly #station: Uint8Array;
  readonly #mtu: number;
  readonly #config = new Uint8Array(N.CONFIG_SIZE);
  readonly #ethernet = new EthernetHeader();
  /** Packets put into each receive queue since its driver was told. */
  readonly #received: Uint32Array;
  #coalescing: Coalescing | undefined;
  #control: Control | undefined;
  #transmitter: Transmitter | undefined;
  #receiver: Receiver | undefined;
  #place: ReceivePlace | undefined;
  #drops: { readonly [reason in 'down' | 'address' | 'vlan' | 'runt' | 'queue']: Counter } | undefined;
  /** Whether somebody waits for room, by receive queue. */
  #starved = new Set<number>();
  #signalling = false;
  #linkEnabled = true;
  #controlIndex = 2;
  #negotiatedOffloads = 0;
  #offloads = 0;

  /** @throws VirtioError bad-option; NetError bad-address */
  constructor(options: VirtioNetOptions = {}) {
    super();
    const { pairs = 1, queueSize = 256, mtu, speed = 0xffff_ffff, duplex } = options;
    check(Number.isInteger(pairs) && pairs >= 1 && pairs <= 64, `1 to 64 pairs of queues, not ${pairs}`);
    check(
      mtu === undefined || (Number.isInteger(mtu) && mtu >= 68 && mtu <= 65_535),
      `an MTU from 68 to 65535, not ${mtu}`,
    );
    check(
      speed >= 0 && (speed <= 0x7fff_ffff || speed === 0xffff_ffff),
      `a speed up to 0x7fffffff Mbit/s, not ${speed}`,
    );
    this.pairs = pairs;
    this.#port = options.port;
    this.#station = parseMac(options.mac ?? '52:54:00:12:34:56');
    check((this.#station[0] & 1) === 0, `the address of a station, not of a group: ${options.mac}`);
    this.#mtu = mtu ?? Infinity;
    const without: NetFeature[] = [...(options.without ?? [])];
    if (pairs === 1) without.push('mq');
    if (options.rss !== true) without.push('rss');
    if (options.hashReport !== true) without.push('hash');
    if (mtu === undefined) without.push('host_mtu');
    this.features = offeredFeatures(without);
    this.queues = Array.from({ length: 2 * pairs + 1 }, () => ({ size: queueSize }));
    this.#received = new Uint32Array(2 * pairs);
    const view = new DataView(this.#config.buffer);
    view.setUint16(N.CONFIG_MAX_PAIRS, pairs, true);
    view.setUint16(N.CONFIG_MTU, mtu ?? 0, true);
    view.setUint32(N.CONFIG_SPEED, speed, true);
    view.setUint8(N.CONFIG_DUPLEX, duplex === undefined ? 0xff : Number(duplex === 'full'));
    view.setUint8(N.CONFIG_RSS_KEY, N.RSS_KEY_SIZE);
    view.setUint16(N.CONFIG_RSS_TABLE, N.RSS_TABLE_LENGTH, true);
    view.setUint32(N.CONFIG_HASH_TYPES, N.HASH_ALL, true);
    this.#setMac(this.#station);
  }

  /** The cable: plugged or pulled. */
  get link(): boolean {
    return this.#linkEnabled;
  }

  set link(up: boolean) {
    this.#linkEnabled = up;
    this.#updateLink();
  }

  /** The station address in force. */
  get mac(): Uint8Array {
    return this.#config.slice(N.CONFIG_MAC, N.CONFIG_MAC + 6);
  }

  /** 5.1.6.5.4: asks the driver to make itself known on its network; nothing happens where it cannot. */
  announce(): void {
    if (!this.isAttached || !hasFeature(this.host.features, N.F_GUEST_ANNOUNCE)) return;
    this.#config[N.CONFIG_STATUS] |= N.STATUS_ANNOUNCE;
    this.host.configChanged();
  }

  // VirtioDevice -------------------------------------------------------------------------------------------

  protected override attached(host: DeviceHost): void {
    if (this.#place?.memory !== host.memory) this.#place = new ReceivePlace(host.memory);
    this.#coalescing = new Coalescing(host);
    this.#control = new Control(host, {
      filter: this.filter,
      steering: this.steering,
      coalescing: this.#coalescing,
      pairs: this.pairs,
      setAddress: (mac) => this.#setMac(mac),
      setOffloads: (low, high) => this.#setOffloads(low, high),
      announced: () => void (this.#config[N.CONFIG_STATUS] &= ~N.STATUS_ANNOUNCE),
    });
    this.#transmitter = new Transmitter(host, {
      send: (frame) => this.#send(frame),
      sent: (frame, queue) => this.#sent(frame, queue),
      used: (queue, chains) => this.#coalescing!.used(queue.index, chains),
    });
    this.#receiver = new Receiver(host, this.#place);
    const drop = (reason: string): Counter => host.counter('rx-drop', reason);
    this.#drops = {
      down: drop('down'),
      address: drop('address'),
      vlan: drop('vlan'),
      runt: drop('runt'),
      queue: drop('queue'),
    };
    this.#port?.attach(this);
    this.#updateLink();
  }

  readConfig(offset: number, width: HandlerWidth): number {
    return readConfigBytes(this.#config, offset, width);
  }

  /** 5.1.4.3: a legacy driver may write its address. */
  override writeConfig(offset: number, width: HandlerWidth, value: number): void {
    if (!this.host.legacy || offset + width > 6) return;
    for (let index = 0; index < width; index++) this.#config[offset + index] = value >>> (8 * index);
    this.filter.setAddress(this.#config);
  }

  override acceptsFeatures(features: bigint): boolean {
    return requirementsMet(features);
  }

  override started(): void {
    const { features } = this.host;
    const has = (feature: number): boolean => hasFeature(features, feature);
    this.filter.byAddress = has(N.F_CTRL_RX);
    this.filter.byVlan = has(N.F_CTRL_VLAN);
    this.#negotiatedOffloads = 0;
    for (const [feature, offload] of GUEST_OFFLOADS) if (has(feature)) this.#negotiatedOffloads |= offload;
    this.#offloads = this.#negotiatedOffloads;
    this.steering.reporting = has(N.F_HASH_REPORT);
    this.#form();
    // Doorbells for buffers are wanted only by who waits for them.
    for (let index = 0; index < 2 * this.pairs; index += 2) {
      if (index !== this.#controlIndex) this.host.queues[index].disableNotifications();
    }
  }

  notify(queue: Virtqueue): void {
    const { index } = queue;
    if (index === this.#controlIndex) this.#control!.run(queue);
    else if ((index & 1) === 1) this.#transmitter!.run(queue);
    else {
      queue.disableNotifications();
      if (this.#starved.delete(index)) this.#port?.ready();
    }
  }

  override onEvent(kind: string, args: EventArguments): void {
    if (kind === COALESCE_EVENT) this.#coalescing!.onEvent(args['queue'] as number);
    else if (kind === READY_EVENT) this.#port?.ready();
    else if (kind === SIGNAL_EVENT) {
      this.#signalling = false;
      for (let index = 0; index < this.#received.length; index += 2) {
        const packets = this.#received[index];
        this.#received[index] = 0;
        if (packets > 0) this.#coalescing!.used(index, packets);
      }
    }
  }

  override reset(): void {
    this.filter.reset();
    this.steering.reset();
    this.#coalescing!.reset();
    this.#transmitter!.reset();
    this.#received.fill(0);
    this.#signalling = false;
    this.#offloads = this.#negotiatedOffloads = 0;
    this.#config[N.CONFIG_STATUS] &= ~N.STATUS_ANNOUNCE;
    this.#setMac(this.#station);
    this.#freeWaiting();
  }

  override resetQueue(queue: Virtqueue): void {
    if (queue.index === this.#controlIndex) return;
    this.#coalescing!.resetQueue(queue.index);
    this.#received[queue.index] = 0;
    this.#transmitter!.resetQueue(queue);
    if (this.#starved.has(queue.index)) this.#freeWaiting();
  }

  override saveState(): Snapshot {
    return {
      type: this.model,
      version: SNAPSHOT_VERSION,
      config: this.#config.slice(),
      link: this.#linkEnabled,
      filter: this.filter.save(),
      steering: this.steering.save(),
      coalescing: this.#coalescing!.save(),
      blocked: this.#transmitter!.save(),
      received: [...this.#received],
      signalling: this.#signalling,
      starved: [...this.#starved],
      negotiatedOffloads: this.#negotiatedOffloads,
      offloads: this.#offloads,
    };
  }

  override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, this.model, SNAPSHOT_VERSION);
    this.#config.set(snapshot['config'] as Uint8Array);
    this.filter.setAddress(this.#config);
    this.#linkEnabled = snapshot['link'] as boolean;
    this.filter.restore(snapshot['filter']);
    this.steering.restore(snapshot['steering']);
    this.#coalescing!.restore(snapshot['coalescing']);
    this.#transmitter!.restore(snapshot['blocked'] as number[]);
    this.#received.set(snapshot['received'] as number[]);
    this.#signalling = snapshot['signalling'] as boolean;
    this.#starved = new Set(snapshot['starved'] as number[]);
    this.#negotiatedOffloads = snapshot['negotiatedOffloads'] as number;
    this.#offloads = snapshot['offloads'] as number;
    this.#form();
  }

  // PortOwner ----------------------------------------------------------------------------------------------

  get offloads(): number {
    return this.#offloads;
  }

  receive(frame: Frame): boolean {
    const drops = this.#drops!;
    if (!this.isAttached || !this.host.running || !this.#linkEnabled) return drop(drops.down);
    const ethernet = this.#ethernet;
    if (!ethernet.read(frame)) return drop(drops.runt);
    const filtered = this.filter.check(ethernet);
    if (filtered !== undefined) return drop(drops[filtered]);
    const { queues } = this.host;
    let index = 2 * this.steering.choose(frame);
    if (!queues[index].ready) {
      index = this.steering.scaling ? -1 : this.#anyQueue();
      if (index < 0) return drop(drops.queue);
    }
    const queue = queues[index];
    const { hash } = this.steering;
    const chains = this.#receiver!.deliver(frame, ethernet, queue, hash);
    if (chains < 0) {
      if (!this.host.running) return drop(drops.queue);
      this.#starved.add(index);
      return false;
    }
    if (chains > 0) {
      this.#received[index]++;
      this.#signalLater();
    }
    return true;
  }

  writable(): void {
    this.#transmitter?.resume();
  }

  linkChanged(): void {
    this.#updateLink();
    if (this.#port?.up === true) this.#transmitter?.resume();
  }

  // Inside -------------------------------------------------------------------------------------------------

  /** Without a cable frames are taken and lost; the port counts those that it loses itself. */
  #send(frame: Frame): boolean {
    if (this.#port === undefined || !this.#linkEnabled) return drop(this.#drops!.down);
    return this.#port.send(frame);
  }

  #sent(frame: Frame, queue: Virtqueue): void {
    if (this.steering.pairs > 1) this.steering.learn(frame, queue.index >> 1);
  }

  #setOffloads(low: number, high: number): boolean {
    let wanted = 0;
    for (const [feature, offload] of GUEST_OFFLOADS) {
      const half = feature < 32 ? low : high;
      if (((half >>> (feature & 31)) & 1) !== 0) wanted |= offload;
    }
    // 5.1.6.5.7.1: nothing that was not negotiated.
    if ((wanted & ~this.#negotiatedOffloads) !== 0) return false;
    this.#offloads = wanted;
    this.#form();
    return true;
  }

  /** How both directions go, by what was negotiated and which offloads are on. */
  #form(): void {
    const { features, legacy } = this.host;
    const mergeable = hasFeature(features, N.F_MRG_RXBUF);
    const hashReport = hasFeature(features, N.F_HASH_REPORT);
    const short = legacy && !mergeable;
    const headerSize = hashReport ? N.HDR_HASH_SIZE : short ? N.HDR_LEGACY_SIZE : N.HDR_SIZE;
    // 5.1.2: the control queue is behind all pairs where the driver knows of them, else behind the first.
    const all = hasFeature(features, N.F_MQ) || hasFeature(features, N.F_RSS);
    this.#controlIndex = all ? 2 * this.pairs : 2;
    this.#transmitter!.start(headerSize);
    this.#receiver!.form = {
      mergeable,
      hashReport,
      headerSize,
      checksum: (this.#offloads & OFFLOAD_CHECKSUM) !== 0,
      mtu: hasFeature(features, N.F_MTU) ? this.#mtu : Infinity,
    };
  }

  #setMac(mac: Uint8Array): void {
    this.#config.set(mac, N.CONFIG_MAC);
    this.filter.setAddress(mac);
  }

  #updateLink(): void {
    const up = this.#linkEnabled && this.#port?.up === true;
    const before = this.#config[N.CONFIG_STATUS];
    const after = up ? before | N.STATUS_LINK_UP : before & ~N.STATUS_LINK_UP;
    this.#config[N.CONFIG_STATUS] = after;
    if (before === after || !this.isAttached) return;
    if (hasFeature(this.host.features, N.F_STATUS)) this.host.configChanged();
  }

  /** 5.1.6.5.5.2: another receive queue in use; -1 when there is none. */
  #anyQueue(): number {
    const { queues } = this.host;
    for (let pair = 0; pair < this.steering.pairs; pair++) if (queues[2 * pair].ready) return 2 * pair;
    return -1;
  }

  /** The driver hears of this batch when the event at hand is over. */
  #signalLater(): void {
    if (this.#signalling) return;
    this.#signalling = true;
    this.host.after(SIGNAL_EVENT, 0);
  }

  /** Nobody waits for buffers that will never come: whoever was refused finds the door open and its frame lost. */
  #freeWaiting(): void {
    if (this.#starved.size === 0) return;
    this.#starved.clear();
    this.host.after(READY_EVENT, 0);
  }
}

function drop(counter: Counter): true {
  counter.value++;
  return true;
}

function check(valid: boolean, wanted: string): void {
  if (!valid) throw new VirtioError('bad-option', `virtio-net takes ${wanted}`);
}
