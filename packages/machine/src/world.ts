import { Clock, Ledger, OutsideIo, expectSnapshot, type Snapshot, type Snapshotable } from '@vmloom/device';
import { MachineError } from './error.js';
import { hostTimer, wallClock, type WallClock } from './host-time.js';
import type { RunnableHart, Runner } from './runner.js';

/** Something that is saved with the world: a machine, a switch, a link, a NAT. */
export interface WorldPart extends Snapshotable {
  readonly name: string;
}

export interface WorldOptions {
  /**
   * `virtual`: deterministic, idle time is skipped (paced by wall time only while something outside may
   * speak). `realtime`: time follows the wall clock. `virtual` unless told.
   */
  readonly time?: 'virtual' | 'realtime';
  /**
   * The most a hart runs before another gets its turn, in virtual nanoseconds. 100,000 unless told, 10,000 in
   * realtime: as many instructions of its faster harts. In realtime no event ends a turn, so this is also how late
   * one may be: devices work behind the harts' backs, as on a real board, and one look serves many doorbells.
   */
  readonly quantum?: number;
  readonly wall?: WallClock;
}

/** Why {@link World.run} came back. */
export type RunEnd =
  /** The asked time is reached. */
  | 'until'
  /** `stop()` was called. */
  | 'stopped'
  /** Nothing is runnable, nothing is due and nothing outside is awaited. */
  | 'idle';

/** How long the loop keeps the host's thread before sockets and timers get their turn, in nanoseconds. */
const HOST_SLICE = 8e6;
const QUANTA = { virtual: 100_000, realtime: 10_000 };
/** Virtual time may be this far ahead of the wall clock in realtime mode, in nanoseconds. */
const REALTIME_LEAD = 1e6;

/**
 * One clock, one ledger, one door to the outside, and the harts that run on them: of one machine or of many.
 * The loop takes the hart with the least virtual time and runs it to the next event or the end of its slice.
 */
export class World implements Snapshotable {
  readonly clock = new Clock();
  readonly ledger = new Ledger();
  readonly outside = new OutsideIo(this.clock);
  readonly time: 'virtual' | 'realtime';
  readonly #quantum: number;
  readonly #wall: WallClock;
  readonly #runners: Runner[] = [];
  /** In WFI, until their interrupt is pending. */
  readonly #waiting = new Set<Runner>();
  /** Not runnable when the loop looked last. */
  readonly #halted = new Set<Runner>();
  readonly #parts = new Map<string, WorldPart>();
  #slices = 0;
  #stopping = false;
  #breathe = false;
  #running = false;
  #starting = false;
  /** The background loop found nothing left to happen; an arrival starts it again. */
  #resting = false;
  #current: RunnableHart | undefined;
  #wake: (() => void) | undefined;

