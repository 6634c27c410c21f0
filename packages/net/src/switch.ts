import { expectSnapshot, Ledger, type Clock, type Snapshot, type Snapshotable } from '@vmloom/device';
import { PortCounters } from './counters.js';
import { NetError } from './error.js';
import { EthernetHeader, ETHERTYPE_VLAN } from './ethernet.js';
import { ForwardingTable, UNKNOWN_PORT } from './forwarding-table.js';
import type { Frame } from './frame.js';
import { Link, type LinkOptions, type LinkPolicy, type LinkPort } from './link.js';
import type { Port, PortOwner } from './port.js';
import { OFFLOAD_ALL } from './offload/codes.js';
import { NO_VLAN, Retagger, VlanPort, type VlanMode } from './vlan.js';

const SECOND = 1_000_000_000;

export interface SwitchOptions {
  /** `switch` unless told. */
  readonly name?: string;
  /** Ages the learned addresses; without one they do not age. */
  readonly clock?: Clock;
  readonly ledger?: Ledger;
  /** Seconds after which an address not seen again is forgotten (802.1Q table 8-6). 300 unless told. */
  readonly ageing?: number;
  /** Addresses that are remembered; frames to others are flooded. 4096 unless told. */
  readonly tableSize?: number;
  /** Honours 802.1Q tags and keeps VLANs apart; otherwise tagged frames pass like any. False unless told. */
  readonly vlanAware?: boolean;
  /** What happens to a unicast frame whose way out is blocked. A flooded frame is always dropped there. `drop` unless told. */
  readonly policy?: LinkPolicy;
}

export interface SwitchPortOptions {
  /** `name.index` of the switch unless told. */
  readonly name?: string;
  /** On a VLAN-aware switch; `{ access: 1 }` unless told. */
  readonly vlan?: VlanMode;
}

/** One port of a switch, seen from inside it. */
export class SwitchPort implements PortOwner {
  /** The wire from the switch to this port's peer, where the switch made it. */
  link: Link | undefined;
  /** Whatever comes is handed on; the wire out of the switch does what its peer wants done. */
  readonly offloads = OFFLOAD_ALL;
  /** Ports that the switch refused because this one was blocked. */
  readonly waiting = new Set<SwitchPort>();

  constructor(
    readonly lan: Switch,
    readonly index: number,
    readonly name: string,
    readonly port: Port,
    readonly vlans: VlanPort | undefined,
    readonly counters: PortCounters,
  ) {
    port.attach(this);
  }

  receive(frame: Frame): boolean {
    return this.lan.forward(this, frame);
  }

  writable(): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const source of waiting) source.port.ready();
  }

  linkChanged(up: boolean): void {
    if (up) return;
    this.lan.table.forget(this.index);
    this.writable();
  }
}

/**
 * A learning bridge (802.1Q clause 8): forwards by learned address, floods what it does not know, keeps
 * VLANs apart when told to. It has no queue: a frame is handed on while it arrives, and a wire with a rate
 * queues it. Unicast frames are forwarded without copy and without allocation.
 */
export class Switch implements Snapshotable {
  readonly name: string;
  readonly table: ForwardingTable;
  readonly vlanAware: boolean;
  readonly policy: LinkPolicy;
  readonly ports: SwitchPort[] = [];
  readonly #ledger: Ledger;
  readonly #clock: Clock | undefined;
  readonly #header = new EthernetHeader();
  readonly #retagger = new Retagger();
  readonly #flooded;
  readonly #tableFull;
  #forwarding = false;

  /** @throws NetError bad-option */
  constructor(options: SwitchOptions = {}) {
    const { name = 'switch', ledger = new Ledger(), ageing = 300, tableSize = 4096 } = options;
    if (!(ageing > 0))
      throw new NetError('bad-option', `the ageing time of ${name} must be above 0 s, not ${ageing}`);
    if (!Number.isInteger(tableSize) || tableSize < 1 || tableSize > 1 << 20) {
      throw new NetError('bad-option', `the table of ${name} holds 1 to 1048576 addresses, not ${tableSize}`);
    }
    this.name = name;
    this.vlanAware = options.vlanAware ?? false;
    this.policy = options.policy ?? 'drop';
    this.table = new ForwardingTable(tableSize, ageing * SECOND);
    this.#ledger = ledger;
    this.#clock = options.clock;
    this.#flooded = ledger.counter(name, 'frames', 'flooded');
    this.#tableFull = ledger.counter(name, 'learn', 'table-full');
  }

