import { describe, expect, it } from 'vitest';
import type { PciBridge } from './bridge.js';
import { AerCapability } from './capabilities/aer.js';
import { ExpressCapability } from './capabilities/express.js';
import { MsiCapability } from './capabilities/msi.js';
import { MsixCapability } from './capabilities/msix.js';
import { PowerCapability } from './capabilities/power.js';
import type { PciFunction } from './function.js';
import { ConventionalBridge, RootPort, SwitchDownstreamPort, SwitchUpstreamPort } from './port.js';
import { intersect, type Range } from './ranges.js';
import * as R from './registers.js';
import { FakeFunction, FakeHost, RAM_BASE } from './testing/index.js';

/** A small generator with a full period of 2^32: the same numbers on every run. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
}

function endpoint(): FakeFunction {
  const fn = new FakeFunction();
  fn.addBar(1, { kind: 'io', size: 64, regions: [{ name: 'ports', handler: fn.registers }] });
  fn.addBar(2, {
    kind: 'memory',
    size: 0x4000,
    bits: 64,
    prefetchable: true,
    regions: [{ name: 'data', offset: 0x1000, size: 0x800, handler: fn.registers }],
  });
  fn.addRom(new Uint8Array(3000));
  fn.addCapability(new PowerCapability());
  fn.addCapability(new MsiCapability({ vectors: 8 }));
  fn.addCapability(new MsixCapability({ vectors: 5, bar: 2, tableOffset: 0x2000 }));
  fn.addCapability(new ExpressCapability({ type: 'endpoint', functionReset: true }));
  fn.addCapability(new AerCapability());
  return fn;
}

function build(): FakeHost {
  const host = new FakeHost();
  const upstream = host.root.plug(new RootPort()).plug(new SwitchUpstreamPort());
  upstream.plug(new SwitchDownstreamPort(), { slot: 0 }).plug(endpoint());
  const last = upstream.plug(new SwitchDownstreamPort({ slot: { number: 1 } }), { slot: 1 });
  last.plug(endpoint());
  host.root.plug(new ConventionalBridge()).plug(endpoint(), { slot: 7 });
  host.root.plug(endpoint(), { slot: 9 });
  host.root.plug(endpoint(), { slot: 9, function: 1 });
  host.root.plug(new RootPort({ slot: { number: 2 } }));
  host.enumerate();
  return host;
}

/** The bus addresses that the registers of all bridges above let through to a function. */
function reachable(host: FakeHost, fn: PciFunction, kind: 'memory' | 'io'): Range[] {
  let ranges: Range[] = host.root.windows
    .filter((window) => window.kind === kind)
    .map(({ busBase, size }) => ({ start: busBase, end: busBase + size }));
  for (
    let bridge: PciBridge | undefined = fn.bus?.bridge;
    bridge !== undefined;
    bridge = bridge.bus?.bridge
  ) {
    ranges = intersect(ranges, bridge.windows(kind));
  }
  return ranges;
}

/** Everything mapped of a function is inside its enabled BARs and all windows above; RAM and ECAM are whole. */
function checkMap(host: FakeHost): void {
  const regions = [...host.space.regions()];
  expect(regions.find(({ name }) => name === 'ram')).toEqual({
    name: 'ram',
    base: RAM_BASE,
    size: 0x10_0000,
  });
  expect(regions.find(({ name }) => name === 'pcie-ecam')).toMatchObject({
    base: 0x3000_0000,
    size: 0x1000_0000,
  });
  for (const { name, base, size } of regions) {
    const [owner, barName] = name.split('/');
    const fn = host.root.find(owner);
    if (fn === undefined) continue;
    const bar = [...fn.bars()].map(([, one]) => one).find((one) => one.name === barName)!;
    const window = host.root.windows.find(
      (one) => one.kind === bar.kind && base >= one.base && base < one.base + one.size,
    )!;
    const start = base - window.base + window.busBase;
    const enable = bar.kind === 'io' ? R.COMMAND_IO : R.COMMAND_MEMORY;
    expect(fn.config.read(R.COMMAND, 2) & enable, name).toBe(enable);
    expect(start >= bar.base && start + size <= bar.base + bar.size, name).toBe(true);
    const inside = reachable(host, fn, bar.kind).some(
      (range) => start >= range.start && start + size <= range.end,
    );
    expect(inside, `${name} at 0x${base.toString(16)}`).toBe(true);
  }
}

/** Offsets that decide something, and any offset at all. */
function offsetFor(random: () => number, fn: PciFunction | undefined): number {
  const choice = random() % 4;
  if (choice === 0) return random() & 0xfff;
  if (choice === 1) return 0x04 + (random() % 0x3c);
  const capabilities = fn?.capabilities ?? [];
  if (capabilities.length === 0) return random() & 0xff;
  const capability = capabilities[random() % capabilities.length];
  return capability.offset + (random() % capability.size);
}

