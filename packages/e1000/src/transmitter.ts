import {
  DeadlineTimer,
  type Clock,
  type Counter,
  type EventOwner,
  type Ledger,
  type SnapshotValue,
} from '@vmloom/device';
import { Frame } from '@vmloom/net';
import type { Core } from './core.js';
import { dropCounters } from './drops.js';
import type { Interrupts } from './interrupts.js';
import {
  CORE_STATE_BUDGET,
  CORE_STATE_CAUSES,
  CORE_STATE_DROP_REASON,
  CORE_STATE_FRAME_COUNT,
  CORE_STATE_FRAME_RANGES,
  CORE_STATE_STASH,
  CORE_STATE_STASH_LENGTH,
  CORE_STATE_TX_AHEAD_COUNT,
  CORE_STATE_TX_DELAYED,
  CORE_STATE_TX_IN_PACKET,
  CORE_STATE_TX_NORMAL,
} from './layout-offsets.js';
import * as R from './register-map.js';
import type { RegisterFile } from './register-file.js';
import type { StateBlock } from './state-block.js';
import { WorkCounters } from './work-counters.js';

/** From a doorbell to the first descriptor fetch, in nanoseconds; doorbells meanwhile share it. */
const FETCH_DELAY = 500;
/** Descriptors that one event processes at most. */
const EVENT_BUDGET = 256;
/** Nanoseconds of wire time after which an event starts no further frame; the next event waits until then. */
const EVENT_WIRE_TIME = 262_144;
/** FCS, preamble and inter-packet gap. */
const WIRE_OVERHEAD = 24;

/** What the transmitter asks of the device around it. */
export interface TransmitterHost {
  /** The MAC may transmit: link up, or in loopback. */
  readonly mayTransmit: boolean;
  /** Nanoseconds that a bit takes. */
  readonly bitTime: number;
  /** False: blocked; {@link Transmitter.writable} is called when there is room. */
  sendFrame(frame: Frame): boolean;
}

/** The transmit side: walks the ring in events on the clock and hands frames to the wire at its speed. */
export class Transmitter {
  readonly #registers: RegisterFile;
  readonly #state: StateBlock;
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #interrupts: Interrupts;
  readonly #host: TransmitterHost;
  readonly #memory: Uint8Array;
  readonly #timer: DeadlineTimer;
  readonly #frame = new Frame();
  readonly #packets: Counter;
  readonly #bytes: Counter;
  readonly #doorbells: Counter;
  readonly #drops: Counter[];
  readonly #work: WorkCounters;
  #blocked = false;
  #wireFreeAt = 0;
  #pausedUntil = 0;

