import {
  DeviceError,
  expectSnapshot,
  type Clock,
  type Counter,
  type Device,
  type EventOwner,
  type Ledger,
  type Snapshot,
  type WiredOr,
} from '@vmloom/device';
import type { HandlerWidth, MmioHandler, Width } from '@vmloom/memory';
import { MessageAddresses, type MessageAddressesState } from './aplic-addresses.js';
import { AplicDomain, type DomainState } from './aplic-domain.js';
import { MMSIADDRCFG, SMSIADDRCFGH } from './aplic-registers.js';
import { Bits } from './bits.js';
import type { ExternalSignal } from './external-signal.js';

const MAX_SOURCES = 1023;
const MAX_HARTS = 16_384;
/**
 * Nanoseconds from the cause of a message to its arrival. More than none, so that a domain that is set up to send
 * messages to itself does not keep time from passing.
 */
const TRAVEL = 100;

/** The lines of one hart, for direct delivery. */
export interface AplicHart {
  readonly machine: ExternalSignal;
  readonly supervisor: ExternalSignal;
}

export interface AplicOptions {
  readonly clock: Clock;
  /** `aplic` unless told. */
  readonly name?: string;
  /** Interrupt sources 1 to `sources` exist, 1023 at most. 96 (the virt board) unless told. */
  readonly sources?: number;
  /** By their index in both domains, 16,384 at most. */
  readonly harts: readonly AplicHart[];
  /**
   * Writes a message, 32 bits of little-endian data, to an address of 56 bits. With it both domains forward by
   * messages, without it they deliver directly; domaincfg.DM cannot be changed (4.5.1).
   */
  readonly send?: (addressLow: number, addressHigh: number, data: number) => void;
  /** The largest guest index that supervisor targets hold; 0 unless told. */
  readonly guests?: number;
  /** Counts by source, under the APLIC's name: `interrupt-claimed` or `message`. */
  readonly ledger?: Ledger;
}

/**
 * The Advanced PLIC (AIA 1.0, chapter 4) with two domains: the root for the machine level and its child for the
 * supervisor level. Wires come to the root, which keeps a source or delegates it.
 */
export class Aplic implements Device, EventOwner {
  /** Any other access is none (4.5). */
  static readonly WIDTHS: readonly Width[] = [4];

  readonly name: string;
  readonly sources: number;
  /** Bytes of a domain's control region. */
  readonly size: number;
  /** Registers of the machine-level domain, the root. */
  readonly machine: MmioHandler;
  /** Registers of the supervisor-level domain. */
  readonly supervisor: MmioHandler;
  readonly #clock: Clock;
  readonly #send: AplicOptions['send'];
  readonly #wires: Bits;
  readonly #root: AplicDomain;
  readonly #child: AplicDomain;
  readonly #addresses = new MessageAddresses();
  readonly #connected = new Set<number>();
  readonly #counters: (Counter | undefined)[];
  #event = 0;

