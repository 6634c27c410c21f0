import { expectSnapshot, type Clock, type Device, type EventOwner, type Snapshot } from '@vmloom/device';
import type { HandlerWidth, MmioHandler, Width } from '@vmloom/memory';

/** Values of the finisher's one register, bits 15:0; of `fail` bits 31:16 are the exit code. */
export const FINISHER_FAIL = 0x3333;
export const FINISHER_PASS = 0x5555;
export const FINISHER_RESET = 0x7777;

/** How the guest ended the run. */
export type FinishRequest =
  | { readonly kind: 'pass'; readonly code: 0 }
  | { readonly kind: 'fail'; readonly code: number }
  | { readonly kind: 'reset'; readonly code: 0 };

/** One use of the finisher through `syscon-poweroff` or `syscon-reboot` (Linux bindings power/reset). */
export interface SysconAction {
  readonly node: 'poweroff' | 'reboot';
  readonly compatible: string;
  readonly offset: number;
  readonly value: number;
}

/** How the device tree describes the finisher's poweroff and reboot as accesses to a syscon. */
export const SYSCON_ACTIONS: readonly SysconAction[] = [
  { node: 'poweroff', compatible: 'syscon-poweroff', offset: 0, value: FINISHER_PASS },
  { node: 'reboot', compatible: 'syscon-reboot', offset: 0, value: FINISHER_RESET },
];

export interface TestFinisherOptions {
  readonly clock: Clock;
  /** Called from the event queue, after the store that asked for it. */
  readonly finish: (request: FinishRequest) => void;
  /** `test` unless told. */
  readonly name?: string;
}

/** SiFive's test finisher (`sifive,test0`): one write ends the run or resets the machine. */
export class TestFinisher implements MmioHandler, Device, EventOwner {
  /** Bytes of registers. */
  static readonly SIZE = 0x1000;
  static readonly WIDTHS: readonly Width[] = [2, 4];

  readonly name: string;
  readonly #clock: Clock;
  readonly #finish: (request: FinishRequest) => void;
  #event = 0;

  constructor(options: TestFinisherOptions) {
    this.name = options.name ?? 'test';
    this.#clock = options.clock;
    this.#finish = options.finish;
    this.#clock.register(this);
  }

  read(_offset: number, _width: HandlerWidth): number {
    return 0;
  }

  write(offset: number, _width: HandlerWidth, value: number): void {
    if (offset !== 0 || this.#event !== 0) return;
    const status = value & 0xffff;
    if (status !== FINISHER_FAIL && status !== FINISHER_PASS && status !== FINISHER_RESET) return;
    this.#event = this.#clock.after(this, 'finish', 0, { status, code: value >>> 16 });
  }

  onEvent(_kind: string, args: { readonly status?: unknown; readonly code?: unknown }): void {
    this.#event = 0;
    if (args.status === FINISHER_PASS) this.#finish({ kind: 'pass', code: 0 });
    else if (args.status === FINISHER_RESET) this.#finish({ kind: 'reset', code: 0 });
    else this.#finish({ kind: 'fail', code: args.code as number });
  }

  reset(): void {
    if (this.#event !== 0) this.#clock.cancel(this.#event);
    this.#event = 0;
  }

  save(): Snapshot {
    return { type: 'test-finisher', version: 1, event: this.#event };
  }

  /** The clock is restored by its owner. @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'test-finisher', 1);
    this.#event = snapshot['event'] as number;
  }
}
