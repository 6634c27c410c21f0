import type { SnapshotValue } from '@vmloom/device';

/** The pool that frames from the wire come from. */
export const WIRE = -1;

/**
 * The frame that is being placed: what the switch and the filters know of it. One object, reused; valid during the
 * call that hands it over.
 */
export interface Packet {
  /** Its first bytes, with any VLAN tag; at least 60 of them are there, fewer than 256 only in a shorter frame. */
  readonly header: Uint8Array;
  /** Bytes in `header`. */
  readonly headerLength: number;
  /** Bytes of the frame, without FCS. */
  readonly length: number;
  /** Its tag (TCI) when the type at byte 12 is VET's, else -1. */
  readonly tag: number;
}

/** Where a frame goes: receive queues, each with the pool that it belongs to. One object, reused. */
export class Targets {
  readonly pools = new Uint8Array(32);
  readonly queues = new Uint8Array(32);
  count = 0;

  clear(): void {
    this.count = 0;
  }

  /** @throws RangeError when there are more targets than queues and mirrors */
  add(pool: number, queue: number): void {
    if (this.count === this.pools.length)
      throw new RangeError('a frame has more targets than there are queues');
    this.pools[this.count] = pool;
    this.queues[this.count++] = queue;
  }
}

/** What the switch says of a frame that a pool sends. */
export interface Egress {
  /** False: the sender may not send it (anti-spoof); the switch has counted it. */
  allowed: boolean;
  /** It goes out on the wire. */
  wire: boolean;
}

/**
 * How frames find pools when the controller is shared: the embedded switch (7.10.3). Without pools (MRQC modes without
 * VMDq) the controller's own filters decide and no steering is asked.
 */
export interface Steering {
  /**
   * The pools, with their queue ({@link PoolQueues.queueOf}), that get a frame: from the wire ({@link WIRE}) or, in
   * loopback, from pool `source`. None: it is dropped, and counted by the switch.
   */
  ingress(packet: Packet, source: number, targets: Targets): void;
  /** A frame that pool `source` sends: whether it may, whether the wire gets it; local receivers go into `targets`. */
  egress(packet: Packet, source: number, targets: Targets, egress: Egress): void;
  /** CTRL.RST or power-on: the registers have their reset values. */
  reset(): void;
  save(): SnapshotValue;
  restore(value: SnapshotValue): void;
}

/** What the controller tells a switch about queues. */
export interface PoolQueues {
  /** The queue of a pool that the frame at hand belongs to: n or n + 8, by RSS where MRQC and VMOLR allow it. */
  queueOf(pool: number): number;
}

/** What holds a queue back so that its function keeps to its rate (8.12.x). */
export interface Pacer {
  /** When (nanoseconds of the clock) the queue may start its next frame. */
  readyAt(queue: number): number;
  /** A frame of `bytes`, without FCS, left the queue. */
  sent(queue: number, bytes: number): void;
}
