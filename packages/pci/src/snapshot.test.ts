import { decodeSnapshot, encodeSnapshot, type Snapshot } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { ExpressCapability } from './capabilities/express.js';
import { MsiCapability } from './capabilities/msi.js';
import { MsixCapability } from './capabilities/msix.js';
import { PowerCapability } from './capabilities/power.js';
import { ConventionalBridge, RootPort } from './port.js';
import { FakeFunction, FakeHost } from './testing/index.js';
import * as R from './registers.js';

interface Fabric {
  readonly host: FakeHost;
  readonly port: RootPort;
  readonly card: FakeFunction;
  readonly deep: FakeFunction;
  readonly msix: MsixCapability;
  readonly msi: MsiCapability;
}

function build(): Fabric {
  const host = new FakeHost();
  const port = host.root.plug(new RootPort({ slot: { number: 1 } }));
  const card = new FakeFunction({ size: 0x4000 });
  const deep = host.root.plug(new ConventionalBridge()).plug(new FakeFunction(), { slot: 3 });
  card.addCapability(new ExpressCapability({ type: 'endpoint' }));
  card.addBar(1, { kind: 'memory', size: 0x1000 });
  const msix = card.addCapability(new MsixCapability({ vectors: 4, bar: 1 }));
  const msi = deep.addCapability(new MsiCapability({ vectors: 2 }));
  deep.addCapability(new PowerCapability());
  port.plug(card);
  return { host, port, card, deep, msix, msi };
}

/** Messages in flight and pending, levels, addresses, a removal asked for. */
function disturb({ host, port, card, deep, msix, msi }: Fabric): void {
  host.enumerate();
  host.enable(card);
  host.enable(deep);
  host.write(card, 0, 0x10, 0xcafe_f00d);
  for (const vector of [0, 1]) {
    host.write(card, 1, vector * 16, 0x2800_0000);
    host.write(card, 1, vector * 16 + 8, 0x60 + vector);
  }
  host.write(card, 1, 12, 0);
  host.configWrite(card, msix.offset + 2, 2, 0x8000);
  host.configWrite(deep, msi.offset + 16, 4, 1);
  host.configWrite(deep, msi.offset + 2, 2, 1);
  deep.interrupt.send(0);
  card.interrupt.send(0);
  card.interrupt.send(1);
  card.interrupt.set(true);
  port.slot!.requestRemoval();
}

const visible = ({ host, card, deep }: Fabric): unknown => ({
  map: [...host.space.regions()],
  config: [...host.root.functions()].map((fn) => [fn.name, [...fn.config.bytes()]]),
  lines: host.lines,
  masters: [card.dma.enabled, card.dma.requester, deep.dma.enabled, deep.dma.requester],
  register: host.read(card, 0, 0x10),
  pending: host.read(card, 1, 0x800),
});

describe('snapshot', () => {
  it('the whole fabric comes back on another host: registers, map, levels, pending and flying messages', () => {
    const before = build();
    disturb(before);
    const text = encodeSnapshot({ root: before.host.root.save(), clock: before.host.clock.save() });
    const { root, clock } = decodeSnapshotPair(text);
    const after = build();
    after.host.clock.restore(clock);
    after.host.root.restore(root);
    expect(visible(after)).toEqual(visible(before));
    expect(after.port.slot!.removing).toBe(true);
    const finish = ({ host, card, deep, msi }: Fabric): unknown => {
      host.run();
      host.write(card, 1, 16 + 12, 0);
      host.configWrite(deep, msi.offset + 16, 4, 0);
      host.run();
      return host.messages;
    };
    const messages = finish(after);
    expect(messages).toEqual(finish(before));
    expect(messages).toHaveLength(3);
  });

  it('a saved fabric saves the same again, and is plain data', () => {
    const fabric = build();
    disturb(fabric);
    const saved = fabric.host.root.save();
    const again = build();
    again.host.root.restore(structuredClone(saved));
    expect(again.host.root.save()).toEqual(saved);
  });

  it('a power-on reset brings back the fabric as it was built', () => {
    const fabric = build();
    const fresh = fabric.host.root.save();
    disturb(fabric);
    fabric.host.root.reset();
    expect(fabric.host.root.save()).toEqual(fresh);
    expect(fabric.host.configRead(fabric.deep, R.COMMAND, 2)).toBe(0xffff);
  });

  it('a snapshot of another tree, or of something else, is refused', () => {
    const { host } = build();
    const saved = host.root.save();
    host.root.plug(new FakeFunction({ name: 'late' }));
    expect(() => host.root.restore(saved)).toThrow(/knows nothing of late/);
    const more = host.root.save();
    expect(() => build().host.root.restore(more)).toThrow(/late, which is not plugged in/);
    expect(() => host.root.restore({ type: 'clock', version: 1 })).toThrow(/expected pcie-root-complex/);
    const other = new FakeHost();
    other.root.plug(new FakeFunction({ name: 'x', model: 'one' }));
    const wrong = new FakeHost();
    wrong.root.plug(new FakeFunction({ name: 'x', model: 'two' }));
    expect(() => wrong.root.restore(other.root.save())).toThrow(/x is a two/);
  });
});

function decodeSnapshotPair(text: string): { root: Snapshot; clock: Snapshot } {
  const pair = decodeSnapshot(text.replace('{', '{"type":"pair","version":1,'));
  return pair as unknown as { root: Snapshot; clock: Snapshot };
}
