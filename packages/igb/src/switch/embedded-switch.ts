import type { Clock, Counter, Ledger, SnapshotValue } from '@vmloom/device';
import type { Interrupts } from '../interrupts.js';
import * as B from '../register-bits.js';
import type { RegisterFile } from '../register-file.js';
import * as R from '../register-map.js';
import { WIRE, type Egress, type Packet, type PoolQueues, type Steering, type Targets } from '../steering.js';
import { AddressFilter } from './address-filter.js';
import { RateLimits } from './rate-limits.js';
import { ALL_POOLS, DTXCTL_SPOOF_INTERRUPT, DTXSWC, pools, VMOLR, VMRCTL, VT_CTL } from './switch-bits.js';
import { VlanFilter } from './vlan-filter.js';

export interface EmbeddedSwitchOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly registers: RegisterFile;
  readonly interrupts: Interrupts;
  readonly queues: PoolQueues;
  /** A queue may be able to send sooner than its rate limit said. */
  readonly onRateChange?: (queue: number) => void;
}

const FCS_BYTES = 4;
const TAG_BYTES = 4;
/** Without long packets, with FCS and without a tag. */
const LONGEST = 1518;

/**
 * The embedded switch (7.10.3): which pools get a frame from the wire or from another pool, whether the wire gets what
 * a pool sends, and whether the pool may send it at all.
 */
export class EmbeddedSwitch implements Steering {
  readonly rates: RateLimits;
  readonly #registers: RegisterFile;
  readonly #interrupts: Interrupts;
  readonly #queues: PoolQueues;
  readonly #addresses: AddressFilter;
  readonly #vlans: VlanFilter;
  readonly #unwanted: Counter;
  readonly #oversize: Counter;
  readonly #spoofedMac: Counter;
  readonly #spoofedVlan: Counter;
  readonly #mirrored: Counter;

  constructor(options: EmbeddedSwitchOptions) {
    const { name, clock, ledger, registers, interrupts, queues } = options;
    this.#registers = registers;
    this.#interrupts = interrupts;
    this.#queues = queues;
    this.rates = new RateLimits(registers, clock, options.onRateChange);
    this.#addresses = new AddressFilter(registers);
    this.#vlans = new VlanFilter(registers);
    this.#unwanted = ledger.counter(name, 'switch-drop', 'no pool');
    this.#oversize = ledger.counter(name, 'switch-drop', 'oversize');
    this.#spoofedMac = ledger.counter(name, 'switch-drop', 'spoofed address');
    this.#spoofedVlan = ledger.counter(name, 'switch-drop', 'spoofed VLAN');
    this.#mirrored = ledger.counter(name, 'switch-mirror');
  }

  /** 7.10.3.3, 7.10.3.4: by address, then VLAN; the default pool gets what nobody else wants. */
  ingress(packet: Packet, source: number, targets: Targets): void {
    const control = this.#registers.get(R.REG_VT_CTL);
    const ignoresMac = (control & VT_CTL.ignoreMac) !== 0;
    const wanted = ignoresMac ? ALL_POOLS : this.#addresses.destination(packet.header).pools;
    const members = this.#vlans.members(packet.tag);
    let found = wanted & members;
    if (found === 0 && source === WIRE && (control & VT_CTL.disableDefaultPool) === 0 && members !== 0) {
      found = 1 << ((control >> VT_CTL.defaultPoolShift) & (R.POOLS - 1));
    }
    if ((control & VT_CTL.replication) === 0) found &= -found;
    this.#place(packet, source, found, targets);
    if (found === 0) this.#drop(this.#unwanted);
  }