  /** @throws RangeError for more sources or harts than there can be */
  constructor(options: AplicOptions) {
    const sources = (this.sources = options.sources ?? 96);
    const { harts, clock, send, ledger } = options;
    if (!Number.isInteger(sources) || sources < 1 || sources > MAX_SOURCES) {
      throw new RangeError(`an APLIC has 1 to ${MAX_SOURCES} sources, not ${sources}`);
    }
    if (harts.length > MAX_HARTS) {
      throw new RangeError(`an APLIC serves at most ${MAX_HARTS} harts, not ${harts.length}`);
    }
    const name = (this.name = options.name ?? 'aplic');
    this.#clock = clock;
    this.#send = send;
    this.size = Math.ceil((0x4000 + harts.length * 32) / 4096) * 4096;
    this.#wires = new Bits(sources);
    const event = send === undefined ? 'interrupt-claimed' : 'message';
    this.#counters = Array.from({ length: sources + 1 }, (_, source) =>
      source === 0 ? undefined : ledger?.counter(name, event, `source ${source}`),
    );
    const shared = {
      sources,
      delivery: send === undefined ? ('direct' as const) : ('msi' as const),
      wire: (source: number) => this.#wires.has(source),
      schedule: () => this.#schedule(),
      claimed: (source: number) => this.#count(source),
    };
    this.#root = new AplicDomain({
      ...shared,
      harts: harts.map(({ machine }) => machine),
      guests: 0,
      delegated: (source) => source !== 0,
    });
    this.#child = new AplicDomain({
      ...shared,
      harts: harts.map(({ supervisor }) => supervisor),
      guests: options.guests ?? 0,
      delegated: (source) => source !== 0 && this.#root.delegates(source),
    });
    this.#root.child = this.#child;
    this.machine = send === undefined ? this.#root : this.#withAddresses();
    this.supervisor = this.#child;
    clock.register(this);
  }

  /** Joins a wire to a source. An APLIC has no completion, so the wire is not told of any. @throws RangeError for no such source */
  connect(source: number, wire: WiredOr): void {
    if (!Number.isInteger(source) || source < 1 || source > this.sources) {
      throw new RangeError(`the APLIC has sources 1 to ${this.sources}, not ${source}`);
    }
    if (this.#connected.has(source)) throw new RangeError(`source ${source} of the APLIC has a wire already`);
    this.#connected.add(source);
    wire.connect((level) => this.#setWire(source, level));
  }

  onEvent(): void {
    this.#event = 0;
    this.#sendAll(this.#root, 'machine');
    this.#sendAll(this.#child, 'supervisor');
    // A message may have led back here.
    this.#root.update();
    this.#child.update();
  }

  /** Everything is zero: no source is active, nothing is delivered (4.6). Wires keep their levels. */
  reset(): void {
    if (this.#event !== 0) this.#clock.cancel(this.#event);
    this.#event = 0;
    this.#addresses.reset();
    this.#root.reset();
    this.#child.reset();
  }

  save(): Snapshot {
    return {
      type: 'aplic',
      version: 1,
      wires: this.#wires.save(),
      machine: { ...this.#root.save() },
      supervisor: { ...this.#child.save() },
      addresses: { ...this.#addresses.save() },
      event: this.#event,
    } as unknown as Snapshot;
  }

  /** The clock is restored by its owner, with the event of this APLIC in it. @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'aplic', 1);
    const state = snapshot as unknown as {
      wires: readonly number[];
      machine: DomainState;
      supervisor: DomainState;
      addresses: MessageAddressesState;
      event: number;
    };
    if ((state.machine.idc.delivery.length === 0) !== (this.#send !== undefined)) {
      throw new DeviceError('bad-snapshot', "the snapshot's APLIC delivers in another way");
    }
    this.#wires.restore(state.wires);
    this.#addresses.restore(state.addresses);
    this.#root.restore(state.machine);
    this.#child.restore(state.supervisor);
    this.#event = state.event;
  }

  #setWire(source: number, level: boolean): void {
    if (this.#wires.has(source) === level) return;
    if (level) this.#wires.set(source);
    else this.#wires.clear(source);
    this.#root.wireChanged(source);
  }

  #schedule(): void {
    if (this.#event === 0) this.#event = this.#clock.after(this, 'messages', TRAVEL);
  }

  #sendAll(domain: AplicDomain, level: 'machine' | 'supervisor'): void {
    for (const { hart, guest, identity, source } of [...domain.messages()]) {
      this.#count(source);
      const address = this.#addresses.address(level, hart, guest);
      this.#send?.(Number(address & 0xffff_ffffn), Number(address >> 32n), identity);
    }
  }

  #count(source: number): void {
    const counter = this.#counters[source];
    if (counter !== undefined) counter.value++;
  }

  /** The root's registers with those of the message addresses among them. */
  #withAddresses(): MmioHandler {
    const isAddress = (offset: number): boolean => offset >= MMSIADDRCFG && offset <= SMSIADDRCFGH;
    return {
      read: (offset: number, width: HandlerWidth) =>
        isAddress(offset) ? this.#addresses.read(offset) : this.#root.read(offset, width),
      write: (offset: number, width: HandlerWidth, value: number) => {
        if (isAddress(offset)) this.#addresses.write(offset, value);
        else this.#root.write(offset, width, value);
      },
    };
  }
}
