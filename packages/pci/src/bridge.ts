import type { ConfigRegister } from './config-space.js';
import type { ConfigEffect, ResetKind } from './effects.js';
import { PciBus, type PlugOptions } from './bus.js';
import { PciFunction, type PciFunctionOptions } from './function.js';
import type { Range } from './ranges.js';
import * as R from './registers.js';

export interface PciBridgeOptions extends PciFunctionOptions {
  /** Its secondary bus is a PCI Express link (device 0 only) or a bus with 32 slots. */
  readonly secondary: 'link' | 'bus';
}

const WINDOW_TYPE_64 = 1;
const UNIT = 0x10_0000;
const IO_UNIT = 0x1000;

/** A function with a type 1 header: what is below it answers through its windows (PCIe 7.5.1.3). */
export abstract class PciBridge extends PciFunction {
  readonly secondaryBus: PciBus;

  constructor(options: PciBridgeOptions) {
    super(options, 'bridge');
    this.config.define(...bridgeRegisters());
    this.secondaryBus = new PciBus(
      this,
      options.secondary === 'link',
      `the bus below ${options.name ?? this.model}`,
    );
  }

  override get isBridge(): boolean {
    return true;
  }

  /** Plugs a function in below the bridge. @throws PciError as {@link PciBus.plug} */
  plug<T extends PciFunction>(fn: T, options?: PlugOptions): T {
    return this.secondaryBus.plug(fn, options);
  }

  get primaryBusNumber(): number {
    return this.config.read(R.PRIMARY_BUS, 1);
  }

  get secondaryBusNumber(): number {
    return this.config.read(R.SECONDARY_BUS, 1);
  }

  get subordinateBusNumber(): number {
    return this.config.read(R.SUBORDINATE_BUS, 1);
  }

  /** True while configuration requests for the bus are passed down. */
  claimsBus(bus: number): boolean {
    return this.reachable && bus >= this.secondaryBusNumber && bus <= this.subordinateBusNumber;
  }

  /** False while nothing below can be reached: secondary bus in reset, bridge not in D0, link down. */
  get reachable(): boolean {
    return (
      this.powerState === 'D0' && (this.config.read(R.BRIDGE_CONTROL, 2) & R.BRIDGE_SECONDARY_RESET) === 0
    );
  }

  /** True when functions 8 to 255 of the link below are addressed as such (PCIe 6.13). */
  get ariForwarding(): boolean {
    return false;
  }

  /** The bus addresses that are passed down, as long as the command register lets them. */
  windows(kind: 'memory' | 'io'): Range[] {
    if (!this.decodes(kind) || !this.reachable) return [];
    const all = kind === 'io' ? [this.ioWindow] : [this.memoryWindow, this.prefetchableWindow];
    return all.filter((window) => window.start < window.end);
  }

  /** Bus addresses; end at or below start when the window is closed. */
  get ioWindow(): Range {
    const base = (this.config.read(R.IO_BASE, 1) & 0xf0) << 8;
    const limit = (this.config.read(R.IO_LIMIT, 1) & 0xf0) << 8;
    return { start: base, end: limit + IO_UNIT > base ? limit + IO_UNIT : base };
  }

  get memoryWindow(): Range {
    return window(this.#word(R.MEMORY_BASE), this.#word(R.MEMORY_LIMIT));
  }

  get prefetchableWindow(): Range {
    const upper = (at: number): number => this.config.read(at, 4) * 0x1_0000_0000;
    return window(
      this.#word(R.PREFETCHABLE_BASE) + upper(R.PREFETCHABLE_BASE_UPPER),
      this.#word(R.PREFETCHABLE_LIMIT) + upper(R.PREFETCHABLE_LIMIT_UPPER),
    );
  }

  /**
   * A request that the bridge passed down was answered by nobody. A PCI Express port notes that of its own
   * requests only (PCIe 7.5.1.3.7); a bridge to a conventional bus was the master that aborted.
   */
  noteMasterAbort(): void {}

  /** A reset of a bridge resets everything below (PCIe 6.6.1). */
  override reset(kind: ResetKind = 'power-on'): void {
    super.reset(kind);
    this.resetSecondary(kind === 'power-on' ? kind : 'bus');
  }

  resetSecondary(kind: ResetKind): void {
    for (const fn of this.secondaryBus.plugged) fn.reset(kind);
  }

  #word(at: number): number {
    return (this.config.read(at, 2) & 0xfff0) * 0x1_0000;
  }
}

function window(base: number, limit: number): Range {
  return { start: base, end: limit >= base ? limit + UNIT : base };
}

function bridgeRegisters(): readonly ConfigRegister[] {
  const busNumbers = (): ConfigEffect => ({ kind: 'bus-numbers' });
  const moved = (): ConfigEffect => ({ kind: 'decode', cause: 'window' });
  return [
    { name: 'primary bus', offset: R.PRIMARY_BUS, size: 1, write: 0xff, effect: busNumbers },
    { name: 'secondary bus', offset: R.SECONDARY_BUS, size: 1, write: 0xff, effect: busNumbers },
    { name: 'subordinate bus', offset: R.SUBORDINATE_BUS, size: 1, write: 0xff, effect: busNumbers },
    { name: 'io base', offset: R.IO_BASE, size: 1, write: 0xf0, effect: moved },
    { name: 'io limit', offset: R.IO_LIMIT, size: 1, write: 0xf0, effect: moved },
    { name: 'secondary status', offset: R.SECONDARY_STATUS, size: 2, clear: R.STATUS_ERRORS },
    { name: 'memory base', offset: R.MEMORY_BASE, size: 2, write: 0xfff0, effect: moved },
    { name: 'memory limit', offset: R.MEMORY_LIMIT, size: 2, write: 0xfff0, effect: moved },
    {
      name: 'prefetchable base',
      offset: R.PREFETCHABLE_BASE,
      size: 2,
      value: WINDOW_TYPE_64,
      write: 0xfff0,
      effect: moved,
    },
    {
      name: 'prefetchable limit',
      offset: R.PREFETCHABLE_LIMIT,
      size: 2,
      value: WINDOW_TYPE_64,
      write: 0xfff0,
      effect: moved,
    },
    {
      name: 'prefetchable base upper',
      offset: R.PREFETCHABLE_BASE_UPPER,
      size: 4,
      write: 0xffff_ffff,
      effect: moved,
    },
    {
      name: 'prefetchable limit upper',
      offset: R.PREFETCHABLE_LIMIT_UPPER,
      size: 4,
      write: 0xffff_ffff,
      effect: moved,
    },
    {
      name: 'bridge control',
      offset: R.BRIDGE_CONTROL,
      size: 2,
      write: R.BRIDGE_PARITY_RESPONSE | R.BRIDGE_SERR | R.BRIDGE_SECONDARY_RESET,
      effect: ({ before, after }) => {
        if (((before ^ after) & R.BRIDGE_SECONDARY_RESET) === 0) return undefined;
        const reset: ConfigEffect = { kind: 'secondary-reset' };
        return (after & R.BRIDGE_SECONDARY_RESET) !== 0 ? reset : moved();
      },
    },
  ];
}
