import type { SnapshotValue } from '@vmloom/device';
import { HypervisorError } from './error.js';
import type { Schedulable } from './schedulable.js';

/** How much of the host something gets. */
export interface ShareOptions {
  /** Among those without priority time goes by weight: 1 to 10,000; 100 unless told. */
  readonly weight?: number;
  /** The most it gets, as a part of one hart's time in every 10 ms: above 0, to 1. No limit unless told. */
  readonly cap?: number;
  /** Real-time: 1 to 99 go before everything below them; 0 shares by weight. 0 unless told. */
  readonly priority?: number;
  /** Numbers of the harts that it may use; all that are not set apart unless told. */
  readonly affinity?: readonly number[];
}

/** One thing that is scheduled, and what it has had. */
export interface Share {
  readonly entity: Schedulable;
  readonly weight: number;
  readonly cap: number;
  readonly priority: number;
  readonly affinity: readonly number[] | undefined;
  /** The hart that it is on. */
  on: number | undefined;
}

interface Entry extends Share {
  /** Time that it has had, divided by its weight. */
  virtual: number;
  /** Number of the period that {@link used} is of. */
  period: number;
  used: number;
  /** Nanoseconds of its present turn. */
  turn: number;
}

const NORMAL_WEIGHT = 100;
/** Nanoseconds over which a cap holds. */
const PERIOD = 10_000_000;
/** Nanoseconds after which another of equal right gets its turn. */
const TURN = 1_000_000;
/** One that woke goes before the running one when it is behind by more than this, in weighted nanoseconds. */
const PREEMPTION = 500_000;

/**
 * Decides who gets a hart: the highest real-time priority; without one, whoever has had the least time by its
 * weight. A sleeper does not save up more than a turn.
 */
export class Scheduler {
  readonly #entries: Entry[] = [];
  readonly #apart = new Set<number>();
  /** Where the least of those that share by weight stands: only moves forward. */
  #floor = 0;

  constructor(readonly harts: number) {}

  /** @throws HypervisorError bad-option, no-hart, duplicate-name */
  add(entity: Schedulable, options: ShareOptions = {}): Share {
    const { weight = NORMAL_WEIGHT, cap = Infinity, priority = 0, affinity } = options;
    const { name } = entity;
    check(
      Number.isInteger(weight) && weight >= 1 && weight <= 10_000,
      `the weight of ${name} is 1 to 10000, not ${weight}`,
    );
    check(
      cap === Infinity || (cap > 0 && cap <= 1),
      `the cap of ${name} is a part of one hart, above 0 to 1, not ${cap}`,
    );
    check(
      Number.isInteger(priority) && priority >= 0 && priority <= 99,
      `the real-time priority of ${name} is 0 to 99, not ${priority}`,
    );
    for (const hart of affinity ?? []) this.#checkHart(name, hart);
    if (affinity?.length === 0) throw new HypervisorError('no-hart', `${name} may use no hart at all`);
    if (this.#entries.some((other) => other.entity.name === name)) {
      throw new HypervisorError('duplicate-name', `two things on one host are called ${name}`);
    }
    const entry: Entry = {
      entity,
      weight,
      cap,
      priority,
      affinity,
      on: undefined,
      virtual: this.#floor,
      period: 0,
      used: 0,
      turn: 0,
    };
    this.#entries.push(entry);
    return entry;
  }

  remove(entity: Schedulable): void {
    const index = this.#entries.findIndex((entry) => entry.entity === entity);
    if (index >= 0) this.#entries.splice(index, 1);
  }