  /** 7.10.3.6, 7.10.3.9. */
  egress(packet: Packet, source: number, targets: Targets, egress: Egress): void {
    egress.allowed = this.#maySend(packet, source);
    egress.wire = egress.allowed;
    if (!egress.allowed) return;
    const control = this.#registers.get(R.REG_DTXSWC);
    let exact = false;
    if ((control & DTXSWC.loopback) !== 0) {
      const match = this.#addresses.destination(packet.header);
      // A pool hears itself only where its own loopback is enabled.
      const self = 1 << source;
      const hears = ((control >>> DTXSWC.localShift) & self) === 0 ? ALL_POOLS & ~self : ALL_POOLS;
      let found = match.pools & this.#vlans.members(packet.tag) & hears;
      exact = match.exact && found !== 0 && (packet.header[0] & 1) === 0;
      if ((this.#registers.get(R.REG_VT_CTL) & VT_CTL.replication) === 0) found &= -found;
      this.#place(packet, source, found, targets);
    }
    // A station that is here is nobody's on the wire.
    egress.wire = !exact;
    if (egress.wire) this.#mirror(VMRCTL.downlink, 0, 0, targets);
  }

  reset(): void {
    this.rates.reset();
  }

  save(): SnapshotValue {
    return { rates: this.rates.save() };
  }

  restore(value: SnapshotValue): void {
    this.rates.restore((value as { rates: SnapshotValue }).rates);
  }

  /** Adds the pools that may receive and take a frame of this length, and the mirrors of what they get. */
  #place(packet: Packet, source: number, found: number, targets: Targets): void {
    const enabled = found & this.#registers.get(R.REG_VFRE);
    const fits = enabled & pools((pool) => packet.length + FCS_BYTES <= this.#longest(pool, packet.tag));
    if (enabled !== 0 && fits === 0) {
      this.#oversize.value++;
      // 8.18.x: a frame of the wire that is too long for all that would have it.
      if (source === WIRE) this.#count(R.REG_ROC);
    }
    for (let pool = 0; pool < R.POOLS; pool++) {
      if (((fits >> pool) & 1) !== 0) targets.add(pool, this.#queues.queueOf(pool));
    }
    if (source === WIRE) this.#mirror(VMRCTL.uplink, fits, packet.tag, targets);
    else this.#mirror(0, fits, packet.tag, targets);
  }

  /** 8.10.20: RLPML with long packets; a tag is not counted without them. */
  #longest(pool: number, tag: number): number {
    const settings = this.#registers.get(R.REG_VMOLR + 4 * pool);
    if ((settings & VMOLR.longPackets) !== 0) return settings & VMOLR.lengthMask;
    return tag < 0 ? LONGEST : LONGEST + TAG_BYTES;
  }

  /** 7.10.3.8: rules that copy a direction, or what certain pools or VLANs get, to one pool; each pool gets one. */
  #mirror(direction: number, delivered: number, tag: number, targets: Targets): void {
    for (let rule = 0; rule < VMRCTL.count; rule++) {
      const control = this.#registers.get(R.REG_VMRCTL + 4 * rule);
      const watched = (control & VMRCTL.pools) !== 0 ? this.#registers.get(R.REG_VMRVM + 4 * rule) : 0;
      const vlans = this.#registers.get(R.REG_VMRVLAN + 4 * rule);
      const wanted =
        (control & direction) !== 0 ||
        (delivered & watched) !== 0 ||
        (vlans !== 0 && delivered !== 0 && (this.#vlans.entries(tag) & vlans) !== 0);
      const pool = (control >> VMRCTL.poolShift) & VMRCTL.poolMask;
      if (!wanted || ((this.#registers.get(R.REG_VFRE) >> pool) & 1) === 0) continue;
      if (targets.pools.subarray(0, targets.count).includes(pool)) continue;
      targets.add(pool, this.#queues.queueOf(pool));
      this.#mirrored.value++;
    }
  }

  /** 7.10.3.9: a frame from an address, or into a VLAN, that is not the pool's is not sent; WVBR says whose it was. */
  #maySend(packet: Packet, pool: number): boolean {
    const control = this.#registers.get(R.REG_DTXSWC);
    const checksMac = ((control >> pool) & 1) !== 0;
    const checksVlan = ((control >> (pool + DTXSWC.vlanSpoofShift)) & 1) !== 0;
    if (checksMac && !this.#addresses.mayBeFrom(packet.header, pool)) this.#spoofedMac.value++;
    else if (checksVlan && !this.#vlans.maySend(packet.tag, pool)) this.#spoofedVlan.value++;
    else return true;
    this.#registers.set(R.REG_WVBR, this.#registers.get(R.REG_WVBR) | (1 << pool));
    this.#count(R.REG_SSVPC);
    if ((this.#registers.get(R.REG_DTXCTL) & DTXCTL_SPOOF_INTERRUPT) !== 0) {
      this.#interrupts.post(B.ICR_MDDET);
    }
    return false;
  }

  #drop(counter: Counter): void {
    counter.value++;
    this.#count(R.REG_SDPC);
  }

  /** 8.18: statistics stay at their largest value. */
  #count(register: number): void {
    const value = this.#registers.get(register);
    if (value !== 0xffff_ffff) this.#registers.set(register, value + 1);
  }
}
