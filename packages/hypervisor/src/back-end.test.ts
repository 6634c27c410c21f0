import { Link, Frame, type PortOwner } from '@vmloom/net';
import { describe, expect, it } from 'vitest';
import { decodeSnapshot, encodeSnapshot } from '@vmloom/device';
import type { Executor } from './work.js';
import { HostBench, TEST_PRESET } from './testing/index.js';

const FRAME = Frame.of(new Uint8Array(100).fill(5));

/** A NIC whose back end is in the given place; `room` frames fit into it. */
function bench(place: 'vmm' | 'task' | 'side-core', harts = 2) {
  const host = new HostBench(harts);
  const { guest, vcpu } = host.guest('a');
  guest.every = (one) => one.leave('wfi');
  const { hypervisor, clock } = host;
  const { account } = vcpu.vm;
  const executors: Record<typeof place, () => Executor> = {
    vmm: () => vcpu,
    task: () => hypervisor.task('vhost', account),
    'side-core': () => hypervisor.sideCore('side'),
  };
  const log: string[] = [];
  const device = {
    name: 'nic',
    room: Infinity,
    onEvent: (kind: string) => {
      log.push(`${clock.now} ${kind}`);
      if (kind === 'send') port.send(FRAME);
    },
  };
  clock.register(device);
  const backEnd = hypervisor.backEnd({
    device: 'nic',
    account,
    executor: executors[place](),
    tariff: { packet: ['emulatedPacket', 'hostPacket'], copiesSent: 1, copiesReceived: 2 },
    backlog: 4,
  });
  const wire = new Link();
  const port = backEnd.port(wire.a);
  const owner: PortOwner = {
    receive: () => {
      if (device.room === 0) return false;
      device.room--;
      log.push(`${clock.now} frame`);
      return true;
    },
  };
  port.attach(owner);
  const arrived: number[] = [];
  wire.b.attach({ receive: (frame) => arrived.push(frame.length) > 0 });
  host.run(10_000);
  return { host, clock, device, log, wire, port, arrived, backEnd, hypervisor };
}

const PACKET = TEST_PRESET.emulatedPacket + TEST_PRESET.hostPacket;

describe.each(['vmm', 'task', 'side-core'] as const)('back end in: %s', (place) => {
  it('a device’s events are its work, and a frame that leaves is charged', () => {
    const { host, clock, device, log, arrived } = bench(place);
    const before = host.count('a', 'cpu-ns', 'vmm');
    clock.schedule(device, 'send', 20_000);
    host.run(40_000);
    expect(log).toHaveLength(1);
    expect(arrived).toEqual([100]);
    expect(host.count('nic', 'frame-copy', 'tx')).toBe(1);
    expect(host.count('nic', 'copied-bytes', 'tx')).toBe(100);
    const { wake, contextSwitch, backEndEvent } = TEST_PRESET;
    const overhead = place === 'task' ? wake + contextSwitch : 0;
    expect(host.count('a', 'cpu-ns', 'vmm') - before).toBe(PACKET + 100 + backEndEvent + overhead);
  });

  it('frames wait for their turn, in order, each with its cost', () => {
    const { host, wire, log } = bench(place);
    for (let count = 0; count < 3; count++) wire.b.send(FRAME);
    expect(log).toEqual([]);
    host.run(40_000);
    expect(log).toHaveLength(3);
    const times = log.map((line) => parseInt(line));
    expect(times[1] - times[0]).toBe(PACKET + 200 + TEST_PRESET.backEndEvent);
    expect(host.count('nic', 'copied-bytes', 'rx')).toBe(600);
  });

  it('a full backlog loses frames and counts them; a device without room keeps them', () => {
    const { host, wire, log, device, port } = bench(place);
    device.room = 1;
    for (let count = 0; count < 6; count++) wire.b.send(FRAME);
    host.run(40_000);
    expect(log).toHaveLength(1);
    expect(host.count('nic', 'rx-drop', 'backlog')).toBe(2);
    device.room = Infinity;
    port.ready();
    host.run(80_000);
    expect(log).toHaveLength(4);
  });

  it('a snapshot in the middle of work goes on as the original', () => {
    const finish = ({ host, log }: ReturnType<typeof bench>): unknown => {
      const from = log.length;
      host.run(60_000);
      return [log.slice(from), host.hypervisor.harts.map(({ localTime }) => localTime)];
    };
    const load = ({ host, wire }: ReturnType<typeof bench>): void => {
      for (let count = 0; count < 3; count++) wire.b.send(FRAME);
      host.run(12_500);
    };
    const original = bench(place);
    load(original);
    const host = encodeSnapshot(original.hypervisor.save());
    const restored = bench(place);
    restored.hypervisor.restore(decodeSnapshot(host));
    restored.clock.restore(decodeSnapshot(encodeSnapshot(original.clock.save())));
    // Guests are restored by their machines.
    restored.host.guests[0].localTime = original.host.guests[0].localTime;
    expect(finish(restored)).toEqual(finish(original));
  });
});

describe('back ends', () => {
  it('side core: no exits, no wake-ups, and its idle time is polling', () => {
    const { host, wire } = bench('side-core');
    wire.b.send(FRAME);
    host.run(100_000);
    expect(host.count('a', 'vmm-cycles', 'wake')).toBe(0);
    expect(host.count('host.hart1', 'hart-ns', 'idle')).toBe(0);
    const busy = host.count('host.hart1', 'hart-ns', 'busy');
    expect(host.count('host.hart1', 'hart-ns', 'poll') + busy).toBe(100_000);
  });

  it('one device has one back end', () => {
    const { hypervisor } = bench('vmm');
    const account = hypervisor.vms[0].account;
    const tariff = { packet: [], copiesSent: 0, copiesReceived: 0 };
    const executor = hypervisor.vms[0].vcpus[0];
    expect(() => hypervisor.backEnd({ device: 'nic', account, executor, tariff })).toThrow(/has a back end/);
  });

  it('a back end that is closed does no more work', () => {
    const { host, backEnd, wire, clock, device, log } = bench('task');
    backEnd.close();
    wire.b.send(FRAME);
    clock.schedule(device, 'direct', 20_000);
    host.run(30_000);
    expect(log).toEqual(['20000 direct']);
  });
});
