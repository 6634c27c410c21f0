import type { Counter } from '@vmloom/device';
import type { AddressSpace, Mapping, MmioHandler } from '@vmloom/memory';
import type { Bar } from './bar.js';
import type { PciBridge } from './bridge.js';
import type { PciBus } from './bus.js';
import type { PciFunction } from './function.js';
import { intersect, subtract, type Range } from './ranges.js';

/** A stretch of the host's addresses that leads to the bus. */
export interface HostWindow {
  readonly name: string;
  readonly kind: 'memory' | 'io';
  /** In the address space, and on the bus. */
  readonly base: number;
  readonly busBase: number;
  readonly size: number;
}

/** A piece of a BAR that answers: host addresses, and where they lie in the region. */
interface Claim {
  readonly key: string;
  readonly fn: PciFunction;
  readonly bar: Bar;
  readonly region: Bar['regions'][number];
  readonly base: number;
  readonly size: number;
  readonly offset: number;
}

// Below RAM and everything else of the board, whose regions have priority 0: a BAR never hides RAM.
const PRIORITY_BAR = -1;
const PRIORITY_WINDOW = -2;

/**
 * Keeps the address space in step with the registers: which BAR answers where. A BAR answers inside the windows
 * of all bridges above it and of the host, nowhere else. Where BARs overlap, the one that comes first in the
 * tree wins, whatever was written first.
 */
export class Decoder {
  readonly #mapped = new Map<string, Mapping>();

  constructor(
    private readonly space: AddressSpace,
    private readonly windows: readonly HostWindow[],
    private readonly root: PciBus,
    private readonly exits: ((reason: string) => Counter) | undefined,
  ) {
    for (const window of windows) {
      space.mapMmio({
        name: window.name,
        base: window.base,
        size: window.size,
        handler: counted(this.#unclaimed(window), exits?.(window.name)),
        priority: PRIORITY_WINDOW,
      });
    }
  }

  /** Maps what should be mapped and is not, unmaps what should not. */
  update(): void {
    const wanted = new Map<string, Claim>();
    for (const kind of ['memory', 'io'] as const) {
      const ranges = this.windows.filter((window) => window.kind === kind).map(busRange);
      const taken: Range[] = [];
      for (const claim of this.#claims(this.root, kind, ranges, taken)) wanted.set(claim.key, claim);
    }
    for (const [key, mapping] of this.#mapped) {
      if (wanted.has(key)) continue;
      mapping.unmap();
      this.#mapped.delete(key);
    }
    for (const [key, claim] of wanted) {
      if (!this.#mapped.has(key)) this.#mapped.set(key, this.#map(claim));
    }
  }

  #map({ fn, bar, region, base, size, offset }: Claim): Mapping {
    const handler = offset === 0 ? region.handler : shifted(region.handler, offset);
    const access = fn.direct ? 'direct' : region.access;
    const exits = access === 'direct' ? undefined : this.exits?.(`${fn.shortName}/${region.name}`);
    return this.space.mapMmio({
      name: `${fn.name}/${bar.name}/${region.name}`,
      base,
      size,
      handler: counted(handler, exits),
      ...(region.widths && { widths: region.widths }),
      ...(region.unaligned && { unaligned: true }),
      ...(access && { access }),
      priority: PRIORITY_BAR,
    });
  }

  *#claims(bus: PciBus, kind: 'memory' | 'io', ranges: readonly Range[], taken: Range[]): Generator<Claim> {
    if (ranges.length === 0) return;
    for (const fn of bus.functions) {
      for (const bar of activeBars(fn, kind)) {
        const whole = { start: bar.base, end: bar.base + bar.size };
        const claimed = subtract(intersect([whole], ranges), taken);
        taken.push(...claimed);
        for (const range of claimed) yield* this.#pieces(fn, bar, range);
      }
      if (fn.isBridge) {
        const bridge = fn as PciBridge;
        yield* this.#claims(bridge.secondaryBus, kind, intersect(ranges, bridge.windows(kind)), taken);
      }
    }
  }

  *#pieces(fn: PciFunction, bar: Bar, range: Range): Generator<Claim> {
    const window = this.windows.find((one) => one.kind === bar.kind && contains(busRange(one), range.start))!;
    for (const region of bar.regions) {
      const first = bar.base + region.offset;
      const [piece] = intersect([{ start: first, end: first + region.size }], [range]);
      if (piece === undefined) continue;
      const base = piece.start - window.busBase + window.base;
      const size = piece.end - piece.start;
      const offset = piece.start - first;
      const key = `${fn.name}/${bar.name}/${region.name}@${base}+${size}:${offset}`;
      yield { key, fn, bar, region, base, size, offset };
    }
  }

  /** Inside a window, but nobody answers: an unsupported request, seen by the bridge that passed it on. */
  #unclaimed(window: HostWindow): MmioHandler {
    const aborted = (offset: number): void => {
      const address = window.busBase + offset;
      let last: PciBridge | undefined;
      for (let bus: PciBus | undefined = this.root; bus !== undefined;) {
        const next: PciBridge | undefined = forwarder(bus, window.kind, address);
        last = next ?? last;
        bus = next?.secondaryBus;
      }
      last?.noteMasterAbort();
    };
    return {
      read: (offset, width) => {
        aborted(offset);
        return 2 ** (8 * width) - 1;
      },
      write: (offset) => aborted(offset),
    };
  }
}

function forwarder(bus: PciBus, kind: 'memory' | 'io', address: number): PciBridge | undefined {
  for (const fn of bus.functions) {
    if (!fn.isBridge) continue;
    const bridge = fn as PciBridge;
    if (bridge.windows(kind).some((range) => contains(range, address))) return bridge;
  }
  return undefined;
}

function* activeBars(fn: PciFunction, kind: 'memory' | 'io'): Generator<Bar> {
  if (!fn.decodes(kind)) return;
  for (const [, bar] of fn.bars()) if (bar.kind === kind && bar.enabled && bar.base >= 0) yield bar;
}

const busRange = (window: HostWindow): Range => ({
  start: window.busBase,
  end: window.busBase + window.size,
});
const contains = (range: Range, address: number): boolean => address >= range.start && address < range.end;

function shifted(handler: MmioHandler, by: number): MmioHandler {
  return {
    read: (offset, width) => handler.read(offset + by, width),
    write: (offset, width, value) => handler.write(offset + by, width, value),
  };
}

/** The same registers, with every access counted; themselves when there is nothing to count with. */
export function counted(handler: MmioHandler, counter: Counter | undefined): MmioHandler {
  if (counter === undefined) return handler;
  return {
    read: (offset, width) => {
      counter.value++;
      return handler.read(offset, width);
    },
    write: (offset, width, value) => {
      counter.value++;
      handler.write(offset, width, value);
    },
  };
}
