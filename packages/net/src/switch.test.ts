import { Clock, Ledger } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { Frame } from './frame.js';
import { Hub } from './hub.js';
import { Link } from './link.js';
import { Random } from './random.js';
import { Switch, type SwitchOptions } from './switch.js';
import { etherFrame, macOf, randomFrame, Station } from './testing/index.js';
import type { VlanMode } from './vlan.js';

const SECOND = 1e9;

function build(count: number, options: SwitchOptions = {}, vlans: (VlanMode | undefined)[] = []) {
  const clock = new Clock();
  const ledger = new Ledger();
  const lan = new Switch({ clock, ledger, ...options });
  const stations = Array.from({ length: count }, (_, index) => {
    const vlan = vlans[index];
    return new Station(lan.port(vlan === undefined ? {} : { vlan }));
  });
  const send = (from: number, to: number | string, extra: { vlan?: number; source?: string } = {}): boolean =>
    stations[from].send(
      etherFrame({
        to: typeof to === 'string' ? to : macOf(to),
        from: extra.source ?? macOf(from),
        ...(extra.vlan !== undefined && { vlan: extra.vlan }),
      }),
    );
  const counts = (): number[] => stations.map((station) => station.received.length);
  return { clock, ledger, lan, stations, send, counts };
}

describe('learning and flooding', () => {
  it('802.1Q 8.7: learns sources; known unicast goes out by one port, unknown by all others', () => {
    const { send, counts } = build(4);
    send(0, 2);
    expect(counts()).toEqual([0, 1, 1, 1]);
    send(2, 0);
    expect(counts()).toEqual([1, 1, 1, 1]);
    send(0, 2);
    expect(counts()).toEqual([1, 1, 2, 1]);
  });

  it('802.1Q 8.8: broadcast and multicast go to all other ports', () => {
    const { send, counts } = build(3);
    send(0, 'ff:ff:ff:ff:ff:ff');
    send(1, '01:00:5e:00:00:fb');
    expect(counts()).toEqual([1, 1, 2]);
  });

  it('802.1Q 8.6.3: 01-80-C2-00-00-0x is not forwarded', () => {
    const { lan, send, counts } = build(2);
    send(0, '01:80:c2:00:00:01');
    send(0, '01:80:c2:00:00:0e');
    send(0, '01:80:c2:00:00:10');
    expect(counts()).toEqual([0, 1]);
    expect(lan.ports[0].counters.dropped('reserved')).toBe(2);
  });

  it('802.1Q 8.7: a group source is not learned, its frame dropped; a runt too', () => {
    const { lan, send, stations, counts } = build(2);
    send(0, 1, { source: '03:00:00:00:00:01' });
    stations[0].send(new Uint8Array(13));
    expect(counts()).toEqual([0, 0]);
    expect(lan.table.count).toBe(0);
    expect([lan.ports[0].counters.dropped('bad-source'), lan.ports[0].counters.dropped('runt')]).toEqual([
      1, 1,
    ]);
  });

  it('802.1Q 8.6.1: a frame for its own port is not sent back', () => {
    const { send, counts } = build(3);
    send(0, 'ff:ff:ff:ff:ff:ff');
    send(0, 0, { source: macOf(9) });
    expect(counts()).toEqual([0, 1, 1]);
  });

  it('802.1Q 8.8.3: an address unseen for 300 s of virtual time is forgotten; a station that moves is followed', () => {
    const { clock, send, counts } = build(3);
    send(1, 'ff:ff:ff:ff:ff:ff');
    clock.runUntil(300 * SECOND);
    send(0, 1);
    expect(counts()).toEqual([1, 1, 1]);
    clock.runUntil(300 * SECOND + 1);
    send(0, 1);
    expect(counts()).toEqual([1, 2, 2]);
    send(2, 'ff:ff:ff:ff:ff:ff', { source: macOf(1) });
    send(0, 1);
    expect(counts()).toEqual([2, 3, 3]);
  });

  it('802.1Q 8.8: the table is bounded; a flood of sources fills it, ageing frees it, memory does not grow', () => {
    const { clock, ledger, lan, send, counts } = build(2, { tableSize: 100, ageing: 10 });
    for (let index = 0; index < 5000; index++) send(0, 1, { source: macOf(1000 + index) });
    expect(lan.table.count).toBe(100);
    expect(ledger.total({ event: 'learn', reason: 'table-full' })).toBe(4900);
    expect(counts()).toEqual([0, 5000]);
    clock.runUntil(11 * SECOND);
    send(1, 0);
    expect(lan.table.count).toBe(1);
  });

  it('a port without carrier gets nothing and its addresses are forgotten', () => {
    const { lan, send, counts } = build(3);
    send(1, 'ff:ff:ff:ff:ff:ff');
    lan.ports[1].link!.up = false;
    send(0, 1);
    expect(counts()).toEqual([1, 0, 2]);
  });

  it("known unicast passes uncopied: the receiver sees the sender's memory", () => {
    const { stations, send } = build(2);
    send(1, 0);
    const bytes = etherFrame({ to: macOf(1), from: macOf(0) });
    stations[0].port.send(Frame.of(bytes));
    expect(stations[1].memories[0]).toBe(bytes);
  });
});

