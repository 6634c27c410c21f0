import {
  DeadlineTimer,
  type Clock,
  type Counter,
  type EventOwner,
  type Ledger,
  type SnapshotValue,
} from '@vmloom/device';
import type { Frame } from '@vmloom/net';
import type { Core, CorePort } from './core.js';
import { dropCounters } from './drops.js';
import * as L from './layout-offsets.js';
import type { Queues } from './queues.js';
import * as B from './register-bits.js';
import type { RegisterFile } from './register-file.js';
import * as R from './register-map.js';
import type { StateBlock } from './state-block.js';
import { Targets, WIRE, type Packet, type PoolQueues, type Steering } from './steering.js';
import type { ReceiveStamp } from './receive-stamp.js';

/** From a doorbell to the first write of a waiting frame, in nanoseconds. */
const FETCH_DELAY = 500;
/** Frames that one event moves out of the FIFO at most, and what such an event takes. */
const EVENT_BUDGET = 64;
const EVENT_TIME = 10_000;
/** Ranges that the core appends to a frame: padding, FCS. Range 0 is its own. */
const OWN_RANGES = 4;

/** What the receiver asks of the device around it. */
export interface ReceiverHost {
  readonly steering: Steering | undefined;
  /** A PAUSE frame came. */
  paused(quanta: number): void;
  /** The fill of the FIFO changed. */
  fifoChanged(): void;
  /** There is room again after {@link Receiver.receive} answered false. */
  ready(): void;
  /** The core has worked: causes, counters. */
  settle(): void;
}

/**
 * The receive side: filters find the queue, or the switch finds the pools, of each frame; the core moves it to memory,
 * or keeps it in the FIFO when it must wait.
 */
export class Receiver implements PoolQueues {
  readonly #registers: RegisterFile;
  readonly #state: StateBlock;
  readonly #core: Core;
  readonly #port: CorePort;
  readonly #queues: Queues;
  readonly #clock: Clock;
  readonly #host: ReceiverHost;
  readonly #memory: Uint8Array;
  readonly #timer: DeadlineTimer;
  readonly #stamp: ReceiveStamp;
  readonly #packets: Counter;
  readonly #bytes: Counter;
  readonly #drops: Counter[];
  readonly #staged: Counter;
  readonly #targets = new Targets();
  readonly #header: Uint8Array;
  #blocked = false;

  constructor(parts: {
    registers: RegisterFile;
    state: StateBlock;
    core: Core;
    port: CorePort;
    queues: Queues;
    clock: Clock;
    ledger: Ledger;
    owner: EventOwner;
    host: ReceiverHost;
    stamp: ReceiveStamp;
    memory: Uint8Array;
  }) {
    const { registers, owner, ledger } = parts;
    this.#registers = registers;
    this.#state = parts.state;
    this.#core = parts.core;
    this.#port = parts.port;
    this.#queues = parts.queues;
    this.#clock = parts.clock;
    this.#host = parts.host;
    this.#stamp = parts.stamp;
    this.#memory = parts.memory;
    this.#header = this.#state.bytes(L.CORE_STATE_RX_HEADER, 256);
    this.#timer = new DeadlineTimer(parts.clock, owner, 'receive');
    this.#packets = ledger.counter(owner.name, 'rx', 'packets');
    this.#bytes = ledger.counter(owner.name, 'rx', 'bytes');
    this.#drops = dropCounters(ledger, owner.name, 'rx-drop');
    this.#staged = ledger.counter(owner.name, 'copy', 'staged bytes', 'emulator');
    this.#hook(ledger.counter(owner.name, 'doorbell', 'RDT'));
  }

  /** Bytes of the FIFO in use. */
  get fifoUsed(): number {
    return this.#state.get(L.CORE_STATE_FIFO_USED);
  }

