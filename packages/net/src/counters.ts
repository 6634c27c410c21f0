import type { Counter, Ledger } from '@vmloom/device';

/** Why a frame was dropped. Its owner in the ledger says who dropped it. */
export const DROP_REASONS = [
  // The carrier is off.
  'down',
  // Nobody is attached to the far end.
  'unattached',
  // The wire lost it.
  'loss',
  // The queue has reached its bound.
  'queue-full',
  // The receiver has no room and the policy is to drop.
  'blocked',
  // Longer than any frame here may be.
  'oversize',
  // Shorter than an Ethernet header.
  'runt',
  // It came back to a switch or hub that is still forwarding it.
  'loop',
  // Its source is a group address.
  'bad-source',
  // Its destination is one that bridges do not forward.
  'reserved',
  // Its VLAN is not one of the port.
  'vlan',
  // What it leaves undone does not fit its headers.
  'offload',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What went through one port and what it dropped: counters of the ledger under the port's name. */
export class PortCounters {
  readonly sentFrames: Counter;
  readonly sentBytes: Counter;
  readonly receivedFrames: Counter;
  readonly receivedBytes: Counter;
  readonly #drops: ReadonlyMap<DropReason, Counter>;

  constructor(ledger: Ledger, owner: string) {
    this.sentFrames = ledger.counter(owner, 'frames', 'sent');
    this.sentBytes = ledger.counter(owner, 'bytes', 'sent');
    this.receivedFrames = ledger.counter(owner, 'frames', 'received');
    this.receivedBytes = ledger.counter(owner, 'bytes', 'received');
    this.#drops = new Map(DROP_REASONS.map((reason) => [reason, ledger.counter(owner, 'drop', reason)]));
  }

  sent(bytes: number): void {
    this.sentFrames.value++;
    this.sentBytes.value += bytes;
  }

  received(bytes: number): void {
    this.receivedFrames.value++;
    this.receivedBytes.value += bytes;
  }

  drop(reason: DropReason): void {
    this.#drops.get(reason)!.value++;
  }

  /** Frames dropped for one reason, or for all. */
  dropped(reason?: DropReason): number {
    if (reason !== undefined) return this.#drops.get(reason)!.value;
    let sum = 0;
    for (const counter of this.#drops.values()) sum += counter.value;
    return sum;
  }

  save(): { readonly [name: string]: number } {
    return Object.fromEntries(this.#all().map(([name, counter]) => [name, counter.value]));
  }

  restore(saved: { readonly [name: string]: number }): void {
    for (const [name, counter] of this.#all()) counter.value = saved[name] ?? 0;
  }

  #all(): [string, Counter][] {
    return [
      ['sentFrames', this.sentFrames],
      ['sentBytes', this.sentBytes],
      ['receivedFrames', this.receivedFrames],
      ['receivedBytes', this.receivedBytes],
      ...this.#drops,
    ];
  }
}