describe('blocked ways out', () => {
  it('drop: a unicast frame is lost, counted at the port that was blocked', () => {
    const { lan, stations, send } = build(2);
    send(1, 0);
    stations[1].room = 0;
    expect(send(0, 1)).toBe(true);
    expect(lan.ports[1].counters.dropped('blocked')).toBe(1);
  });

  it('pause: the sender keeps a unicast frame and is told; a flood is dropped there and nowhere else', () => {
    const { lan, stations, send, counts } = build(3, { policy: 'pause' });
    send(1, 0);
    stations[1].room = 0;
    expect(send(0, 1)).toBe(false);
    expect(send(0, 'ff:ff:ff:ff:ff:ff')).toBe(true);
    expect(lan.ports[1].counters.dropped('blocked')).toBe(1);
    stations[0].onWritable = () => expect(send(0, 1)).toBe(true);
    stations[1].admit(9);
    expect(counts()).toEqual([1, 1, 2]);
  });
});

describe('loops', () => {
  it('two switches with two cables without delay: a broadcast ends, the frame that came round is counted', () => {
    const one = build(1);
    const two = build(1, { name: 'other' });
    for (let index = 0; index < 2; index++) {
      const cable = new Link({ name: `cable${index}` });
      one.lan.connect(cable.a);
      two.lan.connect(cable.b);
    }
    one.send(0, 'ff:ff:ff:ff:ff:ff');
    expect(two.counts()).toEqual([2]);
    const loops = [...one.lan.ports, ...two.lan.ports].reduce(
      (sum, port) => sum + port.counters.dropped('loop'),
      0,
    );
    expect(loops).toBe(2);
  });
});

describe('VLANs', () => {
  const payloadAt = (bytes: Uint8Array): number => (bytes[12] === 0x81 ? 18 : 14);
  const tci = (bytes: Uint8Array): number => (bytes[12] === 0x81 ? (bytes[14] << 8) | bytes[15] : -1);

  it('802.1Q 8.6.2: access ports of different VLANs do not hear each other', () => {
    const { send, counts } = build(4, { vlanAware: true }, [
      { access: 10 },
      { access: 10 },
      { access: 20 },
      { access: 20 },
    ]);
    send(0, 'ff:ff:ff:ff:ff:ff');
    send(2, 0);
    expect(counts()).toEqual([0, 1, 0, 1]);
  });

  it('802.1Q 8.1.7: what leaves by a trunk is tagged, by an access port untagged, content unchanged', () => {
    const { stations, send } = build(3, { vlanAware: true }, [
      { access: 10 },
      { trunk: [10, 20], native: 1 },
      { access: 20 },
    ]);
    send(0, 'ff:ff:ff:ff:ff:ff');
    const tagged = stations[1].received[0];
    expect(tci(tagged)).toBe(10);
    expect(tagged).toEqual(etherFrame({ from: macOf(0), vlan: 10 }));
    send(1, 0, { vlan: 0x600a });
    expect(stations[0].received).toEqual([etherFrame({ to: macOf(0), from: macOf(1) })]);
    expect(payloadAt(stations[0].received[0])).toBe(14);
  });

  it('802.1Q 6.9.1: untagged and priority-tagged frames take the port VLAN, the priority kept on the way', () => {
    const { stations, send } = build(2, { vlanAware: true }, [{ access: 10 }, { trunk: 'all' }]);
    send(0, 'ff:ff:ff:ff:ff:ff', { vlan: 0xa000 });
    expect(tci(stations[1].received[0])).toBe(0xa00a);
  });

  it('802.1Q 6.9: a trunk refuses VLANs that are not its own, untagged frames without a native VLAN; an access port refuses tags', () => {
    const { lan, send, counts } = build(3, { vlanAware: true }, [
      { trunk: [10] },
      { access: 10 },
      { access: 20 },
    ]);
    send(0, 'ff:ff:ff:ff:ff:ff', { vlan: 20 });
    send(0, 'ff:ff:ff:ff:ff:ff');
    send(0, 'ff:ff:ff:ff:ff:ff', { vlan: 4095 });
    send(1, 'ff:ff:ff:ff:ff:ff', { vlan: 10 });
    expect(counts()).toEqual([0, 0, 0]);
    expect(lan.ports[0].counters.dropped('vlan')).toBe(3);
    expect(lan.ports[1].counters.dropped('vlan')).toBe(1);
  });

  it('802.1Q 8.8.8: one address may be behind different ports in different VLANs (independent learning)', () => {
    const { send, counts } = build(4, { vlanAware: true }, [
      { access: 10 },
      { access: 20 },
      { trunk: [10, 20] },
      { trunk: [10, 20] },
    ]);
    send(0, 'ff:ff:ff:ff:ff:ff', { source: macOf(7) });
    send(1, 'ff:ff:ff:ff:ff:ff', { source: macOf(7) });
    send(2, 7, { vlan: 10 });
    send(2, 7, { vlan: 20 });
    expect(counts()).toEqual([1, 1, 2, 2]);
  });

  it('a switch that is not VLAN-aware passes tags unseen, and refuses VLAN options', () => {
    const { lan, stations, send } = build(2);
    send(0, 'ff:ff:ff:ff:ff:ff', { vlan: 77 });
    expect(tci(stations[1].received[0])).toBe(77);
    expect(() => lan.port({ vlan: { access: 5 } })).toThrow(expect.objectContaining({ code: 'bad-option' }));
    const aware = new Switch({ vlanAware: true });
    expect(() => aware.port({ vlan: { access: 4095 } })).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
  });
});