  /** Sets a hart apart: only who names it gets it. @throws HypervisorError no-hart */
  setApart(hart: number): void {
    this.#checkHart('a side core', hart);
    if (this.#apart.has(hart)) throw new HypervisorError('no-hart', `hart ${hart} is set apart already`);
    if (this.#apart.size === this.harts - 1) {
      throw new HypervisorError(
        'no-hart',
        'no hart would be left for anything else; give the host more harts',
      );
    }
    this.#apart.add(hart);
  }

  isApart(hart: number): boolean {
    return this.#apart.has(hart);
  }

  /** Something waits for this hart, now or later. */
  hasWork(hart: number): boolean {
    return this.#entries.some((entry) => this.#wants(entry, hart));
  }

  /** Who gets the hart now; where nobody is ready yet, who will be first; undefined where nobody waits. */
  pick(hart: number, now: number): Share | undefined {
    let best: Entry | undefined;
    let bestStart = Infinity;
    for (const entry of this.#entries) {
      if (!this.#wants(entry, hart)) continue;
      const start = Math.max(now, this.startOf(entry, now));
      if (
        best === undefined ||
        start < bestStart ||
        (start === bestStart && this.#before(entry, best, hart))
      ) {
        best = entry;
        bestStart = start;
      }
    }
    return best;
  }

  /** When one that waits may run: ready, and within its cap. */
  startOf(share: Share, now: number): number {
    const entry = share as Entry;
    const { readyAt } = entry.entity;
    const time = Math.max(readyAt, now);
    const period = Math.floor(time / PERIOD);
    if (period !== entry.period || entry.used < entry.cap * PERIOD) return readyAt;
    return Math.max(readyAt, (period + 1) * PERIOD);
  }

  /** The most nanoseconds that one gets from `now` on before the others are asked again. */
  turnOf(share: Share, now: number): number {
    const entry = share as Entry;
    const period = Math.floor(now / PERIOD);
    const used = period === entry.period ? entry.used : 0;
    const capped = entry.cap === Infinity ? Infinity : Math.max(1, entry.cap * PERIOD - used);
    const turn = entry.priority > 0 ? Infinity : Math.max(1, TURN - entry.turn);
    return Math.ceil(Math.min(capped, turn));
  }

  /** It has had `time` nanoseconds, up to `now`. */
  account(share: Share, time: number, now: number): void {
    const entry = share as Entry;
    const period = Math.floor(now / PERIOD);
    if (entry.period !== period) entry.used = 0;
    entry.period = period;
    entry.used += time;
    entry.turn += time;
    if (entry.priority > 0) return;
    entry.virtual = this.#standing(entry) + (time * NORMAL_WEIGHT) / entry.weight;
    let least = entry.virtual;
    for (const other of this.#entries) {
      if (other.priority === 0 && other.entity.runnable) least = Math.min(least, this.#standing(other));
    }
    this.#floor = Math.max(this.#floor, least);
    if (entry.turn >= TURN) entry.turn = 0;
  }

  /** It gets a hart. */
  begin(share: Share, hart: number): void {
    const entry = share as Entry;
    entry.on = hart;
    entry.turn = 0;
  }

  save(): SnapshotValue {
    return {
      floor: this.#floor,
      entries: this.#entries.map(({ entity, on, virtual, period, used, turn }) => ({
        name: entity.name,
        on: on ?? -1,
        virtual,
        period,
        used,
        turn,
      })),
    };
  }

  /** @throws HypervisorError bad-snapshot */
  restore(value: SnapshotValue): void {
    const saved = value as unknown as {
      floor: number;
      entries: (Omit<Entry, 'on'> & { on: number; name: string })[];
    };
    this.#floor = saved.floor;
    for (const entry of this.#entries) {
      const found = saved.entries.find(({ name }) => name === entry.entity.name);
      if (found === undefined) {
        throw new HypervisorError('bad-snapshot', `the snapshot knows nothing of ${entry.entity.name}`);
      }
      entry.on = found.on < 0 ? undefined : found.on;
      entry.virtual = found.virtual;
      entry.period = found.period;
      entry.used = found.used;
      entry.turn = found.turn;
    }
  }

  #wants(entry: Entry, hart: number): boolean {
    if (entry.on !== undefined && entry.on !== hart) return false;
    const allowed = entry.affinity === undefined ? !this.#apart.has(hart) : entry.affinity.includes(hart);
    return allowed && entry.entity.runnable;
  }

  #before(entry: Entry, best: Entry, hart: number): boolean {
    if (entry.priority !== best.priority) return entry.priority > best.priority;
    if (entry.priority > 0) return entry.on === hart;
    const ahead = this.#standing(best) - this.#standing(entry);
    // The one that runs keeps its turn, unless another is far behind.
    if (best.on === hart && best.turn > 0) return ahead > PREEMPTION;
    if (entry.on === hart && entry.turn > 0) return ahead >= -PREEMPTION;
    return ahead > 0;
  }

  #standing(entry: Entry): number {
    return Math.max(entry.virtual, this.#floor - TURN);
  }

  #checkHart(name: string, hart: number): void {
    if (Number.isInteger(hart) && hart >= 0 && hart < this.harts) return;
    throw new HypervisorError(
      'no-hart',
      `${name} wants hart ${hart}; the host has harts 0 to ${this.harts - 1}`,
    );
  }
}

function check(valid: boolean, sentence: string): void {
  if (!valid) throw new HypervisorError('bad-option', sentence);
}
