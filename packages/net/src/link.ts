import {
  expectSnapshot,
  Ledger,
  type Clock,
  type EventArguments,
  type EventOwner,
  type Snapshot,
  type Snapshotable,
  type SnapshotValue,
} from '@vmloom/device';
import { PortCounters, type DropReason } from './counters.js';
import { NetError } from './error.js';
import { FrameQueue } from './frame-queue.js';
import type { Frame } from './frame.js';
import { eachPlainFrame } from './offload/segmenter.js';
import type { Port, PortOwner } from './port.js';
import { Random } from './random.js';

/** Bytes of the longest frame that ports carry: a segment of 64 KiB with its headers. */
export const MAX_FRAME = 65_535 + 18;
/** Bytes of the wire beside a frame: preamble 8, frame check sequence 4, gap 12 (802.3 4.2, 4.4). */
const WIRE_OVERHEAD = 24;
/** Bytes of the shortest frame on the wire without its check sequence (802.3 4.2.3.3). */
const SHORTEST = 60;

export interface LinkOptions {
  /** Unique on the clock; the ends are called `name.a` and `name.b`. `link` unless told. */
  readonly name?: string;
  /** Names of the two ends. */
  readonly ends?: readonly [string, string];
  /** Needed for a rate or a delay. */
  readonly clock?: Clock;
  readonly ledger?: Ledger;
  /** Bits per second above 0, in each direction. Infinity unless told. */
  readonly rate?: number;
  /** Nanoseconds, 0 or more: when the last bit has left, the frame arrives so much later. 0 unless told. */
  readonly delay?: number;
  /** Probability from 0 to 1 that a frame is lost. 0 unless told. */
  readonly loss?: number;
  /** Of the losses. 1 unless told. */
  readonly seed?: number;
  /** Frames that may wait for the wire, per direction. 1000 unless told. */
  readonly queueFrames?: number;
  /** Bytes that may wait for the wire, per direction. 4 MiB unless told. */
  readonly queueBytes?: number;
  /** What happens when the queue is full or the receiver has no room: the sender waits, or the frame is lost. `pause` unless told. */
  readonly policy?: LinkPolicy;
}

export type LinkPolicy = 'drop' | 'pause';

/** One end of a {@link Link}. */
export class LinkPort implements Port {
  readonly counters: PortCounters;
  /** The lane by which this end sends, set by the link. */
  lane!: Lane;
  /** The lane by which this end receives, set by the link. */
  incoming!: Lane;
  owner: PortOwner | undefined;

  constructor(
    readonly name: string,
    readonly link: Link,
    ledger: Ledger,
  ) {
    this.counters = new PortCounters(ledger, name);
  }

  get up(): boolean {
    return this.link.up;
  }

  send(frame: Frame): boolean {
    return this.lane.send(frame);
  }

  attach(owner: PortOwner): void {
    this.owner = owner;
  }

  /** Call it from an event, not from a register write: on a link without delay the sender sends at once. */
  ready(): void {
    this.incoming.receiverReady();
  }
}

/**
 * A wire with two ends. Without rate and delay a frame goes straight through to the other end's owner, not
 * copied; otherwise it is copied into the link's queue and arrives by an event of the clock. A frame with offload
 * work goes straight through to an owner that takes it; any other owner, and any wire with a rate, a delay or
 * losses, gets the plain frames that it stands for.
 */
export class Link implements EventOwner, Snapshotable {
  readonly name: string;
  readonly a: LinkPort;
  readonly b: LinkPort;
  readonly #clock: Clock | undefined;
  readonly #random: Random;
  readonly #lanes: readonly [Lane, Lane];
  #up = true;

