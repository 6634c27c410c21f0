import { expectSnapshot, Ledger, type Snapshot, type Snapshotable } from '@vmloom/device';
import { PortCounters } from './counters.js';
import type { Frame } from './frame.js';
import { Link, type LinkOptions, type LinkPort } from './link.js';
import { OFFLOAD_ALL } from './offload/codes.js';
import type { Port } from './port.js';

export interface HubOptions {
  /** `hub` unless told. */
  readonly name?: string;
  readonly ledger?: Ledger;
}

interface HubPort {
  readonly port: Port;
  readonly counters: PortCounters;
  /** The wire to the peer, where the hub made it. */
  readonly link: Link | undefined;
}

/**
 * A repeater (802.3 clause 9): what comes in by one port goes out by all others, as by QEMU's hubports.
 * A port that is blocked loses the frame.
 */
export class Hub implements Snapshotable {
  readonly name: string;
  readonly #ledger: Ledger;
  readonly #ports: HubPort[] = [];
  #repeating = false;

  constructor(options: HubOptions = {}) {
    this.name = options.name ?? 'hub';
    this.#ledger = options.ledger ?? new Ledger();
  }

  /** A new port; what comes back is the other end of its wire, for a NIC. @throws NetError bad-option, no-clock */
  port(
    options: { readonly name?: string; readonly link?: Omit<LinkOptions, 'name' | 'ends'> } = {},
  ): LinkPort {
    const name = options.name ?? `${this.name}.${this.#ports.length}`;
    const link = new Link({
      ledger: this.#ledger,
      ...options.link,
      name: `${name}.wire`,
      ends: [`${name}.wire`, `${name}.peer`],
    });
    this.#add(link.a, name, link);
    return link.b;
  }

  /** Takes an end of some other wire as a new port of the hub. */
  connect(port: Port, name = `${this.name}.${this.#ports.length}`): PortCounters {
    return this.#add(port, name, undefined);
  }

  save(): Snapshot {
    return {
      type: 'hub',
      version: 1,
      ports: this.#ports.map(({ counters, link }) => ({
        counters: counters.save(),
        link: link?.save() ?? null,
      })),
    };
  }

  /** The same ports must have been made beforehand. */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'hub', 1);
    const saved = snapshot['ports'] as unknown as {
      counters: { [name: string]: number };
      link: Snapshot | null;
    }[];
    this.#ports.forEach(({ counters, link }, index) => {
      counters.restore(saved[index].counters);
      if (saved[index].link !== null) link?.restore(saved[index].link);
    });
  }

  #add(port: Port, name: string, link: Link | undefined): PortCounters {
    const added = { port, counters: new PortCounters(this.#ledger, name), link };
    this.#ports.push(added);
    port.attach({ offloads: OFFLOAD_ALL, receive: (frame) => this.#repeat(added, frame) });
    return added.counters;
  }

  #repeat(source: HubPort, frame: Frame): boolean {
    if (this.#repeating) {
      source.counters.drop('loop');
      return true;
    }
    const { length } = frame;
    source.counters.received(length);
    this.#repeating = true;
    try {
      for (const target of this.#ports) {
        if (target === source) continue;
        if (target.port.send(frame)) target.counters.sent(length);
        else target.counters.drop('blocked');
      }
    } finally {
      this.#repeating = false;
    }
    return true;
  }
}
