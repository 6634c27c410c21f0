import {
  expectSnapshot,
  type Clock,
  type Counter,
  type EventArguments,
  type Ledger,
  type Snapshot,
} from '@vmloom/device';
import { FrameQueue, type Frame, type Port, type PortOwner } from '@vmloom/net';
import type { Account } from './account.js';
import { nanoseconds, type CostParameter } from './preset.js';
import type { Executor, Work, Worker } from './work.js';

/** What a back end charges for each frame. */
export interface Tariff {
  /** A frame, in either direction: the parameters of the preset that it costs, once each. */
  readonly packet: readonly CostParameter[];
  /** How often the processor copies a frame that the guest sends, and one that it receives. */
  readonly copiesSent: number;
  readonly copiesReceived: number;
}

export interface BackEndOptions {
  /** The device's name on the clock, whose events are work of this back end. */
  readonly device: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Of the virtual machine that causes the work. */
  readonly account: Account;
  readonly executor: Executor;
  readonly tariff: Tariff;
  /** Frames that may wait for the device, as in a tap's queue; more are lost and counted. 1000 unless told. */
  readonly backlog?: number;
}

const BACKLOG = 1000;
const NO_ARGUMENTS: EventArguments = {};

/**
 * The host's half of a virtual NIC: the device model's events and the frames for it become work of an executor, which
 * does it when it has a hart and is charged for it. The device gets {@link port} in place of the wire.
 */
export class BackEnd implements Worker, PortOwner {
  readonly name: string;
  readonly #clock: Clock;
  readonly #account: Account;
  readonly #executor: Executor;
  readonly #tariff: Tariff;
  readonly #backlog: number;
  readonly #device: string;
  readonly #frames = new FrameQueue();
  readonly #copies: Readonly<Record<'tx' | 'rx', Counter>>;
  readonly #copied: Readonly<Record<'tx' | 'rx', Counter>>;
  readonly #lost: Counter;
  #inner: Port | undefined;
  #owner: PortOwner | undefined;
  /** The device had no room for the first frame. */
  #blocked = false;
  #cost = 0;
  #performing = false;

  constructor(options: BackEndOptions) {
    const { ledger, device } = options;
    this.#device = device;
    this.name = `${device}.back-end`;
    this.#clock = options.clock;
    this.#account = options.account;
    this.#executor = options.executor;
    this.#tariff = options.tariff;
    this.#backlog = options.backlog ?? BACKLOG;
    const copy = (event: string, reason: string): Counter => ledger.counter(device, event, reason);
    this.#copies = { tx: copy('frame-copy', 'tx'), rx: copy('frame-copy', 'rx') };
    this.#copied = { tx: copy('copied-bytes', 'tx'), rx: copy('copied-bytes', 'rx') };
    this.#lost = ledger.counter(device, 'rx-drop', 'backlog');
    this.#clock.divert(device, (kind, args) => this.#submit('event', kind, args));
  }

  /** Puts the back end between the device and its wire: what comes back is the device's port. */
  port(inner: Port): Port {
    this.#inner = inner;
    inner.attach(this);
    return {
      name: inner.name,
      get up() {
        return inner.up;
      },
      send: (frame) => this.#send(inner, frame),
      attach: (owner) => void (this.#owner = owner),
      ready: () => this.#ready(),
    };
  }

  perform(work: Work): number {
    this.#cost = 0;
    this.#performing = true;
    try {
      if (work.kind === 'frame') this.#deliver();
      else this.#clock.owner(this.#device)?.onEvent(work.event, work.args);
    } finally {
      this.#performing = false;
    }
    return this.#cost + this.#dispatch();
  }

  // PortOwner, for the wire ---------------------------------------------------------------------------------

  receive(frame: Frame): boolean {
    if (this.#frames.count >= this.#backlog) {
      this.#lost.value++;
      return true;
    }
    this.#frames.push(frame, 0, 0);
    if (!this.#blocked) this.#submit('frame', '', NO_ARGUMENTS);
    return true;
  }

  writable(): void {
    this.#owner?.writable?.();
  }

  linkChanged(up: boolean): void {
    this.#owner?.linkChanged?.(up);
  }

  /** The device is gone: its events are nobody's work, and what waited is lost. */
  close(): void {
    this.#clock.divert(this.#device, undefined);
    this.#frames.clear();
    this.#inner?.attach({ receive: () => true });
  }

  save(): Snapshot {
    return {
      type: 'back-end',
      version: 1,
      blocked: this.#blocked,
      frames: this.#frames.save(),
    };
  }

  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'back-end', 1);
    this.#blocked = snapshot['blocked'] as boolean;
    this.#frames.restore(snapshot['frames'] as unknown as ReturnType<FrameQueue['save']>);
  }

  #submit(kind: Work['kind'], event: string, args: EventArguments): void {
    this.#executor.submit({ when: this.#clock.now, to: this, kind, event, args });
  }

  #send(inner: Port, frame: Frame): boolean {
    const { length } = frame;
    if (!inner.send(frame)) return false;
    this.#chargeFrame('tx', length, this.#tariff.copiesSent);
    return true;
  }

  /** Looking costs too; a side core that looked in vain has polled. */
  #dispatch(): number {
    const account = this.#account;
    if (this.#cost > 0 || this.#executor.polls !== true) return account.charge('backEndEvent');
    const time = nanoseconds(account.preset, account.preset.backEndEvent);
    account.spend('poll', time);
    return time;
  }

  #deliver(): void {
    if (this.#frames.count === 0 || this.#blocked) return;
    const frame = this.#frames.peek();
    const { length } = frame;
    if (this.#owner?.receive(frame) === false) {
      this.#blocked = true;
      return;
    }
    this.#frames.pop();
    this.#chargeFrame('rx', length, this.#tariff.copiesReceived);
  }

  /** The device has room again. */
  #ready(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    for (let count = this.#frames.count; count > 0; count--) this.#submit('frame', '', NO_ARGUMENTS);
  }

  #chargeFrame(direction: 'tx' | 'rx', length: number, copies: number): void {
    const account = this.#account;
    let time = 0;
    for (const parameter of this.#tariff.packet) time += account.charge(parameter);
    if (copies > 0) {
      this.#copies[direction].value += copies;
      this.#copied[direction].value += copies * length;
      time += account.charge('copyByte', copies * length);
    }
    if (this.#performing) this.#cost += time;
  }
}
