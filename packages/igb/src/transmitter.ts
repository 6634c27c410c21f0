import {
  DeadlineTimer,
  type Clock,
  type Counter,
  type EventOwner,
  type Ledger,
  type SnapshotValue,
} from '@vmloom/device';
import { Frame } from '@vmloom/net';
import type { Core, CorePort } from './core.js';
import { dropCounters } from './drops.js';
import {
  CORE_STATE_BUDGET,
  CORE_STATE_DROP_REASON,
  CORE_STATE_FRAME_COUNT,
  CORE_STATE_FRAME_RANGES,
  CORE_STATE_STASH,
  CORE_STATE_STASH_LENGTH,
  CORE_STATE_STASH_QUEUE,
  CORE_STATE_TX_QUEUES,
  CORE_STATE_TX_QUEUES_STRIDE,
  CORE_STATE_TX_STAMP,
  TX_QUEUE_AHEAD_COUNT,
  TX_QUEUE_SIZE,
} from './layout-offsets.js';
import type { Queues } from './queues.js';
import * as B from './register-bits.js';
import type { RegisterFile } from './register-file.js';
import * as R from './register-map.js';
import type { StateBlock } from './state-block.js';
import type { Pacer } from './steering.js';

/** From a doorbell to the first descriptor fetch, in nanoseconds; doorbells meanwhile share it. */
const FETCH_DELAY = 500;
/** Descriptors that one event processes at most. */
const EVENT_BUDGET = 512;
/** Nanoseconds of wire time after which an event starts no further frame; the next event waits until then. */
const EVENT_WIRE_TIME = 262_144;
/** FCS, preamble and inter-packet gap. */
const WIRE_OVERHEAD = 24;

/** What becomes of a frame: blocked (it is tried again), gone by the wire, or to neighbours only. */
export type Sent = 'blocked' | 'wire' | 'local' | 'dropped';

/** What the transmitter asks of the device around it. */
export interface TransmitterHost {
  /** The MAC may transmit: link up, or in loopback; with pools frames find neighbours without a link. */
  readonly mayTransmit: boolean;
  /** Nanoseconds that a bit takes. */
  readonly bitTime: number;
  /** False: blocked; {@link Transmitter.writable} is called when there is room. */
  sendFrame(frame: Frame, queue: number): Sent;
  /** The packet that just left asked for its time. */
  stamp(): void;
  /** The core has worked: causes, counters. */
  settle(): void;
}

/** The transmit side: walks the rings in turn, in events on the clock, and hands frames to the wire at its speed. */
export class Transmitter {
  /** Holds back queues for the rate of their function; none without virtual functions. */
  pacer: Pacer | undefined;
  /** Told of what no driver does: a packet that is not one (a reason of DROP_*), a ring that cannot be read (DROP_DMA). */
  onMisbehaviour: ((queue: number, reason: number) => void) | undefined;
  readonly #registers: RegisterFile;
  readonly #state: StateBlock;
  readonly #core: Core;
  readonly #port: CorePort;
  readonly #queues: Queues;
  readonly #clock: Clock;
  readonly #host: TransmitterHost;
  readonly #memory: Uint8Array;
  readonly #timer: DeadlineTimer;
  readonly #frame = new Frame();
  readonly #packets: Counter;
  readonly #bytes: Counter;
  readonly #doorbells: Counter;
  readonly #drops: Counter[];
  /** Queues that may have work. */
  #active = 0;
  #next = 0;
  #blocked = false;
  #wireFreeAt = 0;
  #pausedUntil = 0;