it('save and restore: addresses, counters and frames in the wires go on', () => {
  const make = () => {
    const clock = new Clock();
    const lan = new Switch({ clock });
    const stations = [0, 1, 2].map(() => new Station(lan.port({ link: { clock, rate: 1e9, delay: 500 } })));
    return { clock, lan, stations };
  };
  const one = make();
  one.stations[1].send(etherFrame({ from: macOf(1) }));
  one.clock.runUntil(1e6);
  one.stations[0].send(etherFrame({ to: macOf(1), from: macOf(0) }));
  one.clock.runUntil(1e6 + 1300);
  const two = make();
  two.clock.restore(one.clock.save());
  two.lan.restore(one.lan.save());
  two.clock.runUntil(2e6);
  expect(two.stations.map((station) => station.received.length)).toEqual([0, 1, 0]);
  expect(two.lan.ports[1].counters.sentFrames.value).toBe(1);
  expect(two.lan.table.count).toBe(2);
});

it('random traffic of 8 stations: every unicast frame reaches its station, and only copies by flooding others', () => {
  const { lan, stations } = build(8);
  const random = new Random(42);
  let unicast = 0;
  const expected = new Array<number>(8).fill(0);
  for (let index = 0; index < 2000; index++) {
    const bytes = randomFrame(random, 8);
    const from = bytes[11];
    const to = bytes[5];
    stations[from].send(bytes);
    if (bytes[0] !== 0xff && to !== from) {
      unicast++;
      expected[to]++;
    }
  }
  const reached = stations.map(
    (station, self) => station.received.filter((bytes) => bytes[0] === 2 && bytes[5] === self).length,
  );
  expect(reached).toEqual(expected);
  expect(unicast).toBeGreaterThan(1000);
  expect(lan.table.count).toBe(8);
});

describe('hub', () => {
  it('802.3 9: repeats every frame to all other ports, and loses it where blocked', () => {
    const ledger = new Ledger();
    const hub = new Hub({ ledger });
    const stations = [0, 1, 2].map(() => new Station(hub.port()));
    stations[2].room = 0;
    stations[0].send(etherFrame({ to: macOf(1), from: macOf(0) }));
    stations[1].send(etherFrame({ to: '01:80:c2:00:00:0e', from: macOf(1) }));
    expect(stations.map((station) => station.received.length)).toEqual([1, 1, 0]);
    expect(ledger.total({ owner: 'hub.2', event: 'drop', reason: 'blocked' })).toBe(2);
  });

  it('frames in its wires survive save and restore', () => {
    const make = () => {
      const clock = new Clock();
      const hub = new Hub();
      const stations = [0, 1].map(() => new Station(hub.port({ link: { clock, delay: 500 } })));
      return { clock, hub, stations };
    };
    const one = make();
    one.stations[0].send(etherFrame({ from: macOf(0) }));
    one.clock.runUntil(600);
    const two = make();
    two.clock.restore(one.clock.save());
    two.hub.restore(one.hub.save());
    two.clock.runUntil(2000);
    expect(two.stations.map((station) => station.received.length)).toEqual([0, 1]);
  });
});