  constructor(options: WorldOptions = {}) {
    this.time = options.time ?? 'virtual';
    this.#quantum = options.quantum ?? QUANTA[this.time];
    this.#wall = options.wall ?? wallClock();
    this.outside.onArrival = () => {
      this.#wake?.();
      if (this.#resting) this.start();
    };
  }

  get running(): boolean {
    return this.#running;
  }

  addRunner(runner: Runner): void {
    this.#runners.push(runner);
  }

  removeRunner(runner: Runner): void {
    const index = this.#runners.indexOf(runner);
    if (index >= 0) this.#runners.splice(index, 1);
    this.#waiting.delete(runner);
    this.#halted.delete(runner);
  }

  /** Adds a part to save and restore. @throws MachineError duplicate-name */
  add<Part extends WorldPart>(part: Part): Part {
    if (this.#parts.has(part.name)) {
      throw new MachineError('duplicate-name', `two parts of one world are called ${part.name}`);
    }
    this.#parts.set(part.name, part);
    return part;
  }

  remove(part: WorldPart): void {
    if (this.#parts.get(part.name) === part) this.#parts.delete(part.name);
  }

  part(name: string): WorldPart | undefined {
    return this.#parts.get(name);
  }

  /** Makes a running loop come back: after the present slice, or the present instruction from within one. */
  stop(): void {
    this.#resting = false;
    this.#starting = false;
    this.#stopping = true;
    this.#current?.requestStop();
    this.#wake?.();
  }

  /**
   * Ends the present slice so that pending promises settle before the next one: what an awaiting script does
   * then happens at a virtual time that does not depend on the host's speed.
   */
  breathe(): void {
    this.#breathe = true;
    this.#current?.requestStop();
    this.#wake?.();
  }

  /** A hart begins anew, whatever it waited for. */
  restarted(runner: Runner): void {
    this.#waiting.delete(runner);
    this.#halted.add(runner);
    this.#wake?.();
  }

  /** A runner was started or resumed: a loop that is idle looks again. */
  reconsider(): void {
    this.#wake?.();
  }

  /**
   * Runs in the background, from the end of the present task on, so that everything started in one task
   * starts at one time. Comes to rest when nothing is left to happen, until something arrives from outside or
   * it is started again; that takes back a {@link stop} that the loop has not come to.
   */
  start(): void {
    if (this.#running) this.#stopping = false;
    this.#resting = false;
    if (this.#running || this.#starting) return;
    this.#starting = true;
    queueMicrotask(() => {
      if (!this.#starting) return;
      this.#starting = false;
      if (!this.#running) void this.run().then((end) => (this.#resting = end === 'idle'));
    });
  }

  /** Runs until virtual time `until` (nanoseconds), {@link stop}, or nothing is left to happen. */
  async run(options: { until?: number } = {}): Promise<RunEnd> {
    if (this.#running) throw new MachineError('already-running', 'this world is running already');
    const until = options.until ?? Infinity;
    this.#running = true;
    this.#stopping = false;
    // Realtime: wall time that passed while the world stood still is no time of the world.
    const wallOrigin = this.#wall.now() - this.clock.now;
    let breath = this.#wall.now();
    try {
      for (;;) {
        if (this.#stopping) return 'stopped';
        if (this.#breathe || this.#wall.now() - breath > HOST_SLICE) {
          this.#breathe = false;
          await this.#pause(0);
          breath = this.#wall.now();
          continue;
        }
        const wall = this.time === 'realtime' ? Math.floor(this.#wall.now() - wallOrigin) : undefined;
        const next = this.#step(until, wall);
        if (next === 'busy') continue;
        if (next >= until && until !== Infinity) {
          this.clock.runUntil(until);
          return 'until';
        }
        if (next === Infinity && this.outside.outstanding === 0 && !this.outside.live) return 'idle';
        if (await this.#pass(next, wall)) breath = this.#wall.now();
      }
    } finally {
      this.#running = false;
    }
  }

  /** One turn of the loop: `busy`, or the time of the next event when nothing can run before it. */
  #step(until: number, wall: number | undefined): 'busy' | number {
    const { clock } = this;
    if (wall !== undefined && wall > clock.now) clock.runUntil(Math.min(wall, until));
    if (this.outside.deliver(this.#slices) > 0) clock.runUntil(clock.now);
    const runner = this.#next();
    const next = Math.min(clock.nextEvent, this.outside.nextArrival);
    if (runner === undefined) {
      if (next > clock.now) return next;
      clock.runUntil(clock.now);
      return 'busy';
    }
    const { hart } = runner;
    if (wall !== undefined && hart.localTime < wall) hart.skipTo(wall);
    const start = hart.localTime;
    if (next <= start) {
      clock.runUntil(next);
      return 'busy';
    }
    if (start >= until) return start;
    if (wall !== undefined && start > wall + REALTIME_LEAD) return start;
    const end = Math.min(start + this.#quantum, until);
    this.#slice(runner, start, wall === undefined ? Math.min(end, next) : end);
    return 'busy';
  }

  #slice(runner: Runner, start: number, end: number): void {
    const { hart } = runner;
    const { clock } = this;
    clock.now = start;
    if (this.time === 'virtual') clock.beginSlice(end, (when) => hart.shortenTo(when));
    this.#current = hart;
    this.#slices++;
    const instructions = Math.max(1, hart.instructionsUntil(end));
    if (runner.run === undefined) hart.run(instructions);
    else runner.run(instructions);
    this.#current = undefined;
    clock.endSlice();
    // Whoever acts on the exit (firmware, a debugger) does so at the hart's time.
    clock.now = Math.max(clock.now, hart.localTime);
    if (hart.exit === 'wfi') this.#waiting.add(runner);
    else if (hart.exit !== 'budget') runner.left(hart.exit);
  }

  /** The runnable hart with the least virtual time; one that was woken or started begins now. */
  #next(): Runner | undefined {
    let least: Runner | undefined;
    for (const runner of this.#runners) {
      if (!runner.runnable) {
        this.#halted.add(runner);
        continue;
      }
      // A hart that begins anew waits for nothing any more.
      const began = this.#halted.delete(runner);
      if (began) this.#waiting.delete(runner);
      const waits = this.#waiting.has(runner);
      if (waits && !runner.hart.interruptPending) continue;
      if (waits) this.#waiting.delete(runner);
      if ((began || waits) && runner.hart.localTime < this.clock.now) runner.hart.skipTo(this.clock.now);
      if (least === undefined || runner.hart.localTime < least.hart.localTime) least = runner;
    }
    return least;
  }

  /**
   * Idle time passes up to `next`: at once, or at the pace of the wall clock while somebody outside may
   * speak. True when the host's event loop had its turn.
   */
  async #pass(next: number, wall: number | undefined): Promise<boolean> {
    const { clock } = this;
    const paced = wall !== undefined || this.outside.outstanding > 0 || this.outside.live;
    // The host's timers are too coarse for what a device takes: such waits are made up for by the next long one.
    if (!paced || (wall !== undefined && next <= wall + REALTIME_LEAD)) {
      clock.runUntil(next);
      return false;
    }
    const from = clock.now;
    const began = this.#wall.now();
    await this.#pause(next - (wall ?? from));
    if (wall === undefined) clock.runUntil(Math.min(next, from + Math.floor(this.#wall.now() - began)));
    return true;
  }

  /** The host's event loop has its turn for `time` nanoseconds, or until somebody speaks. */
  async #pause(time: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = hostTimer(time / 1e6, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
      if (time > 0 && (this.#stopping || this.#breathe || this.outside.arrived > 0)) this.#wake();
    });
    this.#wake = undefined;
  }

  save(): Snapshot {
    const parts = Object.fromEntries([...this.#parts].map(([name, part]) => [name, part.save()]));
    const indexes = (set: Set<Runner>): number[] =>
      this.#runners.flatMap((runner, index) => (set.has(runner) ? [index] : []));
    return {
      type: 'world',
      version: 1,
      slices: this.#slices,
      clock: this.clock.save(),
      waiting: indexes(this.#waiting),
      halted: indexes(this.#halted),
      parts,
    };
  }

  /** Restores into a world of the same topology. @throws DeviceError bad-snapshot, unknown-owner */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'world', 1);
    const parts = snapshot['parts'] as Record<string, Snapshot>;
    for (const [name, part] of this.#parts) part.restore(parts[name] ?? { type: 'nothing', version: 0 });
    // Last: what the parts do while they are restored may schedule and cancel.
    this.clock.restore(snapshot['clock'] as unknown as Snapshot);
    this.#slices = snapshot['slices'] as number;
    for (const [set, name] of [
      [this.#waiting, 'waiting'],
      [this.#halted, 'halted'],
    ] as const) {
      set.clear();
      for (const index of snapshot[name] as number[]) set.add(this.#runners[index]);
    }
  }
}
