import type { DeviceHost } from '../device.js';
import { hasFeature } from '../features.js';
import type { Virtqueue } from '../queue/queue.js';
import * as N from './codes.js';
import type { Coalescing, CoalescingLimits } from './coalescing.js';
import type { ReceiveFilter, ReceiveMode } from './receive-filter.js';
import type { Steering } from './steering.js';

/** Bytes of the longest command: both address tables at their longest. What is longer is refused. */
const LONGEST = 2 + 2 * (4 + 6 * 4096);

const RX_MODES: readonly ReceiveMode[] = [
  'promiscuous',
  'allMulticast',
  'allUnicast',
  'noMulticast',
  'noUnicast',
  'noBroadcast',
];

/** What commands act on. */
export interface ControlTarget {
  readonly filter: ReceiveFilter;
  readonly steering: Steering;
  readonly coalescing: Coalescing;
  /** Pairs of queues that exist. */
  readonly pairs: number;
  setAddress(mac: Uint8Array): void;
  /** Offloads that the driver wants to receive (feature bits, low half and high half). */
  setOffloads(low: number, high: number): boolean;
  announced(): void;
}

/** 5.1.6.5: the control queue. Each command is carried out before its buffer goes back. */
export class Control {
  readonly #host: DeviceHost;
  readonly #target: ControlTarget;
  readonly #commands;
  readonly #refused;
  /** The command at hand reads something back. */
  #answered = false;

  constructor(host: DeviceHost, target: ControlTarget) {
    this.#host = host;
    this.#target = target;
    this.#commands = host.counter('control', 'commands');
    this.#refused = host.counter('control', 'refused');
  }

  run(queue: Virtqueue): void {
    do {
      queue.disableNotifications();
      for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
        const { readable, writable, token } = chain;
        // The answer is the last byte of what the device may write; there is none where there is no room.
        if (readable.length < 2 || writable.length < 1) {
          this.#host.needsReset('short control command');
          return;
        }
        const command = readable.bytes(0, Math.min(readable.length, LONGEST + 1));
        const answer = new Uint8Array(Math.min(writable.length - 1, 16));
        this.#answered = false;
        const done = command.length <= LONGEST && this.#carryOut(command, answer);
        this.#commands.value++;
        if (!done) this.#refused.value++;
        if (!this.#host.running) return;
        if (done && this.#answered) writable.write(0, answer);
        writable.setU8(writable.length - 1, done ? N.CTRL_OK : N.CTRL_ERR);
        queue.push(token, writable.length);
      }
    } while (queue.enableNotifications());
    queue.signal();
  }

  /** True: OK. What a driver reads back goes into `answer`. */
  #carryOut(command: Uint8Array, answer: Uint8Array): boolean {
    const [kind, number] = command;
    const data = command.subarray(2);
    switch (kind) {
      case N.CTRL_RX:
        return this.#receiveMode(number, data);
      case N.CTRL_MAC:
        return this.#address(number, data);
      case N.CTRL_VLAN:
        return this.#vlan(number, data);
      case N.CTRL_ANNOUNCE:
        if (!this.#has(N.F_GUEST_ANNOUNCE) || number !== N.CTRL_ANNOUNCE_ACK) return false;
        this.#target.announced();
        return true;
      case N.CTRL_MQ:
        return this.#queues(number, data);
      case N.CTRL_GUEST_OFFLOADS:
        if (!this.#has(N.F_CTRL_GUEST_OFFLOADS) || number !== N.CTRL_GUEST_OFFLOADS_SET) return false;
        return data.length >= 8 && this.#target.setOffloads(u32(data, 0), u32(data, 4));
      case N.CTRL_NOTF_COAL:
        return this.#coalescing(number, data, answer);
      default:
        return false;
    }
  }

  #receiveMode(number: number, data: Uint8Array): boolean {
    const feature = number <= N.CTRL_RX_ALLMULTI ? N.F_CTRL_RX : N.F_CTRL_RX_EXTRA;
    const mode = RX_MODES[number];
    if (mode === undefined || !this.#has(feature) || data.length < 1) return false;
    this.#target.filter.setMode(mode, data[0] !== 0);
    return true;
  }

  #address(number: number, data: Uint8Array): boolean {
    if (number === N.CTRL_MAC_TABLE_SET) {
      return this.#has(N.F_CTRL_RX) && this.#target.filter.setTables(data);
    }
    if (number !== N.CTRL_MAC_ADDR_SET || !this.#has(N.F_CTRL_MAC_ADDR) || data.length < 6) return false;
    this.#target.setAddress(data.subarray(0, 6));
    return true;
  }

  #vlan(number: number, data: Uint8Array): boolean {
    if (!this.#has(N.F_CTRL_VLAN) || number > N.CTRL_VLAN_DEL || data.length < 2) return false;
    const vlan = u16(data, 0);
    if (vlan > 0xfff) return false;
    this.#target.filter.setVlan(vlan, number === N.CTRL_VLAN_ADD);
    return true;
  }

  #queues(number: number, data: Uint8Array): boolean {
    const { steering, pairs } = this.#target;
    if (number === N.CTRL_MQ_VQ_PAIRS_SET) {
      if (!this.#has(N.F_MQ) || data.length < 2) return false;
      const wanted = u16(data, 0);
      if (wanted < 1 || wanted > pairs) return false;
      steering.automatic(wanted);
      return true;
    }
    if (number === N.CTRL_MQ_RSS_CONFIG) return this.#has(N.F_RSS) && steering.scale(data, pairs);
    if (number !== N.CTRL_MQ_HASH_CONFIG || !this.#has(N.F_HASH_REPORT)) return false;
    return steering.configureHash(data);
  }

  #coalescing(number: number, data: Uint8Array, answer: Uint8Array): boolean {
    const { coalescing, pairs } = this.#target;
    if (number === N.CTRL_NOTF_COAL_TX_SET || number === N.CTRL_NOTF_COAL_RX_SET) {
      if (!this.#has(N.F_NOTF_COAL) || data.length < 8) return false;
      coalescing.setAll(
        number === N.CTRL_NOTF_COAL_RX_SET ? 'receive' : 'transmit',
        limitsAt(data, 0),
        pairs,
      );
      return true;
    }
    if (!this.#has(N.F_VQ_NOTF_COAL) || data.length < 4) return false;
    const queue = u16(data, 0);
    if (queue >= 2 * pairs || !this.#host.queues[queue].ready) return false;
    if (number === N.CTRL_NOTF_COAL_VQ_SET) {
      if (data.length < 12) return false;
      coalescing.set(queue, limitsAt(data, 4));
      return true;
    }
    if (number !== N.CTRL_NOTF_COAL_VQ_GET || answer.length < 8) return false;
    this.#answered = true;
    const { packets, microseconds } = coalescing.limits(queue);
    const view = new DataView(answer.buffer);
    view.setUint32(0, packets, true);
    view.setUint32(4, microseconds, true);
    return true;
  }

  #has(feature: number): boolean {
    return hasFeature(this.#host.features, feature);
  }
}

function limitsAt(data: Uint8Array, at: number): CoalescingLimits {
  return { packets: u32(data, at), microseconds: u32(data, at + 4) };
}

function u16(data: Uint8Array, at: number): number {
  return data[at] | (data[at + 1] << 8);
}

function u32(data: Uint8Array, at: number): number {
  return (u16(data, at) | (u16(data, at + 2) << 16)) >>> 0;
}
