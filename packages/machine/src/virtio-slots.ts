import {
  DirectTranslator,
  DmaPort,
  expectSnapshot,
  type Clock,
  type InterruptLine,
  type Ledger,
  type Snapshot,
  type Snapshotable,
} from '@vmloom/device';
import type { AddressSpace, HandlerWidth, MmioHandler } from '@vmloom/memory';
import { VirtioMmio, type RingOptions, type VirtioDevice } from '@vmloom/virtio';
import { MachineError } from './error.js';

/** What the slots are wired to. */
export interface VirtioSlotsOptions {
  readonly space: AddressSpace;
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Before the names of the devices, so that several boards share a clock. */
  readonly prefix: string;
  /** The interrupt line of each slot; as many slots are there. */
  readonly lines: readonly InterruptLine[];
}

/** How a device is put into a slot. */
export interface VirtioPlugOptions extends RingOptions {
  /** The highest free one unless told, as on QEMU's board. */
  readonly slot?: number;
  /** Unique in the machine; `virtio-mmio.<slot>` unless told. */
  readonly name?: string;
}

const SNAPSHOT = { type: 'virtio-slots', version: 1 } as const;

/** The virtio-mmio windows of a board (virtio 1.3, 4.2). A slot without a device answers device ID 0. */
export class VirtioSlots implements Snapshotable {
  readonly #options: VirtioSlotsOptions;
  readonly #slots: VirtioMmio[];

  constructor(options: VirtioSlotsOptions) {
    this.#options = options;
    this.#slots = options.lines.map((_, slot) => this.#transport({ slot }));
  }

  /** Slots on the board. */
  get count(): number {
    return this.#slots.length;
  }

  /** What is in a slot. @throws MachineError bad-option */
  slot(index: number): VirtioMmio {
    const found = this.#slots[index];
    if (found === undefined) {
      throw new MachineError(
        'bad-option',
        `there are virtio-mmio slots 0 to ${this.count - 1}, not ${index}`,
      );
    }
    return found;
  }

  /** Puts a device into a slot, before the machine is on. @throws MachineError bad-option: the slot is taken, or all are */
  plug<T extends VirtioDevice>(device: T, options: VirtioPlugOptions = {}): VirtioMmio<T> {
    const slot = options.slot ?? this.#slots.findLastIndex((each) => each.device === undefined);
    if (slot < 0) throw new MachineError('bad-option', `all ${this.count} virtio-mmio slots are taken`);
    const { device: other } = this.slot(slot);
    if (other !== undefined) {
      throw new MachineError('bad-option', `virtio-mmio slot ${slot} has a device already: ${other.model}`);
    }
    const transport = this.#transport({ ...options, slot, device });
    this.#slots[slot] = transport;
    return transport;
  }

  /** The registers of a slot, whatever is in it. */
  window(slot: number): MmioHandler {
    return {
      read: (offset: number, width: HandlerWidth) => this.#slots[slot].read(offset, width),
      write: (offset: number, width: HandlerWidth, value: number) =>
        this.#slots[slot].write(offset, width, value),
    };
  }

  reset(): void {
    for (const slot of this.#slots) slot.reset();
  }

  save(): Snapshot {
    return { ...SNAPSHOT, slots: this.#slots.map((slot) => slot.save()) };
  }

  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    const slots = snapshot['slots'] as unknown as Snapshot[];
    this.#slots.forEach((slot, index) => slot.restore(slots[index]));
  }

  #transport<T extends VirtioDevice>({
    slot,
    name,
    ...rest
  }: VirtioPlugOptions & { slot: number; device?: T }): VirtioMmio<T> {
    const { space, clock, ledger, prefix, lines } = this.#options;
    return new VirtioMmio<T>({
      ...rest,
      name: `${prefix}${name ?? `virtio-mmio.${slot}`}`,
      clock,
      ledger,
      dma: new DmaPort(space.memory, new DirectTranslator(space)),
      line: lines[slot],
    });
  }
}