  /** A new port; what comes back is the other end of its wire, for a NIC. @throws NetError bad-option */
  port(options: SwitchPortOptions & { readonly link?: Omit<LinkOptions, 'name' | 'ends'> } = {}): LinkPort {
    const name = options.name ?? `${this.name}.${this.ports.length}`;
    const link = new Link({
      ...(this.#clock && { clock: this.#clock }),
      ledger: this.#ledger,
      ...options.link,
      name: `${name}.wire`,
      ends: [`${name}.wire`, `${name}.peer`],
    });
    this.connect(link.a, { ...options, name }).link = link;
    return link.b;
  }

  /** Takes an end of some other wire as a new port of the switch. @throws NetError bad-option */
  connect(port: Port, options: SwitchPortOptions = {}): SwitchPort {
    const { name = `${this.name}.${this.ports.length}`, vlan } = options;
    if (vlan !== undefined && !this.vlanAware) {
      throw new NetError('bad-option', `${name} has a VLAN but ${this.name} is not vlanAware`);
    }
    const vlans = this.vlanAware ? new VlanPort(vlan ?? { access: 1 }) : undefined;
    const added = new SwitchPort(
      this,
      this.ports.length,
      name,
      port,
      vlans,
      new PortCounters(this.#ledger, name),
    );
    this.ports.push(added);
    return added;
  }

  /** A frame came in by `source`. False: the way out is blocked and the policy is to pause. */
  forward(source: SwitchPort, frame: Frame): boolean {
    // A frame that comes while another is handed on has come round a loop of wires without delay.
    if (this.#forwarding) {
      source.counters.drop('loop');
      return true;
    }
    this.#forwarding = true;
    try {
      return this.#forward(source, frame);
    } finally {
      this.#forwarding = false;
    }
  }

  save(): Snapshot {
    return {
      type: 'switch',
      version: 1,
      table: [...this.table.entries()],
      ports: this.ports.map((port) => ({
        counters: port.counters.save(),
        waiting: [...port.waiting].map((waiting) => waiting.index),
        link: port.link?.save() ?? null,
      })),
    };
  }

  /** The same ports must have been made beforehand. */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'switch', 1);
    this.table.forget();
    for (const { vlan, address, port, seen } of snapshot['table'] as unknown as {
      vlan: number;
      address: number;
      port: number;
      seen: number;
    }[]) {
      this.table.learn(vlan, Math.floor(address / 0x1_0000_0000), address % 0x1_0000_0000, port, seen);
    }
    const saved = snapshot['ports'] as unknown as {
      counters: { [name: string]: number };
      waiting: number[];
      link: Snapshot | null;
    }[];
    this.ports.forEach((port, index) => {
      port.counters.restore(saved[index].counters);
      port.waiting.clear();
      for (const waiting of saved[index].waiting) port.waiting.add(this.ports[waiting]);
      if (saved[index].link !== null) port.link?.restore(saved[index].link);
    });
  }

  #forward(source: SwitchPort, frame: Frame): boolean {
    const header = this.#header;
    if (!header.read(frame)) return refuse(source, 'runt');
    if (header.fromGroup) return refuse(source, 'bad-source');
    if (header.reserved) return refuse(source, 'reserved');
    let vlan = 0;
    if (source.vlans !== undefined) {
      if (header.type === ETHERTYPE_VLAN && frame.length < 18) return refuse(source, 'runt');
      vlan = source.vlans.classify(header);
      if (vlan === NO_VLAN) return refuse(source, 'vlan');
    }
    const now = this.#clock?.now ?? 0;
    if (!this.table.learn(vlan, header.sourceHigh, header.sourceLow, source.index, now))
      this.#tableFull.value++;
    const { length } = frame;
    if (!header.toGroup) {
      const index = this.table.lookup(vlan, header.destinationHigh, header.destinationLow, now);
      if (index === source.index) {
        source.counters.received(length);
        return true;
      }
      if (index !== UNKNOWN_PORT) {
        const target = this.ports[index];
        if (!this.#send(target, frame, vlan)) {
          if (this.policy === 'pause') {
            target.waiting.add(source);
            return false;
          }
          target.counters.drop('blocked');
        }
        source.counters.received(length);
        return true;
      }
    }
    source.counters.received(length);
    this.#flooded.value++;
    for (const target of this.ports) {
      if (target === source || !target.port.up) continue;
      if (target.vlans !== undefined && !target.vlans.member(vlan)) continue;
      if (!this.#send(target, frame, vlan)) target.counters.drop('blocked');
    }
    return true;
  }

  #send(target: SwitchPort, frame: Frame, vlan: number): boolean {
    const shaped =
      target.vlans === undefined ? frame : this.#retagger.shape(frame, this.#header, vlan, target.vlans);
    const { length } = shaped;
    if (!target.port.send(shaped)) return false;
    target.counters.sent(length);
    return true;
  }
}

function refuse(source: SwitchPort, reason: Parameters<PortCounters['drop']>[0]): true {
  source.counters.drop(reason);
  return true;
}
