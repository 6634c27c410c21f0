import {
  DeadlineTimer,
  type Clock,
  type Counter,
  type EventOwner,
  type Ledger,
  type SnapshotValue,
} from '@vmloom/device';
import type { Frame } from '@vmloom/net';
import type { Core } from './core.js';
import { dropCounters } from './drops.js';
import type { Interrupts } from './interrupts.js';
import {
  CORE_STATE_BUDGET,
  CORE_STATE_CAUSES,
  CORE_STATE_DROP_REASON,
  CORE_STATE_FIFO_COUNT,
  CORE_STATE_FIFO_FRONT_DONE,
  CORE_STATE_FIFO_HEAD,
  CORE_STATE_FIFO_SIZE,
  CORE_STATE_FIFO_USED,
  CORE_STATE_FRAME_COUNT,
  CORE_STATE_FRAME_LENGTH,
  CORE_STATE_FRAME_RANGES,
  CORE_STATE_FRAME_RANGES_COUNT,
  CORE_STATE_RX_AHEAD_COUNT,
  CORE_STATE_RX_INPUT,
  CORE_STATE_RX_LENGTH,
  CORE_STATE_RX_LOST,
  CORE_STATE_RX_PAUSE_TIME,
  FIFO_RECORD_SIZE,
} from './layout-offsets.js';
import * as R from './register-map.js';
import type { RegisterFile } from './register-file.js';
import type { StateBlock } from './state-block.js';
import { WorkCounters } from './work-counters.js';

/** From a doorbell to the first write of a waiting frame, in nanoseconds. */
const FETCH_DELAY = 500;
/** Frames that one event moves out of the FIFO at most, and what such an event takes. */
const EVENT_BUDGET = 64;
const EVENT_TIME = 10_000;
/** Ranges that the core appends to a frame: padding, FCS. Range 0 is its own. */
const OWN_RANGES = 4;

/** What the receiver asks of the device around it. */
export interface ReceiverHost {
  /** A PAUSE frame came. */
  paused(quanta: number): void;
  /** The fill of the FIFO changed. */
  fifoChanged(): void;
  /** There is room again after {@link Receiver.receive} answered false. */
  ready(): void;
}

/** The receive side: filters, moves frames to memory by the core, and keeps those in the FIFO that must wait. */
export class Receiver {
  readonly #registers: RegisterFile;
  readonly #state: StateBlock;
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #interrupts: Interrupts;
  readonly #host: ReceiverHost;
  readonly #memory: Uint8Array;
  readonly #timer: DeadlineTimer;
  readonly #packets: Counter;
  readonly #bytes: Counter;
  readonly #drops: Counter[];
  readonly #staged: Counter;
  readonly #work: WorkCounters;
  #blocked = false;