  constructor(parts: {
    registers: RegisterFile;
    state: StateBlock;
    core: Core;
    clock: Clock;
    ledger: Ledger;
    interrupts: Interrupts;
    owner: EventOwner;
    host: TransmitterHost;
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
    this.#timer = new DeadlineTimer(parts.clock, owner, 'transmit');
    this.#packets = ledger.counter(owner.name, 'tx', 'packets');
    this.#bytes = ledger.counter(owner.name, 'tx', 'bytes');
    this.#doorbells = ledger.counter(owner.name, 'doorbell', 'TDT');
    this.#drops = dropCounters(ledger, owner.name, 'tx-drop');
    this.#work = new WorkCounters(ledger, owner.name, this.#state);
    registers.onWrite(R.REG_TDT, () => {
      this.#doorbells.value++;
      this.kick();
    });
  }

  get paused(): boolean {
    return this.#clock.now < this.#pausedUntil;
  }

  /** There may be work: it is looked for by an event. */
  kick(): void {
    if (this.#blocked || !this.#enabled) return;
    const at = Math.max(this.#clock.now + FETCH_DELAY, this.#wireFreeAt, this.#pausedUntil);
    if (!this.#timer.armed || this.#timer.deadline > at) this.#timer.arm(at);
  }

  /** The wire has room again. */
  writable(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.kick();
  }

  /** A PAUSE frame came (8.7.3): nothing starts within `quanta` times 512 bit times. 0 ends a pause. */
  pause(quanta: number): void {
    this.#pausedUntil = quanta === 0 ? 0 : this.#clock.now + quanta * 512 * this.#host.bitTime;
    if (quanta === 0) this.kick();
    else if (this.#timer.armed) this.#timer.arm(this.#pausedUntil);
  }

  onEvent(): void {
    if (this.#timer.fired()) this.#run();
  }

  reset(): void {
    this.#timer.disarm();
    this.#pausedUntil = 0;
    this.#state.bytes(CORE_STATE_TX_IN_PACKET, CORE_STATE_TX_NORMAL + 80 - CORE_STATE_TX_IN_PACKET).fill(0);
    // A frame that waits for the wire is out of the ring already, and stays blocked until there is room.
    this.#state.set(CORE_STATE_STASH_LENGTH, 0);
  }

  save(): SnapshotValue {
    return {
      timer: this.#timer.save(),
      blocked: this.#blocked,
      wireFreeAt: this.#wireFreeAt,
      pausedUntil: this.#pausedUntil,
    };
  }

  /** A blocked wire's own snapshot knows that it owes a `writable`. Nothing is scheduled: the clock has its events. */
  restore(value: SnapshotValue): void {
    const saved = value as {
      timer: SnapshotValue;
      blocked: boolean;
      wireFreeAt: number;
      pausedUntil: number;
    };
    this.#timer.restore(saved.timer);
    this.#blocked = saved.blocked;
    this.#wireFreeAt = saved.wireFreeAt;
    this.#pausedUntil = saved.pausedUntil;
  }

  get #enabled(): boolean {
    return (this.#registers.get(R.REG_TCTL) & R.TCTL_EN) !== 0 && this.#host.mayTransmit;
  }

  #run(): void {
    if (this.#blocked || !this.#enabled) return;
    if (this.paused) return this.#timer.arm(this.#pausedUntil);
    const state = this.#state;
    state.set(CORE_STATE_BUDGET, EVENT_BUDGET);
    // What was read ahead in an earlier event may have been moved or remapped since.
    state.set(CORE_STATE_TX_AHEAD_COUNT, 0);
    const byteTime = 8 * this.#host.bitTime;
    let wire = 0;
    let more = false;
    const stashed = state.take(CORE_STATE_STASH_LENGTH);
    if (stashed !== 0) {
      this.#frame.clear(this.#memory);
      this.#frame.add(state.base + CORE_STATE_STASH, stashed);
      if (this.#send(this.#frame)) wire += stashed + WIRE_OVERHEAD;
      else state.set(CORE_STATE_STASH_LENGTH, stashed);
    }
    while (!this.#blocked && !more) {
      const answer = this.#core.transmit(state.base);
      if (answer === R.TX_FRAME) {
        const frame = this.#frameAtHand();
        wire += frame.length + WIRE_OVERHEAD;
        if (!this.#send(frame)) this.#core.stash(state.base);
        more = wire * byteTime >= EVENT_WIRE_TIME;
      } else if (answer === R.TX_DROPPED) this.#drops[state.get(CORE_STATE_DROP_REASON)].value++;
      else {
        more = answer === R.TX_BUDGET;
        break;
      }
    }
    this.#wireFreeAt = this.#clock.now + wire * byteTime;
    this.#settle();
    if (more && !this.#blocked) this.#timer.arm(Math.max(this.#wireFreeAt, this.#clock.now + FETCH_DELAY));
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

  #send(frame: Frame): boolean {
    const { length } = frame;
    if (!this.#host.sendFrame(frame)) {
      this.#blocked = true;
      return false;
    }
    this.#packets.value++;
    this.#bytes.value += length;
    return true;
  }

  #settle(): void {
    const state = this.#state;
    this.#work.settle();
    if (state.take(CORE_STATE_TX_DELAYED) !== 0) this.#interrupts.descriptorDelayed();
    const causes = state.take(CORE_STATE_CAUSES);
    if ((causes & R.ICR_TXDW) !== 0) this.#interrupts.descriptorWritten();
    this.#interrupts.raise(causes & ~R.ICR_TXDW);
  }
}