  /** Frames may be able to move, or be taken: an event looks. */
  kick(): void {
    if (this.#state.get(L.CORE_STATE_FIFO_COUNT) === 0 && !this.#blocked) return;
    if (!this.#timer.armed) this.#timer.arm(this.#clock.now + FETCH_DELAY);
  }

  /** A frame from the wire. `mayBlock`: false is answered, and `ready` follows, where it would be lost. */
  receive(frame: Frame, mayBlock: boolean): boolean {
    if (mayBlock && this.#full(frame.length)) {
      this.#blocked = true;
      return false;
    }
    this.#take(frame);
    return true;
  }

  /** The frame at hand as the switch sees it: of a frame that a pool sends. Valid until the next frame. */
  inspect(frame: Frame): Packet {
    this.#load(frame);
    this.#core.peek(this.#state.base);
    return this.#packet(frame.length);
  }

  /** A frame of a pool for other pools. */
  local(frame: Frame, source: number, targets: Targets): void {
    this.#load(frame);
    const { base } = this.#state;
    if (this.#core.examine(base, 1) === B.RX_DROPPED) this.#countDrop();
    else this.#deliverAll(targets, source);
    this.#settle();
  }

  queueOf(pool: number): number {
    return this.#core.poolQueue(this.#state.base, pool);
  }

  onEvent(): void {
    if (!this.#timer.fired()) return;
    const state = this.#state;
    if ((this.#registers.get(R.REG_RCTL) & B.RCTL_EN) !== 0) {
      state.set(L.CORE_STATE_BUDGET, EVENT_BUDGET);
      const moved = this.#drain();
      this.#settle();
      if (moved > 0) this.#host.fifoChanged();
      if (state.get(L.CORE_STATE_BUDGET) === 0 && state.get(L.CORE_STATE_FIFO_COUNT) !== 0) {
        this.#timer.arm(this.#clock.now + EVENT_TIME);
      }
    }
    if (this.#blocked && !this.#full(B.MAX_LONG_FRAME_WITH_FCS)) {
      this.#blocked = false;
      this.#host.ready();
    }
  }

  /** A queue is another, or at another place in its ring: what was read ahead is not its own. */
  forget(queue: number): void {
    this.#state.set(
      L.CORE_STATE_RX_QUEUES + queue * L.CORE_STATE_RX_QUEUES_STRIDE + L.RX_QUEUE_AHEAD_COUNT,
      0,
    );
  }

  /** The registers have been reset: the FIFO is empty. */
  reset(): void {
    this.#timer.disarm();
    for (let queue = 0; queue < R.QUEUES; queue++) this.forget(queue);
    this.#resizeFifo();
  }

  save(): SnapshotValue {
    return { timer: this.#timer.save(), blocked: this.#blocked };
  }

  restore(value: SnapshotValue): void {
    const saved = value as { timer: SnapshotValue; blocked: boolean };
    this.#timer.restore(saved.timer);
    this.#blocked = saved.blocked;
  }

  #hook(doorbells: Counter): void {
    const registers = this.#registers;
    for (let queue = 0; queue < R.QUEUES; queue++) {
      const at = queue * R.QUEUE_STRIDE;
      registers.onWrite(R.REG_RDT + at, () => {
        doorbells.value++;
        this.kick();
      });
      registers.onWrite(R.REG_RXDCTL + at, (value) => {
        registers.set(R.REG_RXDCTL + at, registers.get(R.REG_RXDCTL + at) & ~B.DCTL_SWFLSH);
        // 8.10.x: a queue that is enabled begins at head 0.
        if ((value & B.DCTL_ENABLE) === 0) registers.set(R.REG_RDH + at, 0);
        this.forget(queue);
        this.kick();
      });
      for (const register of [R.REG_RDBAL, R.REG_RDBAH, R.REG_RDLEN, R.REG_SRRCTL]) {
        registers.onWrite(register + at, () => this.forget(queue));
      }
    }
    registers.onWrite(R.REG_RCTL, () => this.kick());
    registers.onWrite(R.REG_RXPBS, () => this.#resizeFifo());
  }

  #take(frame: Frame): void {
    const state = this.#state;
    const { base } = state;
    this.#load(frame);
    const answer = this.#core.examine(base, 0);
    if (answer === B.RX_PAUSE) this.#host.paused(state.get(L.CORE_STATE_RX_PAUSE_TIME));
    if (answer === B.RX_DROPPED || state.get(L.CORE_STATE_DROP_REASON) !== B.DROP_NONE) {
      this.#countDrop();
      return this.#settle();
    }
    if (state.get(L.CORE_STATE_RX1588) !== 0) this.#stamp.take(this.#header);
    const { steering } = this.#host;
    if (steering !== undefined && this.#queues.pooled) {
      const targets = this.#targets;
      targets.clear();
      steering.ingress(this.#packet(state.get(L.CORE_STATE_RX_LENGTH)), WIRE, targets);
      if (targets.count === 0) this.#drops[B.DROP_SWITCH].value++;
      else {
        this.#core.countGood(base);
        this.#deliverAll(targets, WIRE);
      }
    } else {
      const queue = this.#core.chooseQueue(base);
      this.#deliver(queue, this.#queues.pooled ? this.#queues.poolOf(queue) : 0);
    }
    this.#settle();
    if (state.get(L.CORE_STATE_FIFO_COUNT) !== 0) this.#host.fifoChanged();
  }

  #deliverAll(targets: Targets, source: number): void {
    for (let index = 0; index < targets.count; index++) {
      const pool = targets.pools[index];
      // The sender gets no copy of its own frame, whatever the filters say.
      if (pool === source) continue;
      // Of a frame from a neighbour RSS is known only now.
      this.#deliver(source === WIRE ? targets.queues[index] : this.queueOf(pool), pool);
    }
  }

  #deliver(queue: number, pool: number): void {
    if (!this.#queues.receives(queue)) {
      this.#drops[B.DROP_QUEUE_OFF].value++;
      return;
    }
    this.#port.dma = this.#queues.portOf(queue);
    const answer = this.#core.deliver(this.#state.base, queue, pool);
    if (answer === B.RX_DROPPED) return this.#countDrop();
    this.#packets.value++;
    this.#bytes.value += this.#state.get(L.CORE_STATE_RX_LENGTH);
  }

  /** The oldest frames go, each by the port of its queue. */
  #drain(): number {
    const state = this.#state;
    let moved = 0;
    while (state.get(L.CORE_STATE_FIFO_COUNT) !== 0 && state.get(L.CORE_STATE_BUDGET) !== 0) {
      const budget = state.get(L.CORE_STATE_BUDGET);
      const front = state.base + L.CORE_STATE_PACKET_BUFFER + state.get(L.CORE_STATE_FIFO_HEAD);
      const queue = state.words[(front + L.FIFO_RECORD_QUEUE) >> 2] & (R.QUEUES - 1);
      this.#port.dma = this.#queues.portOf(queue);
      // One at a time: the next may be another function's.
      state.set(L.CORE_STATE_BUDGET, 1);
      const count = this.#core.drain(state.base);
      state.set(L.CORE_STATE_BUDGET, budget - 1);
      if (count === 0) break;
      moved += count;
    }
    return moved;
  }

  #countDrop(): void {
    this.#drops[this.#state.get(L.CORE_STATE_DROP_REASON)].value++;
  }

  #packet(length: number): Packet {
    const state = this.#state;
    const tag = state.get(L.CORE_STATE_RX_TAG);
    return {
      header: this.#header,
      headerLength: state.get(L.CORE_STATE_RX_HAVE),
      length,
      tag: tag === 0xffff_ffff ? -1 : tag,
    };
  }