  constructor(parts: {
    registers: RegisterFile;
    state: StateBlock;
    core: Core;
    clock: Clock;
    ledger: Ledger;
    interrupts: Interrupts;
    owner: EventOwner;
    host: ReceiverHost;
    memory: Uint8Array;
  }) {
    const { registers, owner, ledger } = parts;
    this.#registers = registers;
    this.#state = parts.state;
    this.#core = parts.core;
    this.#clock = parts.clock;
    this.#interrupts = parts.interrupts;
    this.#host = parts.host;
    this.#memory = parts.memory;
    this.#timer = new DeadlineTimer(parts.clock, owner, 'receive');
    this.#packets = ledger.counter(owner.name, 'rx', 'packets');
    this.#bytes = ledger.counter(owner.name, 'rx', 'bytes');
    this.#drops = dropCounters(ledger, owner.name, 'rx-drop');
    this.#work = new WorkCounters(ledger, owner.name, this.#state);
    this.#staged = ledger.counter(owner.name, 'copy', 'staged bytes', 'emulator');
    const doorbells = ledger.counter(owner.name, 'doorbell', 'RDT');
    registers.onWrite(R.REG_RDT, () => {
      doorbells.value++;
      this.kick();
    });
    registers.onWrite(R.REG_RCTL, () => {
      this.#forgetDescriptors();
      this.kick();
    });
    for (const register of [R.REG_RDBAL, R.REG_RDBAH, R.REG_RDLEN, R.REG_RDH]) {
      registers.onWrite(register, () => this.#forgetDescriptors());
    }
  }

  /** Bytes of the FIFO in use. */
  get fifoUsed(): number {
    return this.#state.get(CORE_STATE_FIFO_USED);
  }

  /** Frames may be able to move, or be taken: an event looks. */
  kick(): void {
    if (this.#state.get(CORE_STATE_FIFO_COUNT) === 0 && !this.#blocked) return;
    if (!this.#timer.armed) this.#timer.arm(this.#clock.now + FETCH_DELAY);
  }

  /** A frame from the wire. `mayBlock`: false is answered, and `ready` follows, where it would be lost. */
  receive(frame: Frame, mayBlock: boolean): boolean {
    const state = this.#state;
    if (mayBlock && this.#full(frame.length)) {
      this.#blocked = true;
      return false;
    }
    this.#load(frame);
    const answer = this.#core.receive(state.base);
    if (
      answer === R.RX_DELIVERED ||
      answer === R.RX_STORED ||
      state.get(CORE_STATE_DROP_REASON) === R.DROP_NONE
    ) {
      this.#packets.value++;
      this.#bytes.value += state.get(CORE_STATE_RX_LENGTH);
    } else this.#drops[state.get(CORE_STATE_DROP_REASON)].value++;
    if (answer === R.RX_XOFF) this.#host.paused(state.get(CORE_STATE_RX_PAUSE_TIME));
    this.#settle();
    if (state.get(CORE_STATE_FIFO_COUNT) !== 0) this.#host.fifoChanged();
    return true;
  }

  onEvent(): void {
    if (!this.#timer.fired()) return;
    const state = this.#state;
    if ((this.#registers.get(R.REG_RCTL) & R.RCTL_EN) !== 0) {
      state.set(CORE_STATE_BUDGET, EVENT_BUDGET);
      const moved = this.#core.drain(state.base);
      this.#settle();
      if (moved > 0) this.#host.fifoChanged();
      if (state.get(CORE_STATE_BUDGET) === 0 && state.get(CORE_STATE_FIFO_COUNT) !== 0) {
        this.#timer.arm(this.#clock.now + EVENT_TIME);
      }
    }
    if (this.#blocked && !this.#full(R.MAX_LONG_FRAME_WITH_FCS)) {
      this.#blocked = false;
      this.#host.ready();
    }
  }

  /** The registers have been reset: the FIFO is empty. */
  reset(): void {
    this.#timer.disarm();
    this.#forgetDescriptors();
    this.resizeFifo();
  }

  /** Empties the FIFO and gives it the size that PBA says (13.4.16: RXA in KiB). */
  resizeFifo(): void {
    const state = this.#state;
    const kilobytes = Math.min(Math.max(this.#registers.get(R.REG_PBA) & 0x7f, 1), 63);
    state.set(CORE_STATE_FIFO_SIZE, kilobytes * 1024);
    state.set(CORE_STATE_FIFO_HEAD, 0);
    state.set(CORE_STATE_FIFO_USED, 0);
    state.set(CORE_STATE_FIFO_COUNT, 0);
    state.set(CORE_STATE_FIFO_FRONT_DONE, 0);
    // Whoever waits for room finds it.
    this.kick();
  }

  save(): SnapshotValue {
    return { timer: this.#timer.save(), blocked: this.#blocked };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { timer: SnapshotValue; blocked: boolean };
    this.#timer.restore(saved.timer);
    this.#blocked = saved.blocked;
  }

  /** What was read ahead belongs to another ring, or to another place in it. */
  #forgetDescriptors(): void {
    this.#state.set(CORE_STATE_RX_AHEAD_COUNT, 0);
  }

  /** True when a frame of `length` bytes would find no room. A small FIFO takes a frame when it is empty. */
  #full(length: number): boolean {
    const state = this.#state;
    if ((this.#registers.get(R.REG_RCTL) & R.RCTL_EN) === 0 || state.get(CORE_STATE_FIFO_COUNT) === 0)
      return false;
    const room = FIFO_RECORD_SIZE + length + 32;
    return room > state.get(CORE_STATE_FIFO_SIZE) - state.get(CORE_STATE_FIFO_USED);
  }

  /** Makes the frame the core's frame at hand: by its ranges in the same memory, else by a copy. */
  #load(frame: Frame): void {
    const state = this.#state;
    const { words } = state;
    let at = (state.base + CORE_STATE_FRAME_RANGES) >> 2;
    words[at++] = 0;
    words[at++] = 0;
    state.set(CORE_STATE_FRAME_LENGTH, frame.length);
    const input = state.base + CORE_STATE_RX_INPUT;
    if (frame.memory === this.#memory && frame.count <= CORE_STATE_FRAME_RANGES_COUNT - OWN_RANGES) {
      for (let index = 0; index < frame.count; index++) {
        words[at++] = frame.offsets[index]!;
        words[at++] = frame.lengths[index]!;
      }
      state.set(CORE_STATE_FRAME_COUNT, frame.count + 1);
      return;
    }
    // Of a frame too long for the controller only the header is looked at.
    this.#staged.value += frame.length;
    frame.copyTo(this.#memory, input, 0, Math.min(frame.length, R.MAX_LONG_FRAME_WITH_FCS));
    words[at++] = input;
    words[at] = frame.length;
    state.set(CORE_STATE_FRAME_COUNT, 2);
  }

  #settle(): void {
    const state = this.#state;
    this.#work.settle();
    this.#drops[R.DROP_DMA].value += state.take(CORE_STATE_RX_LOST);
    const causes = state.take(CORE_STATE_CAUSES);
    if ((causes & R.ICR_RXT0) !== 0) this.#interrupts.packetReceived();
    if ((causes & R.ICR_SRPD) !== 0) this.#interrupts.smallPacketReceived();
    this.#interrupts.raise(causes & ~(R.ICR_RXT0 | R.ICR_SRPD));
  }
}
