import { UNCONNECTED_LINE, type Counter, type InterruptLine, type Ledger } from '@vmloom/device';
import { COMMAND, COMMAND_INTERRUPT_DISABLE, STATUS, STATUS_INTERRUPT } from './registers.js';
import type { PciFunction } from './function.js';

/** How the guest has a function interrupt it. */
export type InterruptMode = 'intx' | 'msi' | 'msix';

/** What a message is: one 32-bit word, written to an address. */
export interface Message {
  readonly addressLow: number;
  readonly addressHigh: number;
  readonly data: number;
}

/** A capability that signals by messages: MSI or MSI-X. */
export interface MessageSource {
  readonly mode: 'msi' | 'msix';
  /** Set in its control register. While any source is enabled, INTx is silent (PCIe 6.1.4). */
  readonly enabled: boolean;
  /** Vectors that lead to different messages: those the guest allocated. */
  readonly vectors: number;
  /** The vector in whose place the device's `vector` is signalled. @throws PciError bad-option */
  fold(vector: number): number;
  /** True while the guest holds the vector back. */
  masked(vector: number): boolean;
  /** The pending bit of the vector. */
  isPending(vector: number): boolean;
  setPending(vector: number, pending: boolean): void;
  message(vector: number): Message;
}

/**
 * The interrupts of one function. A device drives a level with {@link set} and signals vectors with
 * {@link send}; which of the two reaches the guest is the guest's choice, {@link mode}.
 */
export class FunctionInterrupts implements InterruptLine {
  readonly #listeners: (() => void)[] = [];
  #level = false;
  #wire: InterruptLine = UNCONNECTED_LINE;
  readonly #sources: MessageSource[] = [];
  /** Vectors whose message is on its way, in order. */
  #queue: number[] = [];
  #sent: Counter | undefined;
  #dropped: Counter | undefined;

  constructor(private readonly owner: PciFunction) {}

  /** INTx unless the guest enabled messages. */
  get mode(): InterruptMode {
    return this.#active?.mode ?? 'intx';
  }

  /** What the device asked for with {@link set}. */
  get level(): boolean {
    return this.#level;
  }

  /** True while the INTx wire is driven: the level, unless disabled, silenced by messages, or not in D0. */
  get asserted(): boolean {
    const { owner } = this;
    const disabled = (owner.config.read(COMMAND, 2) & COMMAND_INTERRUPT_DISABLE) !== 0;
    return this.#level && owner.pin !== 0 && !disabled && this.mode === 'intx' && owner.powerState === 'D0';
  }

  /** Vectors the device may signal now; 0 in INTx mode. */
  get vectors(): number {
    return this.#active?.vectors ?? 0;
  }

  /** INTx: asserts or releases the function's line. Shown in the status register in every mode. */
  set(level: boolean): void {
    if (level === this.#level) return;
    this.#level = level;
    this.update();
  }

  /**
   * Signals a vector. The message leaves with the next event of the clock; while the vector is masked it
   * stays pending and leaves at the unmask. Signals of one vector that has not left yet are one message. Where
   * the guest allocated fewer MSI vectors than the device has, vectors share messages (PCIe 6.1.4.2).
   * False: the guest uses INTx, nothing was signalled. @throws PciError bad-option for a vector MSI-X has no entry of
   */
  send(vector = 0): boolean {
    const source = this.#active;
    if (source === undefined) return false;
    const folded = source.fold(vector);
    if (source.masked(folded)) source.setPending(folded, true);
    else this.#enqueue(folded);
    return true;
  }

  /** Called each time the guest completes an interrupt of the function's INTx line, before it is offered again. */
  onComplete(listener: () => void): void {
    this.#listeners.push(listener);
  }

  // What follows belongs to the fabric and to capabilities.

  addSource(source: MessageSource): void {
    this.#sources.push(source);
  }

  /** `wire` is the function's input of a line of the root complex. */
  connect(wire: InterruptLine, ledger: Ledger): void {
    this.#wire.set(false);
    this.#wire = wire;
    this.#sent = ledger.counter(this.owner.name, 'message');
    this.#dropped = ledger.counter(this.owner.name, 'message-dropped');
    this.update();
  }

  disconnect(): void {
    this.#wire.set(false);
    this.#wire = UNCONNECTED_LINE;
    this.#queue = [];
  }

  /** Brings status bit and wire in line with level, mode and command register. */
  update(): void {
    const { config, pin } = this.owner;
    if (this.#level && pin !== 0) config.setBits(STATUS, STATUS_INTERRUPT);
    else config.clearBits(STATUS, STATUS_INTERRUPT);
    this.#wire.set(this.asserted);
  }

  /** Something was enabled or unmasked: pending vectors that may leave do. */
  release(): void {
    const source = this.#active;
    if (source === undefined) return;
    for (let vector = 0; vector < source.vectors; vector++) {
      if (!source.isPending(vector) || source.masked(vector)) continue;
      source.setPending(vector, false);
      this.#enqueue(vector);
    }
  }

  completed(): void {
    if (this.asserted) for (const listener of this.#listeners) listener();
  }

  /** The event of the clock: everything on its way leaves, unless it was masked or disabled meanwhile. */
  deliver(): void {
    const queue = this.#queue;
    this.#queue = [];
    const source = this.#active;
    if (source === undefined) return;
    for (const vector of queue) {
      // The guest may have allocated fewer vectors meanwhile, or changed from MSI to MSI-X.
      const folded = vector % source.vectors;
      if (source.masked(folded)) source.setPending(folded, true);
      else this.#count(this.owner.context?.sendMessage(source.message(folded)) === true);
    }
  }

  reset(): void {
    this.#queue = [];
    this.#level = false;
    this.update();
  }

  save(): { level: boolean; queue: readonly number[] } {
    return { level: this.#level, queue: [...this.#queue] };
  }

  restore(saved: { level: boolean; queue: readonly number[] }): void {
    this.#level = saved.level;
    this.#queue = [...saved.queue];
    this.update();
  }

  get #active(): MessageSource | undefined {
    return this.#sources.find((source) => source.enabled);
  }

  #count(sent: boolean): void {
    const counter = sent ? this.#sent : this.#dropped;
    if (counter !== undefined) counter.value++;
  }

  #enqueue(vector: number): void {
    const { context } = this.owner;
    // On no bus there is nobody to take a message, and no event would ever empty the queue.
    if (context === undefined || this.#queue.includes(vector)) return;
    this.#queue.push(vector);
    if (this.#queue.length === 1) context.scheduleMessages();
  }
}