/** Values that decide something: addresses in the windows, single bits, all ones, anything. */
function valueFor(random: () => number): number {
  const choice = random() % 6;
  if (choice === 0) return 0xffff_ffff;
  if (choice === 1) return (1 << (random() & 31)) >>> 0;
  if (choice === 2) return (0x4000_0000 + (random() & 0x3f_f000)) >>> 0;
  if (choice === 3) return random() & 7;
  if (choice === 4) return 0;
  return random();
}

/** Somebody at the back of the machine, while the driver does what it does. */
function plugOrPull(random: () => number, functions: PciFunction[]): void {
  const ports = functions.filter((fn): fn is RootPort => fn instanceof RootPort && fn.slot !== undefined);
  const { slot } = ports[random() % ports.length];
  if (!slot!.present) {
    const card = endpoint();
    functions.push(card);
    slot!.insert(card);
  } else if (random() % 2 === 0) slot!.requestRemoval();
  else slot!.remove();
}

describe.each([1, 2, 3, 4, 5, 6])('a hostile driver, seed %i', (seed) => {
  it('any configuration writes: reads stay defined, the map inside the windows, identities as they were', () => {
    const random = randomFrom(seed);
    const host = build();
    const functions = [...host.root.functions()];
    const identity = functions.map((fn) => fn.config.read(0, 4));
    host.memory.bytes.fill(0x5a, host.memory.ramOffset, host.memory.ramOffset + 0x1000);
    for (let step = 0; step < 3000; step++) {
      const fn = functions[random() % functions.length];
      const width = ([1, 2, 4] as const)[random() % 3];
      const offset = offsetFor(random, fn) & ~(width - 1);
      const value = valueFor(random) % 2 ** (8 * width);
      const bus = random() % 8 === 0 ? random() & 0xff : (fn.bus?.number ?? 0);
      const address = 0x3000_0000 + bus * 0x10_0000 + fn.devfn * 0x1000 + offset;
      host.store(address, value, width);
      const read = host.load(address, width);
      expect(Number.isInteger(read) && read >= 0 && read < 2 ** (8 * width)).toBe(true);
      if (step % 16 === 0) {
        if (step % 64 === 0) plugOrPull(random, functions);
        if (fn instanceof FakeFunction && fn.context !== undefined) {
          fn.interrupt.set((random() & 1) === 0);
          fn.interrupt.send(random() % 5);
          fn.dma.write(random(), random() & 3, new Uint8Array(4));
        }
        host.store(0x4000_0000 + (random() & 0x3f_fffc), random());
        host.run(1);
        checkMap(host);
      }
    }
    functions
      .slice(0, identity.length)
      .forEach((fn, index) => expect(fn.config.read(0, 4)).toBe(identity[index]));
    for (const { requester } of host.messages) expect(requester).toBeLessThan(0x1_0000);
    host.root.reset();
    host.enumerate();
    for (const fn of host.root.functions()) host.enable(fn);
    checkMap(host);
  });

  it('any order of accesses to the MSI-X table and enables: no message is lost or sent twice', () => {
    const random = randomFrom(seed);
    const host = new FakeHost();
    const fn = host.root.plug(endpoint(), { slot: 1 });
    host.enumerate();
    host.enable(fn);
    const at = fn.capability(MsixCapability)!.offset + 2;
    for (let vector = 0; vector < 5; vector++) host.write(fn, 2, 0x2000 + vector * 16 + 8, vector);
    host.configWrite(fn, at, 2, 0x8000);
    const owed = [0, 0, 0, 0, 0];
    for (let step = 0; step < 3000; step++) {
      const vector = random() % 5;
      switch (random() % 4) {
        case 0:
          host.write(fn, 2, 0x2000 + vector * 16 + 12, random() & 1);
          break;
        case 1:
          host.configWrite(fn, at, 2, random() % 3 === 0 ? 0xc000 : 0x8000);
          break;
        case 2:
          fn.interrupt.send(vector);
          owed[vector] = 1;
          break;
        default:
          host.run(1);
      }
      for (const { data } of host.messages.splice(0)) {
        expect(owed[data], `vector ${data} at step ${step}`).toBe(1);
        owed[data] = 0;
      }
    }
    host.configWrite(fn, at, 2, 0x8000);
    for (let vector = 0; vector < 5; vector++) host.write(fn, 2, 0x2000 + vector * 16 + 12, 0);
    host.run();
    for (const { data } of host.messages) owed[data]--;
    expect(owed).toEqual([0, 0, 0, 0, 0]);
  });
});