  /** @throws NetError bad-option, no-clock */
  constructor(options: LinkOptions = {}) {
    const { name = 'link', clock, ledger = new Ledger(), rate = Infinity, delay = 0, loss = 0 } = options;
    const { queueFrames = 1000, queueBytes = 4 * 1024 * 1024, policy = 'pause', seed = 1 } = options;
    check(rate > 0, `the rate of ${name} must be above 0 bit/s, not ${rate}`);
    check(delay >= 0 && Number.isFinite(delay), `the delay of ${name} must be 0 ns or more, not ${delay}`);
    check(loss >= 0 && loss <= 1, `the loss of ${name} must be from 0 to 1, not ${loss}`);
    check(queueFrames >= 1, `the queue of ${name} must hold 1 frame or more, not ${queueFrames}`);
    check(queueBytes >= 1, `the queue of ${name} must hold 1 byte or more, not ${queueBytes}`);
    check(
      policy === 'drop' || policy === 'pause',
      `the policy of ${name} is drop or pause, not ${String(policy)}`,
    );
    this.name = name;
    this.#clock = clock;
    this.#random = new Random(seed);
    const [nameA, nameB] = options.ends ?? [`${name}.a`, `${name}.b`];
    this.a = new LinkPort(nameA, this, ledger);
    this.b = new LinkPort(nameB, this, ledger);
    if (delay > 0 || rate < Infinity) {
      if (clock === undefined)
        throw new NetError('no-clock', `${name} has a rate or a delay and so needs a clock`);
      clock.register(this);
    }
    const copies = ledger.counter(name, 'copy', 'link-queue', 'emulator');
    const wire = {
      link: this,
      clock,
      random: this.#random,
      copies,
      rate,
      delay,
      loss,
      queueFrames,
      queueBytes,
      policy,
    };
    this.#lanes = [new Lane(wire, this.a, this.b, 0), new Lane(wire, this.b, this.a, 1)];
  }

  get up(): boolean {
    return this.#up;
  }

  /** Carrier on or off. Off loses the frames under way. */
  set up(up: boolean) {
    if (up === this.#up) return;
    this.#up = up;
    this.a.owner?.linkChanged?.(up);
    this.b.owner?.linkChanged?.(up);
    if (!up) for (const lane of this.#lanes) lane.cut();
  }

  /** Frames under way, both directions. */
  get inFlight(): number {
    return this.#lanes[0].queue.count + this.#lanes[1].queue.count;
  }

  /** Ends the link's part on its clock; frames under way are lost. */
  close(): void {
    this.up = false;
    this.#clock?.unregister(this);
  }

  onEvent(kind: string, args: EventArguments): void {
    const lane = this.#lanes[args['lane'] as 0 | 1];
    if (kind === 'deliver') lane.deliver();
    else lane.drain();
  }

  save(): Snapshot {
    return {
      type: 'link',
      version: 1,
      up: this.#up,
      random: this.#random.save(),
      lanes: this.#lanes.map((lane) => lane.save()),
      counters: [this.a.counters.save(), this.b.counters.save()],
    };
  }

  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'link', 1);
    this.#up = snapshot['up'] as boolean;
    this.#random.restore(snapshot['random'] as number[]);
    (snapshot['lanes'] as unknown as SavedLane[]).forEach((saved, index) =>
      this.#lanes[index].restore(saved),
    );
    const [a, b] = snapshot['counters'] as unknown as { [name: string]: number }[];
    this.a.counters.restore(a);
    this.b.counters.restore(b);
  }
}

interface Wire {
  readonly link: Link;
  readonly clock: Clock | undefined;
  readonly random: Random;
  readonly copies: { value: number };
  readonly rate: number;
  readonly delay: number;
  readonly loss: number;
  readonly queueFrames: number;
  readonly queueBytes: number;
  readonly policy: LinkPolicy;
}

interface SavedLane {
  readonly [name: string]: SnapshotValue;
  readonly frames: { readonly bytes: Uint8Array; readonly depart: number; readonly arrive: number }[];
  readonly busyUntil: number;
  readonly stalled: boolean;
  readonly blocked: boolean;
  readonly refused: number;
  readonly deliverEvent: number;
  readonly drainEvent: number;
}

/** One direction of a link. */
class Lane {
  readonly queue = new FrameQueue();
  readonly #direct: boolean;
  readonly #args: EventArguments;
  /** When the wire is free. */
  #busyUntil = 0;
  /** The receiver refused the first frame. */
  #stalled = false;
  /** The sender was refused and waits. */
  #blocked = false;
  /** Bytes of the frame that was refused. */
  #refused = 0;
  /** Counts the cuts, for a receiver that cuts the link while it receives. */
  #cuts = 0;
  #deliverEvent = 0;
  #drainEvent = 0;

