import type { PciBridge } from './bridge.js';
import type { CapabilityFields } from './capability.js';
import type { PciFunction } from './function.js';
import { INTERRUPT_LINE, COMMAND, STATUS, SECONDARY_STATUS } from './registers.js';
import type { RootComplex } from './root-complex.js';

/** What a tool shows of a function. Everything is as software sees it now. */
export interface FunctionInfo {
  readonly address: string;
  readonly name: string;
  readonly model: string;
  readonly vendor: number;
  readonly device: number;
  readonly classCode: number;
  readonly revision: number;
  readonly command: number;
  readonly status: number;
  /** 1 to 4 for INTA to INTD, 0: none. */
  readonly pin: number;
  /** Which line of the root complex (0 to 3) the pin leads to; -1: none. */
  readonly line: number;
  /** What software noted for itself. */
  readonly interruptLine: number;
  readonly interruptMode: 'intx' | 'msi' | 'msix';
  readonly bars: readonly BarInfo[];
  readonly capabilities: readonly CapabilityInfo[];
  readonly bridge: BridgeInfo | undefined;
}

export interface BarInfo {
  /** 6: the expansion ROM. */
  readonly index: number;
  readonly kind: 'memory' | 'io';
  readonly bits: 32 | 64;
  readonly prefetchable: boolean;
  /** The bus address software wrote; -1 when it is beyond 2^53. */
  readonly base: number;
  readonly size: number;
  readonly regions: readonly { name: string; offset: number; size: number }[];
}

export interface CapabilityInfo {
  readonly list: 'conventional' | 'extended';
  readonly id: number;
  readonly name: string;
  readonly offset: number;
  readonly fields: CapabilityFields;
}

export interface BridgeInfo {
  readonly primary: number;
  readonly secondary: number;
  readonly subordinate: number;
  readonly secondaryStatus: number;
  /** Bus addresses; undefined while closed. */
  readonly io: WindowInfo | undefined;
  readonly memory: WindowInfo | undefined;
  readonly prefetchable: WindowInfo | undefined;
}

export interface WindowInfo {
  readonly first: number;
  readonly last: number;
}

export function inspectFunction(root: RootComplex, fn: PciFunction): FunctionInfo {
  const { identity } = fn;
  return {
    address: fn.address,
    name: fn.name,
    model: fn.model,
    vendor: identity.vendor,
    device: identity.device,
    classCode: identity.classCode,
    revision: identity.revision ?? 0,
    command: fn.config.read(COMMAND, 2),
    status: fn.config.read(STATUS, 2),
    pin: fn.pin,
    line: fn.pin === 0 ? -1 : root.routeInterrupt(fn, fn.pin),
    interruptLine: fn.config.read(INTERRUPT_LINE, 1),
    interruptMode: fn.interrupt.mode,
    bars: [...fn.bars()].map(([index, bar]) => ({
      index,
      kind: bar.kind,
      bits: bar.bits,
      prefetchable: bar.prefetchable,
      base: bar.base,
      size: bar.size,
      regions: bar.regions.map(({ name, offset, size }) => ({ name, offset, size })),
    })),
    capabilities: fn.capabilities.map((capability) => ({
      list: capability.list,
      id: capability.id,
      name: capability.name,
      offset: capability.offset,
      fields: capability.fields(),
    })),
    bridge: fn.isBridge ? inspectBridge(fn as PciBridge) : undefined,
  };
}

function inspectBridge(bridge: PciBridge): BridgeInfo {
  const shown = ({ start, end }: { start: number; end: number }): WindowInfo | undefined =>
    start < end ? { first: start, last: end - 1 } : undefined;
  return {
    primary: bridge.primaryBusNumber,
    secondary: bridge.secondaryBusNumber,
    subordinate: bridge.subordinateBusNumber,
    secondaryStatus: bridge.config.read(SECONDARY_STATUS, 2),
    io: shown(bridge.ioWindow),
    memory: shown(bridge.memoryWindow),
    prefetchable: shown(bridge.prefetchableWindow),
  };
}

/** Every function of a root complex, each bridge before what is below it. */
export function inspectFabric(root: RootComplex): readonly FunctionInfo[] {
  return [...root.functions()].map((fn) => inspectFunction(root, fn));
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** `info pci` of a monitor: one paragraph per function. */
export function describeFabric(root: RootComplex): string {
  return inspectFabric(root).map(describeFunction).join('\n');
}

function describeFunction(info: FunctionInfo): string {
  const { address, name, vendor, device, classCode, pin, line } = info;
  const lines = [`${address} ${name}: class ${hex(classCode >>> 8, 4)}, ${hex(vendor, 4)}:${hex(device, 4)}`];
  if (pin !== 0) lines.push(`  INT${'ABCD'[pin - 1]} to line ${line}, ${info.interruptMode} in use`);
  if (info.bridge !== undefined) {
    const { primary, secondary, subordinate, ...windows } = info.bridge;
    lines.push(`  buses: primary ${primary}, secondary ${secondary}, subordinate ${subordinate}`);
    for (const kind of ['io', 'memory', 'prefetchable'] as const) {
      const window = windows[kind];
      if (window !== undefined) lines.push(`  ${kind} window: ${range(window.first, window.last)}`);
    }
  }
  for (const bar of info.bars) {
    const what = `${bar.prefetchable ? 'prefetchable ' : ''}${bar.bits}-bit ${bar.kind}`;
    lines.push(`  ${bar.index === 6 ? 'ROM' : `BAR ${bar.index}`}: ${what}, ${barRange(bar)}`);
  }
  return lines.join('\n');
}

const range = (first: number, last: number): string => `0x${hex(first, 8)} to 0x${hex(last, 8)}`;
const barRange = ({ base, size }: BarInfo): string =>
  base < 0 ? `${size} bytes, not placed` : range(base, base + size - 1);

/**
 * The configuration space of functions as `lspci -xxx` prints it (-xxxx for those of PCI Express), fit to be read
 * back by `lspci -F`.
 */
export function dumpConfiguration(functions: Iterable<PciFunction>): string {
  let text = '';
  for (const fn of functions) {
    const { vendor, device, classCode } = fn.identity;
    text += `${fn.address} ${hex(classCode >>> 8, 4)}: ${hex(vendor, 4)}:${hex(device, 4)}\n`;
    const bytes = fn.config.bytes(fn.configSize);
    for (let at = 0; at < bytes.length; at += 16) {
      const row = [...bytes.subarray(at, at + 16)].map((byte) => hex(byte, 2)).join(' ');
      text += `${hex(at, 2)}: ${row}\n`;
    }
    text += '\n';
  }
  return text;
}