  /** Empties the FIFO and gives it the size that RXPBS says, in KiB. */
  #resizeFifo(): void {
    const state = this.#state;
    const kilobytes = Math.min(Math.max(this.#registers.get(R.REG_RXPBS) & 0x7f, 1), 64);
    state.set(L.CORE_STATE_FIFO_SIZE, kilobytes * 1024);
    for (const field of [
      L.CORE_STATE_FIFO_HEAD,
      L.CORE_STATE_FIFO_USED,
      L.CORE_STATE_FIFO_COUNT,
      L.CORE_STATE_FIFO_FRONT_DONE,
    ]) {
      state.set(field, 0);
    }
    // Whoever waits for room finds it.
    this.kick();
  }

  /** True when a frame of `length` bytes would find no room. A small FIFO takes a frame when it is empty. */
  #full(length: number): boolean {
    const state = this.#state;
    const off = (this.#registers.get(R.REG_RCTL) & B.RCTL_EN) === 0;
    if (off || state.get(L.CORE_STATE_FIFO_COUNT) === 0) return false;
    const room = L.FIFO_RECORD_SIZE + length + 32;
    return room > state.get(L.CORE_STATE_FIFO_SIZE) - state.get(L.CORE_STATE_FIFO_USED);
  }

  /** Makes the frame the core's frame at hand: by its ranges in the same memory, else by a copy. */
  #load(frame: Frame): void {
    const state = this.#state;
    const { words } = state;
    let at = (state.base + L.CORE_STATE_FRAME_RANGES) >> 2;
    words[at++] = 0;
    words[at++] = 0;
    state.set(L.CORE_STATE_FRAME_LENGTH, frame.length);
    const input = state.base + L.CORE_STATE_RX_INPUT;
    if (frame.memory === this.#memory && frame.count <= L.CORE_STATE_FRAME_RANGES_COUNT - OWN_RANGES) {
      for (let index = 0; index < frame.count; index++) {
        words[at++] = frame.offsets[index]!;
        words[at++] = frame.lengths[index]!;
      }
      state.set(L.CORE_STATE_FRAME_COUNT, frame.count + 1);
      return;
    }
    // Of a frame too long for the controller only the header is looked at.
    this.#staged.value += frame.length;
    frame.copyTo(this.#memory, input, 0, Math.min(frame.length, INPUT_BYTES));
    words[at++] = input;
    words[at] = frame.length;
    state.set(L.CORE_STATE_FRAME_COUNT, 2);
  }

  #settle(): void {
    const state = this.#state;
    this.#drops[B.DROP_DMA].value += state.take(L.CORE_STATE_RX_LOST);
    this.#drops[B.DROP_NO_DESCRIPTOR].value += state.take(L.CORE_STATE_RX_QUEUE_DROPPED);
    this.#host.settle();
  }
}

/** The area for frames of other memories. */
const INPUT_BYTES = L.CORE_STATE_PACKET_BUFFER - L.CORE_STATE_RX_INPUT;