  constructor(
    readonly wire: Wire,
    readonly from: LinkPort,
    readonly to: LinkPort,
    lane: 0 | 1,
  ) {
    this.#direct = wire.delay === 0 && wire.rate === Infinity;
    this.#args = { lane };
    from.lane = this;
    to.incoming = this;
  }

  send(frame: Frame): boolean {
    const { wire } = this;
    if (!wire.link.up) return this.#drop('down');
    if (frame.length > MAX_FRAME) return this.#drop('oversize');
    if (this.#direct) return this.#pass(frame);
    const clock = wire.clock!;
    this.queue.advance(clock.now);
    if (this.#full(frame.length)) {
      if (wire.policy === 'drop') return this.#drop('queue-full');
      this.#blocked = true;
      this.#refused = frame.length;
      this.#scheduleDrain();
      return false;
    }
    if (frame.needs === 0) this.#enqueue(frame);
    else if (!eachPlainFrame(frame, this.#enqueueOne)) return this.#drop('offload');
    this.#scheduleDeliver();
    return true;
  }

  /** Puts a plain frame on the wire. */
  #enqueue(frame: Frame): void {
    const { wire } = this;
    const clock = wire.clock!;
    const start = Math.max(clock.now, this.#busyUntil);
    const bits = (Math.max(frame.length, SHORTEST) + WIRE_OVERHEAD) * 8;
    const depart = wire.rate === Infinity ? start : start + Math.ceil((bits * 1e9) / wire.rate);
    this.#busyUntil = depart;
    this.from.counters.sent(frame.length);
    if (wire.loss > 0 && wire.random.chance(wire.loss)) {
      this.from.counters.drop('loss');
      return;
    }
    this.queue.push(frame, depart, depart + wire.delay);
    wire.copies.value++;
  }

  receiverReady(): void {
    if (this.#direct) {
      if (this.#passWaiting() && this.#blocked) this.#unblock();
    } else if (this.#stalled) {
      this.#stalled = false;
      this.#scheduleDeliver();
    }
  }

  deliver(): void {
    const clock = this.wire.clock!;
    this.#deliverEvent = 0;
    while (this.queue.nextArrival <= clock.now) {
      const frame = this.queue.peek();
      const { length } = frame;
      const { owner } = this.to;
      const cuts = this.#cuts;
      if (owner === undefined) this.#drop('unattached');
      else if (owner.receive(frame)) this.to.counters.received(length);
      else if (this.wire.policy === 'drop') this.#drop('blocked');
      else {
        this.#stalled = true;
        return;
      }
      if (cuts !== this.#cuts) return;
      this.queue.pop();
    }
    this.#scheduleDeliver();
    if (this.#blocked) this.#scheduleDrain();
  }

  drain(): void {
    this.#drainEvent = 0;
    if (!this.#blocked) return;
    this.queue.advance(this.wire.clock!.now);
    if (this.#full(this.#refused)) this.#scheduleDrain();
    else this.#unblock();
  }

  /** The carrier went: what is under way is lost, and nobody waits any more. */
  cut(): void {
    this.#cuts++;
    for (let left = this.queue.count; left > 0; left--) this.#drop('down');
    this.queue.clear();
    this.#busyUntil = 0;
    this.#stalled = false;
    if (this.#deliverEvent !== 0) this.wire.clock!.cancel(this.#deliverEvent);
    if (this.#drainEvent !== 0) this.wire.clock!.cancel(this.#drainEvent);
    this.#deliverEvent = this.#drainEvent = 0;
    if (this.#blocked) this.#unblock();
  }

  save(): SavedLane {
    return {
      frames: this.queue.save(),
      busyUntil: this.#busyUntil,
      stalled: this.#stalled,
      blocked: this.#blocked,
      refused: this.#refused,
      deliverEvent: this.#deliverEvent,
      drainEvent: this.#drainEvent,
    };
  }

  restore(saved: SavedLane): void {
    this.queue.restore(saved.frames);
    this.#busyUntil = saved.busyUntil;
    this.#stalled = saved.stalled;
    this.#blocked = saved.blocked;
    this.#refused = saved.refused;
    this.#deliverEvent = saved.deliverEvent;
    this.#drainEvent = saved.drainEvent;
  }

  #pass(frame: Frame): boolean {
    const { wire, from, to } = this;
    if (to.owner === undefined) return this.#drop('unattached');
    if (frame.needs !== 0 && (wire.loss > 0 || (frame.needs & ~(to.owner.offloads ?? 0)) !== 0)) {
      return this.#passPlain(frame);
    }
    if (this.queue.count > 0) return this.#refuse();
    if (wire.loss > 0 && wire.random.chance(wire.loss)) {
      from.counters.sent(frame.length);
      return this.#drop('loss');
    }
    const { length } = frame;
    if (!to.owner.receive(frame)) return this.#refuse();
    from.counters.sent(length);
    to.counters.received(length);
    return true;
  }

  /** The receiver has no room. */
  #refuse(): boolean {
    if (this.wire.policy === 'drop') return this.#drop('blocked');
    this.#blocked = true;
    return false;
  }

  /** Hands on the plain frames of one; those for which the receiver has no room wait here, and nothing overtakes them. */
  #passPlain(frame: Frame): boolean {
    if (this.queue.count > 0) return this.#refuse();
    return eachPlainFrame(frame, this.#passOne) || this.#drop('offload');
  }

  readonly #enqueueOne = (plain: Frame): boolean => {
    this.#enqueue(plain);
    return true;
  };

  readonly #passOne = (plain: Frame): boolean => {
    const { wire, from, to } = this;
    const { length } = plain;
    if (!wire.link.up) return this.#drop('down');
    from.counters.sent(length);
    if (wire.loss > 0 && wire.random.chance(wire.loss)) return this.#drop('loss');
    if (this.queue.count === 0 && to.owner?.receive(plain)) to.counters.received(length);
    else if (wire.policy === 'drop') this.#drop('blocked');
    else {
      this.queue.push(plain, 0, 0);
      wire.copies.value++;
    }
    return true;
  };

  /** Hands on what waits of a frame that was cut; true when nothing waits any more. */
  #passWaiting(): boolean {
    const { queue, to } = this;
    while (queue.count > 0) {
      const frame = queue.peek();
      const { length } = frame;
      const cuts = this.#cuts;
      if (!to.owner?.receive(frame)) return false;
      to.counters.received(length);
      if (cuts !== this.#cuts) return true;
      queue.pop();
    }
    return true;
  }

  #drop(reason: DropReason): true {
    this.from.counters.drop(reason);
    return true;
  }

  /** What the bound counts: frames waiting for the wire; all of them where the wire or the receiver holds none back. */
  #full(length: number): boolean {
    const { queue, wire } = this;
    const all = this.#stalled || wire.rate === Infinity;
    const frames = all ? queue.count : queue.waiting;
    const bytes = all ? queue.bytes : queue.waitingBytes;
    // An empty queue takes any frame, or one longer than the bound would never leave its sender.
    return frames >= wire.queueFrames || (frames > 0 && bytes + length > wire.queueBytes);
  }

  #unblock(): void {
    this.#blocked = false;
    this.from.owner?.writable?.();
  }

  #scheduleDeliver(): void {
    if (this.#deliverEvent !== 0 || this.#stalled || this.queue.count === 0) return;
    const { wire } = this;
    this.#deliverEvent = wire.clock!.schedule(wire.link, 'deliver', this.queue.nextArrival, this.#args);
  }

  #scheduleDrain(): void {
    if (this.#drainEvent !== 0) return;
    const { wire, queue } = this;
    // A stalled or endlessly fast wire has room only after a delivery, which asks for this again.
    const full = this.#full(this.#refused);
    if (full && (this.#stalled || wire.rate === Infinity)) return;
    const when = full ? queue.nextDeparture : wire.clock!.now;
    this.#drainEvent = wire.clock!.schedule(wire.link, 'drain', when, this.#args);
  }
}

function check(valid: boolean, message: string): void {
  if (!valid) throw new NetError('bad-option', message);
}
