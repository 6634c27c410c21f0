import type { SnapshotValue } from '@vmloom/device';
import { ETHERTYPE_VLAN, type EthernetHeader } from '@vmloom/net';

/** Addresses of each kind that the table holds; a driver that gives more gets all of that kind. */
const MOST_ADDRESSES = 1024;
const ALL_ONES_HIGH = 0xffff;
const ALL_ONES_LOW = 0xffff_ffff;

/** Why a frame is not for this station; undefined: it is. */
export type Filtered = 'address' | 'vlan' | undefined;

export type ReceiveMode =
  'promiscuous' | 'allMulticast' | 'allUnicast' | 'noMulticast' | 'noUnicast' | 'noBroadcast';

/** 5.1.6.5.1 to 5.1.6.5.3: which frames a driver wants to see. */
export class ReceiveFilter {
  /** 5.1.6.5.1: modes that are on. */
  readonly modes = new Set<ReceiveMode>();
  /** CTRL_RX was negotiated: before, every address passes. */
  byAddress = false;
  /** CTRL_VLAN was negotiated. */
  byVlan = false;
  #high = 0;
  #low = 0;
  #unicast: ReadonlySet<number> | 'all' = new Set();
  #multicast: ReadonlySet<number> | 'all' = new Set();
  readonly #vlans = new Uint8Array(4096);

  /** The station's own address. */
  setAddress(mac: Uint8Array): void {
    this.#high = (mac[0] << 8) | mac[1];
    this.#low = ((mac[2] << 24) | (mac[3] << 16) | (mac[4] << 8) | mac[5]) >>> 0;
  }

  reset(): void {
    this.modes.clear();
    this.byAddress = this.byVlan = false;
    this.#unicast = new Set();
    this.#multicast = new Set();
    this.#vlans.fill(0);
  }

  setMode(mode: ReceiveMode, on: boolean): void {
    if (on) this.modes.add(mode);
    else this.modes.delete(mode);
  }

  /**
   * 5.1.6.5.2: both tables as the driver sends them; false when they are not whole, and nothing changes. A group
   * address in the first one, or a station's in the second, finds no frame.
   */
  setTables(data: Uint8Array): boolean {
    const first = table(data, 0);
    if (first === undefined) return false;
    const second = table(data, first.end);
    if (second === undefined) return false;
    this.#unicast = first.addresses;
    this.#multicast = second.addresses;
    return true;
  }

  setVlan(vlan: number, present: boolean): void {
    this.#vlans[vlan & 0xfff] = present ? 1 : 0;
  }

  check(header: EthernetHeader): Filtered {
    if (this.byVlan && header.type === ETHERTYPE_VLAN && this.#vlans[header.tci & 0xfff] === 0) return 'vlan';
    if (!this.byAddress || this.#wanted(header)) return undefined;
    return 'address';
  }

  save(): SnapshotValue {
    const list = (set: ReadonlySet<number> | 'all'): SnapshotValue => (set === 'all' ? 'all' : [...set]);
    return {
      modes: [...this.modes],
      byAddress: this.byAddress,
      byVlan: this.byVlan,
      unicast: list(this.#unicast),
      multicast: list(this.#multicast),
      vlans: this.#vlans.slice(),
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as {
      modes: ReceiveMode[];
      byAddress: boolean;
      byVlan: boolean;
      unicast: number[] | 'all';
      multicast: number[] | 'all';
      vlans: Uint8Array;
    };
    const set = (list: number[] | 'all'): ReadonlySet<number> | 'all' =>
      list === 'all' ? 'all' : new Set(list);
    this.modes.clear();
    for (const mode of saved.modes) this.modes.add(mode);
    this.byAddress = saved.byAddress;
    this.byVlan = saved.byVlan;
    this.#unicast = set(saved.unicast);
    this.#multicast = set(saved.multicast);
    this.#vlans.set(saved.vlans);
  }

  #wanted(header: EthernetHeader): boolean {
    const { destinationHigh: high, destinationLow: low } = header;
    const { modes } = this;
    if (high === this.#high && low === this.#low && modes.size === 0) return true;
    if (modes.has('promiscuous')) return true;
    if (high === ALL_ONES_HIGH && low === ALL_ONES_LOW) return !modes.has('noBroadcast');
    const address = high * 0x1_0000_0000 + low;
    if (header.toGroup) {
      if (modes.has('noMulticast')) return false;
      return modes.has('allMulticast') || this.#multicast === 'all' || this.#multicast.has(address);
    }
    if (modes.has('noUnicast')) return false;
    if (modes.has('allUnicast') || (high === this.#high && low === this.#low)) return true;
    return this.#unicast === 'all' || this.#unicast.has(address);
  }
}

/** One table at `at`: a number of entries (32 bits), then the addresses. */
function table(
  data: Uint8Array,
  at: number,
): { readonly addresses: ReadonlySet<number> | 'all'; readonly end: number } | undefined {
  if (at + 4 > data.length) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const count = view.getUint32(at, true);
  const end = at + 4 + 6 * count;
  if (end > data.length) return undefined;
  if (count > MOST_ADDRESSES) return { addresses: 'all', end };
  const addresses = new Set<number>();
  for (let place = at + 4; place < end; place += 6) {
    addresses.add(view.getUint16(place) * 0x1_0000_0000 + view.getUint32(place + 2));
  }
  return { addresses, end };
}
