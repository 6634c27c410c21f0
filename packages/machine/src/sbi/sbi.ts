import { expectSnapshot, type Clock, type Device, type EventOwner, type Snapshot } from '@vmloom/device';
import type { AddressSpace } from '@vmloom/memory';
import { BaseExtension } from './base.js';
import { EID_LEGACY_GETCHAR, EID_LEGACY_PUTCHAR, SBI_ERR_NOT_SUPPORTED } from './codes.js';
import { DbcnExtension, type SbiConsole } from './dbcn.js';
import { HSM_STOPPED, HsmExtension, type HsmState } from './hsm.js';
import { IpiExtension } from './ipi.js';
import { isLegacy, legacyCall } from './legacy.js';
import { PmuExtension } from './pmu.js';
import { RfenceExtension } from './rfence.js';
import { sbiRet, type SbiExtension } from './sbi-extension.js';
import type { SbiHart } from './sbi-hart.js';
import { SrstExtension, type SbiResetRequest } from './srst.js';
import { TimeExtension } from './time.js';

const A0 = 10;
const A1 = 11;
const A6 = 16;
const A7 = 17;
const ARGUMENTS = 6;

export interface SbiOptions {
  readonly clock: Clock;
  readonly space: AddressSpace;
  readonly harts: readonly SbiHart[];
  /** The hart that is started at power-on; the first one's id unless told. */
  readonly bootHart?: number;
  readonly console: SbiConsole;
  /** Called from the event queue, after the call that asked for it. */
  readonly onReset: (request: SbiResetRequest) => void;
  /** Ticks of the `time` CSR in a second; 10,000,000 unless told. */
  readonly frequency?: number;
  /** What the `time` CSR is ahead of the clock, in ticks; 0 unless told. */
  readonly timeOffset?: () => bigint;
  /** The harts have Sstc, and S-mode may use it. False unless told. */
  readonly sstc?: boolean;
  /** `sbi` unless told. */
  readonly name?: string;
}

/**
 * The supervisor binary interface 2.0, served by the host in place of M-mode firmware. An S-mode `ecall`
 * comes to {@link handle} with pc behind it; before it runs a hart the host asks {@link runnable}.
 */
export class Sbi implements Device, EventOwner {
  readonly name: string;
  readonly #clock: Clock;
  readonly #harts: readonly SbiHart[];
  readonly #console: SbiConsole;
  readonly #onReset: (request: SbiResetRequest) => void;
  readonly #extensions: ReadonlyMap<number, SbiExtension>;
  readonly #time: TimeExtension;
  readonly #hsm: HsmExtension;
  readonly #pmu: PmuExtension;
  #resetEvent = 0;

  constructor(options: SbiOptions) {
    const { clock, space, harts } = options;
    this.name = options.name ?? 'sbi';
    this.#clock = clock;
    this.#harts = harts;
    this.#console = options.console;
    this.#onReset = options.onReset;
    this.#pmu = new PmuExtension(harts);
    const { count } = this.#pmu;
    this.#time = new TimeExtension({
      clock,
      owner: this,
      frequency: BigInt(options.frequency ?? 10_000_000),
      timeOffset: options.timeOffset ?? (() => 0n),
      sstc: options.sstc ?? false,
      count,
    });
    this.#hsm = new HsmExtension({
      harts,
      bootHart: options.bootHart ?? harts[0]?.id ?? 0,
      space,
      onStop: (hart) => this.#time.cancel(hart),
    });
    const isStopped = (hart: number): boolean => this.#hsm.state(hart) === HSM_STOPPED;
    const extensions: SbiExtension[] = [
      new BaseExtension((eid) => this.#has(idOf(eid))),
      this.#time,
      new IpiExtension(harts, isStopped, count),
      new RfenceExtension(harts, isStopped, count),
      this.#hsm,
      new SrstExtension((request) => this.#requestReset(request)),
      this.#pmu,
      new DbcnExtension(space, options.console),
    ];
    this.#extensions = new Map(extensions.map((extension) => [extension.eid, extension]));
    clock.register(this);
  }

  /** Serves the call of a hart that executed `ecall` in S-mode: a7 the extension, a6 the function, a0 to a5. */
  handle(hart: SbiHart): void {
    const eid = idOf(hart.readX(A7));
    if (isLegacy(eid)) {
      hart.writeX(A0, BigInt.asUintN(64, BigInt(legacyCall(eid, hart.readX(A0), this.#console))));
      return;
    }
    const args = Array.from({ length: ARGUMENTS }, (_, index) => hart.readX(A0 + index));
    const fid = idOf(hart.readX(A6));
    const { error, value } =
      this.#extensions.get(eid)?.call({ hart, fid, args }) ?? sbiRet(SBI_ERR_NOT_SUPPORTED);
    hart.writeX(A0, BigInt.asUintN(64, BigInt(error)));
    hart.writeX(A1, BigInt.asUintN(64, value ?? 0n));
  }

  /**
   * Whether a hart executes: neither stopped nor suspended. A suspended hart with an enabled interrupt
   * pending is resumed by this question, so ask it after events and before each slice.
   */
  runnable(hart: SbiHart): boolean {
    return this.#hsm.runnable(hart);
  }

  /** The state of a hart as hart_get_status tells it: 0 started, 1 stopped, 4 suspended. */
  hartState(hart: number): HsmState {
    return this.#hsm.state(hart);
  }

  onEvent(kind: string, args: { readonly [name: string]: unknown }): void {
    if (kind === 'timer') {
      const hart = this.#harts.find(({ id }) => id === args['hart']);
      if (hart !== undefined) this.#time.expire(hart);
      return;
    }
    this.#resetEvent = 0;
    this.#onReset({
      type: args['type'] as SbiResetRequest['type'],
      reason: args['reason'] as SbiResetRequest['reason'],
    });
  }

  /** All harts but the boot hart are stopped, no timer is due. The harts are reset by their owner. */
  reset(): void {
    for (const hart of this.#harts) this.#time.cancel(hart);
    if (this.#resetEvent !== 0) this.#clock.cancel(this.#resetEvent);
    this.#resetEvent = 0;
    this.#hsm.reset();
    this.#pmu.reset();
  }

  save(): Snapshot {
    return {
      type: 'sbi',
      version: 1,
      time: this.#time.save(),
      hsm: this.#hsm.save(),
      pmu: this.#pmu.save(),
      resetEvent: this.#resetEvent,
    };
  }

  /** The clock is restored by its owner, with the events of this SBI in it. @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'sbi', 1);
    this.#time.restore(snapshot['time'] as unknown as ReturnType<TimeExtension['save']>);
    this.#hsm.restore(snapshot['hsm'] as unknown as ReturnType<HsmExtension['save']>);
    this.#pmu.restore(snapshot['pmu'] as unknown as ReturnType<PmuExtension['save']>);
    this.#resetEvent = snapshot['resetEvent'] as number;
  }

  #has(eid: number): boolean {
    return this.#extensions.has(eid) || eid === EID_LEGACY_PUTCHAR || eid === EID_LEGACY_GETCHAR;
  }

  #requestReset(request: SbiResetRequest): void {
    if (this.#resetEvent === 0) this.#resetEvent = this.#clock.after(this, 'reset', 0, { ...request });
  }
}

/** An extension or function id: no id is above 31 bits, nor negative; -1 stands for what is none (SBI 3). */
const idOf = (register: bigint): number => (register <= 0x7fff_ffffn ? Number(register) : -1);
