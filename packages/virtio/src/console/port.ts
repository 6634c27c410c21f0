import type { SnapshotValue } from '@vmloom/device';

/** Bytes of input that a port keeps for a guest that has no buffer. */
const INPUT = 65_536;

export interface ConsolePortOptions {
  /** By which the guest finds it (`/dev/virtio-ports/<name>`); none unless told. */
  readonly name?: string;
  /** A text console instead of a plain channel. True for port 0 unless told. */
  readonly console?: boolean;
  /** What the guest sends. The bytes belong to the receiver. */
  readonly output?: (bytes: Uint8Array) => void;
  /** The guest has opened (true) or closed the port. */
  readonly onOpen?: (open: boolean) => void;
  /** This side is open from the beginning. True unless told. */
  readonly open?: boolean;
}

/** What a port asks of its device. */
export interface PortOwner {
  /** There is input, or a side opened or closed. */
  inputReady(port: ConsolePort): void;
  opened(port: ConsolePort): void;
}

/** One end of a channel between host and guest. */
export class ConsolePort {
  readonly name: string;
  readonly isConsole: boolean;
  /** Told, from an event, that {@link receive} has room again after it refused bytes. */
  onReceiveReady: (() => void) | undefined;
  output: (bytes: Uint8Array) => void;
  onOpen: (open: boolean) => void;
  /** The driver has made the port. */
  ready = false;
  #guestOpen = false;
  #open: boolean;
  readonly #input = new Uint8Array(INPUT);
  #length = 0;
  #refused = false;

  constructor(
    readonly id: number,
    options: ConsolePortOptions,
    private readonly owner: PortOwner,
  ) {
    this.name = options.name ?? '';
    this.isConsole = options.console ?? id === 0;
    this.output = options.output ?? (() => undefined);
    this.onOpen = options.onOpen ?? (() => undefined);
    this.#open = options.open ?? true;
  }

  /** The guest has the port open. */
  get guestOpen(): boolean {
    return this.#guestOpen;
  }

  /** This side is open; the guest hears of a change. */
  get open(): boolean {
    return this.#open;
  }
  set open(open: boolean) {
    if (open === this.#open) return;
    this.#open = open;
    this.owner.opened(this);
  }

  /**
   * Input for the guest, from an event; how many bytes were taken. After a short count {@link onReceiveReady} follows.
   */
  receive(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, INPUT - this.#length);
    this.#input.set(bytes.subarray(0, count), this.#length);
    this.#length += count;
    if (count < bytes.length) this.#refused = true;
    this.owner.inputReady(this);
    return count;
  }

  /** One character; there are no line errors here. */
  receiveCharacter(byte: number): void {
    this.receive(Uint8Array.of(byte));
  }

  /** Input that waits. */
  get input(): Uint8Array {
    return this.#input.subarray(0, this.#length);
  }

  /** The device has delivered so many bytes of the input. */
  consume(bytes: number): void {
    this.#input.copyWithin(0, bytes, this.#length);
    this.#length -= bytes;
  }

  /** There is room: who was refused may go on. */
  settle(): void {
    if (!this.#refused || this.#length === INPUT) return;
    this.#refused = false;
    this.onReceiveReady?.();
  }

  /** The guest opens or closes. What waits for one that closes is lost, as what it has not read. */
  setGuestOpen(open: boolean): void {
    if (open === this.#guestOpen) return;
    this.#guestOpen = open;
    if (!open) this.#length = 0;
    this.onOpen(open);
    this.settle();
  }

  /** The device was reset. */
  reset(): void {
    this.ready = false;
    this.setGuestOpen(false);
  }

  save(): SnapshotValue {
    return {
      ready: this.ready,
      guestOpen: this.#guestOpen,
      open: this.#open,
      input: this.input.slice(),
      refused: this.#refused,
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as {
      ready: boolean;
      guestOpen: boolean;
      open: boolean;
      input: Uint8Array;
      refused: boolean;
    };
    this.ready = saved.ready;
    this.#guestOpen = saved.guestOpen;
    this.#open = saved.open;
    this.#input.set(saved.input);
    this.#length = saved.input.length;
    this.#refused = saved.refused;
  }
}