  constructor(parts: {
    registers: RegisterFile;
    state: StateBlock;
    core: Core;
    port: CorePort;
    queues: Queues;
    clock: Clock;
    ledger: Ledger;
    owner: EventOwner;
    host: TransmitterHost;
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
    this.#memory = parts.memory;
    this.#timer = new DeadlineTimer(parts.clock, owner, 'transmit');
    this.#packets = ledger.counter(owner.name, 'tx', 'packets');
    this.#bytes = ledger.counter(owner.name, 'tx', 'bytes');
    this.#doorbells = ledger.counter(owner.name, 'doorbell', 'TDT');
    this.#drops = dropCounters(ledger, owner.name, 'tx-drop');
    for (let queue = 0; queue < R.QUEUES; queue++) {
      const at = queue * R.QUEUE_STRIDE;
      registers.onWrite(R.REG_TDT + at, () => {
        this.#doorbells.value++;
        this.kick(1 << queue);
      });
      registers.onWrite(R.REG_TXDCTL + at, (value) => this.#enable(queue, value));
    }
  }

  get paused(): boolean {
    return this.#clock.now < this.#pausedUntil;
  }

  /** There may be work in these queues (a mask, all unless told): it is looked for by an event. */
  kick(queues = 0xffff): void {
    this.#active |= queues;
    if (this.#blocked || !this.#enabled) return;
    this.#armBy(Math.max(this.#clock.now + FETCH_DELAY, this.#wireFreeAt, this.#pausedUntil));
  }

  /** The wire has room again. */
  writable(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.kick(0);
  }

  /** A PAUSE frame came: nothing starts within `quanta` times 512 bit times. 0 ends a pause. */
  pause(quanta: number): void {
    this.#pausedUntil = quanta === 0 ? 0 : this.#clock.now + quanta * 512 * this.#host.bitTime;
    if (quanta === 0) this.kick(0);
    else if (this.#timer.armed) this.#timer.arm(this.#pausedUntil);
  }

  onEvent(): void {
    if (this.#timer.fired()) this.#run();
  }

  /** A queue starts anew: nothing of it is in progress. */
  forget(queue: number): void {
    this.#state.bytes(CORE_STATE_TX_QUEUES + queue * CORE_STATE_TX_QUEUES_STRIDE, TX_QUEUE_SIZE).fill(0);
    if (this.#state.get(CORE_STATE_STASH_QUEUE) === queue) this.#state.set(CORE_STATE_STASH_LENGTH, 0);
  }

  reset(): void {
    this.#timer.disarm();
    this.#pausedUntil = 0;
    this.#active = 0;
    // A frame that waits for the wire is out of the ring already, and stays blocked until there is room.
    for (let queue = 0; queue < R.QUEUES; queue++) this.forget(queue);
    this.#state.set(CORE_STATE_STASH_LENGTH, 0);
  }

  save(): SnapshotValue {
    return {
      timer: this.#timer.save(),
      active: this.#active,
      next: this.#next,
      blocked: this.#blocked,
      wireFreeAt: this.#wireFreeAt,
      pausedUntil: this.#pausedUntil,
    };
  }

  /** A blocked wire's own snapshot knows that it owes a `writable`. Nothing is scheduled: the clock has its events. */
  restore(value: SnapshotValue): void {
    const saved = value as {
      timer: SnapshotValue;
      active: number;
      next: number;
      blocked: boolean;
      wireFreeAt: number;
      pausedUntil: number;
    };
    this.#timer.restore(saved.timer);
    this.#active = saved.active;
    this.#next = saved.next;
    this.#blocked = saved.blocked;
    this.#wireFreeAt = saved.wireFreeAt;
    this.#pausedUntil = saved.pausedUntil;
  }

  get #enabled(): boolean {
    return (this.#registers.get(R.REG_TCTL) & B.TCTL_EN) !== 0 && this.#host.mayTransmit;
  }

  #armBy(when: number): void {
    if (!this.#timer.armed || this.#timer.deadline > when) this.#timer.arm(when);
  }

  /** 8.12.x: a queue that is enabled begins at head 0; SWFLSH clears itself, since nothing waits to be written back. */
  #enable(queue: number, value: number): void {
    const at = queue * R.QUEUE_STRIDE;
    this.#registers.set(R.REG_TXDCTL + at, this.#registers.get(R.REG_TXDCTL + at) & ~B.DCTL_SWFLSH);
    if ((value & B.DCTL_ENABLE) === 0) {
      this.#registers.set(R.REG_TDH + at, 0);
      this.forget(queue);
    } else this.kick(1 << queue);
  }

  #run(): void {
    if (this.#blocked || !this.#enabled) return;
    const { now } = this.#clock;
    if (this.paused) return this.#timer.arm(this.#pausedUntil);
    const state = this.#state;
    state.set(CORE_STATE_BUDGET, EVENT_BUDGET);
    // What was read ahead in an earlier event may have been moved or remapped since.
    for (let queue = 0; queue < R.QUEUES; queue++) {
      state.set(CORE_STATE_TX_QUEUES + queue * CORE_STATE_TX_QUEUES_STRIDE + TX_QUEUE_AHEAD_COUNT, 0);
    }
    const byteTime = 8 * this.#host.bitTime;
    let time = this.#sendStash(byteTime);
    let later = Infinity;
    let waiting = this.#active;
    let more = false;
    while (waiting !== 0 && !this.#blocked && !more) {
      const queue = nextBit(waiting, this.#next);
      const ready = this.#queues.transmits(queue) ? (this.pacer?.readyAt(queue) ?? 0) : Infinity;
      if (ready > now) {
        later = Math.min(later, ready);
        waiting &= ~(1 << queue);
        if (ready === Infinity) this.#active &= ~(1 << queue);
        continue;
      }
      this.#port.dma = this.#queues.portOf(queue);
      const answer = this.#core.transmit(state.base, queue);
      if (answer === B.TX_FRAME) {
        time += this.#send(this.#frameAtHand(), queue, byteTime);
        if (this.#blocked) {
          this.#core.stash(state.base);
          state.set(CORE_STATE_STASH_QUEUE, queue);
        }
        // 7.2.2.x: queues take turns, packet by packet.
        this.#next = (queue + 1) % R.QUEUES;
        more = time >= EVENT_WIRE_TIME;
      } else if (answer === B.TX_DROPPED) {
        const reason = state.get(CORE_STATE_DROP_REASON);
        this.#drops[reason].value++;
        this.onMisbehaviour?.(queue, reason);
      } else if (answer === B.TX_BUDGET) more = true;
      else {
        if (answer === B.TX_FAULT) this.onMisbehaviour?.(queue, B.DROP_DMA);
        waiting &= ~(1 << queue);
        this.#active &= ~(1 << queue);
      }
    }
    this.#wireFreeAt = now + time;
    this.#host.settle();
    if (this.#blocked) return;
    if (more) this.#armBy(Math.max(this.#wireFreeAt, now + FETCH_DELAY));
    else if (later !== Infinity) this.#armBy(Math.max(later, this.#wireFreeAt));
  }

  /** The frame that the wire refused goes first. Nanoseconds that it takes. */
  #sendStash(byteTime: number): number {
    const state = this.#state;
    const stashed = state.take(CORE_STATE_STASH_LENGTH);
    if (stashed === 0) return 0;
    this.#frame.clear(this.#memory);
    this.#frame.add(state.base + CORE_STATE_STASH, stashed);
    const time = this.#send(this.#frame, state.get(CORE_STATE_STASH_QUEUE), byteTime);
    if (this.#blocked) state.set(CORE_STATE_STASH_LENGTH, stashed);
    return time;
  }

  /** The core's ranges as a frame: ranges of guest memory, nothing is copied. */
  #frameAtHand(): Frame {
    const { words, base } = this.#state;
    const frame = this.#frame;
    frame.clear(this.#memory);
    const count = this.#state.get(CORE_STATE_FRAME_COUNT);
    let at = (base + CORE_STATE_FRAME_RANGES) >> 2;
    for (let index = 0; index < count; index++, at += 2) {
      const length = words[at + 1];
      if (length !== 0) frame.add(words[at], length);
    }
    return frame;
  }

  /** Nanoseconds that the frame takes on the wire, or on the way to neighbours (a byte a nanosecond). */
  #send(frame: Frame, queue: number, byteTime: number): number {
    const { length } = frame;
    const stamp = this.#state.get(CORE_STATE_TX_STAMP) !== 0;
    const sent = this.#host.sendFrame(frame, queue);
    if (sent === 'blocked') {
      this.#blocked = true;
      return 0;
    }
    if (sent === 'dropped') {
      this.#drops[B.DROP_SWITCH].value++;
      return 0;
    }
    if (stamp) this.#host.stamp();
    this.#packets.value++;
    this.#bytes.value += length;
    this.pacer?.sent(queue, length);
    return sent === 'wire' ? (length + WIRE_OVERHEAD) * byteTime : length;
  }
}

/** The number of the first bit that is set, from `from` on and round; `mask` is not 0. */
function nextBit(mask: number, from: number): number {
  const above = (mask >>> from) << from;
  const bits = above !== 0 ? above : mask;
  return 31 - Math.clz32(bits & -bits);
}
