import { decodeSnapshot, encodeSnapshot } from '@vmloom/device';
import { Random } from '@vmloom/net';
import { describe, expect, it } from 'vitest';
import { DeviceBench } from '../testing/device-bench.js';
import { VirtioConsole, type VirtioConsoleOptions } from './console.js';
import * as R from './registers.js';

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

const message = (id: number, event: number, value: number): Uint8Array =>
  Uint8Array.of(id & 0xff, (id >> 8) & 0xff, 0, 0, event, 0, value, 0);

interface Setup {
  readonly device: VirtioConsole;
  readonly bench: DeviceBench;
  readonly printed: string[];
}

function setUp(options: VirtioConsoleOptions = {}, ring: { packed?: boolean } = {}): Setup {
  const device = new VirtioConsole(options);
  const printed: string[] = [];
  device.addPort({ output: (output) => printed.push(text(output)) });
  const bench = new DeviceBench(device, ring);
  bench.start();
  return { device, bench, printed };
}

/** A driver of ports: buffers in the control receive queue, and what came in them. */
function multiport(options: VirtioConsoleOptions = { maxPorts: 4 }, ring: { packed?: boolean } = {}) {
  const made = setUp(options, ring);
  const { bench } = made;
  const tell = (id: number, event: number, value: number): void => {
    bench.submit(R.CONTROL_TRANSMIT, { out: [message(id, event, value)] });
    bench.run();
    bench.queues[R.CONTROL_TRANSMIT].poll();
  };
  const heard = (): [number, number, number, string][] => {
    bench.run();
    const list: [number, number, number, string][] = [];
    for (let used = bench.queues[2].poll(); used !== undefined; used = bench.queues[2].poll()) {
      const [id, , , , event, , value] = used.bytes;
      list.push([id, event, value, text(used.bytes.slice(8))]);
      bench.submit(R.CONTROL_RECEIVE, { in: [64] });
    }
    return list;
  };
  for (let index = 0; index < 16; index++) bench.submit(R.CONTROL_RECEIVE, { in: [64] });
  return { ...made, tell, heard };
}

describe('a console with one port', () => {
  it.each([false, true])('5.3.6: output leaves by the transmit queue; packed: %s', (packed) => {
    const { bench, printed } = setUp({}, { packed });
    expect(bench.request(1, { out: [bytes('hello '), bytes('world')] })?.written).toBe(0);
    expect(printed.join('')).toBe('hello world');
    expect(bench.count('bytes', 'sent')).toBe(11);
  });

  it('5.3.6: input comes in the receive queue, over several buffers, early or late', () => {
    const { bench, device } = setUp();
    expect(device.port(0)!.receive(bytes('hello'))).toBe(5);
    bench.submit(0, { in: [3] });
    bench.submit(0, { in: [3] });
    bench.submit(0, { in: [8] });
    bench.run();
    expect(text(bench.queues[0].poll()?.bytes)).toBe('hel');
    expect(text(bench.queues[0].poll()?.bytes)).toBe('lo');
    expect(bench.queues[0].poll()).toBeUndefined();
    device.port(0)!.receiveCharacter(0x21);
    expect(text(bench.queues[0].poll()?.bytes)).toBe('!');
  });

  it('input is bounded, and word of room follows', () => {
    const { bench, device } = setUp();
    const port = device.port(0)!;
    let ready = 0;
    port.onReceiveReady = () => ready++;
    expect(port.receive(new Uint8Array(100_000))).toBe(65_536);
    expect(port.receive(new Uint8Array(1))).toBe(0);
    expect(ready).toBe(0);
    bench.request(0, { in: [1000] });
    expect(ready).toBe(1);
    expect(port.receive(new Uint8Array(5000))).toBe(1000);
  });

  it('5.3.5.1: emerg_wr prints on a device that nobody has set up', () => {
    const device = new VirtioConsole();
    const printed: string[] = [];
    device.addPort({ output: (output) => printed.push(text(output)) });
    const bench = new DeviceBench(device);
    bench.endpoint.writeConfig(R.CONFIG_EMERG_WR, 4, 0x1_2341);
    expect(printed).toEqual(['A']);
    expect(device.features & (1n << BigInt(R.VIRTIO_CONSOLE_F_EMERG_WRITE))).not.toBe(0n);
  });

  it('5.3.6: a new size is announced', () => {
    const { bench, device } = setUp({ cols: 100, rows: 30 });
    expect([bench.endpoint.readConfig(0, 2), bench.endpoint.readConfig(2, 2)]).toEqual([100, 30]);
    device.resize(132, 50);
    expect(bench.configInterrupts).toBe(1);
    expect([bench.endpoint.readConfig(0, 2), bench.endpoint.readConfig(2, 2)]).toEqual([132, 50]);
  });

  it('5.3.6.1: buffers for the wrong direction do no harm', () => {
    const { bench, device, printed } = setUp();
    device.port(0)!.receive(bytes('x'));
    expect(bench.request(0, { out: [bytes('wrong')] })?.written).toBe(0);
    expect(bench.request(1, { in: [5] })?.written).toBe(0);
    expect(printed).toEqual([]);
    expect(text(bench.request(0, { in: [5] })?.bytes)).toBe('x');
  });
});

describe('ports', () => {
  it('5.3.5, 5.3.6.2: DEVICE_READY, ADD, PORT_READY, and what follows', () => {
    const { bench, device, tell, heard } = multiport();
    expect(bench.endpoint.readConfig(R.CONFIG_MAX_NR_PORTS, 4)).toBe(4);
    device.addPort({ name: 'org.vmloom.agent' });
    expect(heard()).toEqual([]);
    tell(0, R.VIRTIO_CONSOLE_DEVICE_READY, 1);
    expect(heard()).toEqual([
      [0, R.VIRTIO_CONSOLE_DEVICE_ADD, 0, ''],
      [1, R.VIRTIO_CONSOLE_DEVICE_ADD, 0, ''],
    ]);
    tell(0, R.VIRTIO_CONSOLE_PORT_READY, 1);
    tell(1, R.VIRTIO_CONSOLE_PORT_READY, 1);
    expect(heard()).toEqual([
      [0, R.VIRTIO_CONSOLE_CONSOLE_PORT, 1, ''],
      [0, R.VIRTIO_CONSOLE_PORT_OPEN, 1, ''],
      [1, R.VIRTIO_CONSOLE_PORT_NAME, 1, 'org.vmloom.agent'],
      [1, R.VIRTIO_CONSOLE_PORT_OPEN, 1, ''],
    ]);
  });

  it('5.3.6.2: data and opening of a port of its own, both ways', () => {
    const { bench, device, tell, heard } = multiport();
    const opened: boolean[] = [];
    const printed: string[] = [];
    const port = device.addPort({
      onOpen: (open) => opened.push(open),
      output: (out) => printed.push(text(out)),
    });
    tell(0, R.VIRTIO_CONSOLE_DEVICE_READY, 1);
    tell(1, R.VIRTIO_CONSOLE_PORT_READY, 1);
    heard();
    port.receive(bytes('early'));
    bench.submit(4, { in: [100] });
    bench.run();
    expect(bench.queues[4].poll()).toBeUndefined();
    tell(1, R.VIRTIO_CONSOLE_PORT_OPEN, 1);
    expect(text(bench.queues[4].poll()?.bytes)).toBe('early');
    bench.request(5, { out: [bytes('answer')] });
    expect(printed).toEqual(['answer']);
    port.open = false;
    expect(heard()).toEqual([[1, R.VIRTIO_CONSOLE_PORT_OPEN, 0, '']]);
    tell(1, R.VIRTIO_CONSOLE_PORT_OPEN, 0);
    expect(opened).toEqual([true, false]);
    expect(port.guestOpen).toBe(false);
  });

  it('5.3.6.2: ports are plugged and unplugged, and a port that exists is not added again', () => {
    const { device, tell, heard } = multiport();
    tell(0, R.VIRTIO_CONSOLE_DEVICE_READY, 1);
    tell(0, R.VIRTIO_CONSOLE_PORT_READY, 1);
    heard();
    const port = device.addPort({ name: 'late' });
    expect(heard()).toEqual([[1, R.VIRTIO_CONSOLE_DEVICE_ADD, 0, '']]);
    tell(0, R.VIRTIO_CONSOLE_DEVICE_READY, 1);
    expect(heard()).toEqual([[1, R.VIRTIO_CONSOLE_DEVICE_ADD, 0, '']]);
    device.removePort(port);
    expect(heard()).toEqual([[1, R.VIRTIO_CONSOLE_DEVICE_REMOVE, 0, '']]);
    for (let index = 1; index < 4; index++) device.addPort();
    expect(() => device.addPort()).toThrow('taken');
  });

  it('5.3.6.2: RESIZE carries columns and rows', () => {
    const { device, tell, heard } = multiport();
    tell(0, R.VIRTIO_CONSOLE_DEVICE_READY, 1);
    tell(0, R.VIRTIO_CONSOLE_PORT_READY, 1);
    heard();
    device.resize(300, 60);
    expect(heard()).toEqual([[0, R.VIRTIO_CONSOLE_RESIZE, 0, text(Uint8Array.of(44, 1, 60, 0))]]);
  });

  it('messages wait for buffers, the newest of each kind', () => {
    const { device, tell, bench } = multiport();
    while (bench.endpoint.queues[2].pop() !== undefined);
    tell(0, R.VIRTIO_CONSOLE_DEVICE_READY, 1);
    for (let round = 0; round < 1000; round++) {
      tell(0, R.VIRTIO_CONSOLE_PORT_READY, 1);
      device.resize(round, 1);
    }
    const saved = bench.endpoint.save();
    const { outbox } = saved['device'] as unknown as { outbox: unknown[] };
    expect(outbox.length).toBeGreaterThan(2);
    expect(outbox.length).toBeLessThan(6);
  });
});

describe('life', () => {
  it('2.4: a reset closes ports; the next driver begins anew', () => {
    const { bench, device, printed } = setUp();
    expect(device.port(0)!.guestOpen).toBe(true);
    device.port(0)!.receive(bytes('lost'));
    bench.endpoint.reset();
    expect(device.port(0)!.guestOpen).toBe(false);
    bench.start();
    expect(bench.request(0, { in: [10] })).toBeUndefined();
    bench.request(1, { out: [bytes('again')] });
    expect(printed).toEqual(['again']);
  });

  it('a snapshot holds input, ports and messages that wait', () => {
    const { bench, device, tell } = multiport();
    device.addPort({ name: 'x' });
    tell(0, R.VIRTIO_CONSOLE_DEVICE_READY, 1);
    tell(1, R.VIRTIO_CONSOLE_PORT_READY, 1);
    tell(1, R.VIRTIO_CONSOLE_PORT_OPEN, 1);
    device.port(1)!.receive(bytes('waiting'));
    const saved = decodeSnapshot(encodeSnapshot(bench.endpoint.save()));
    const other = new VirtioConsole({ maxPorts: 4 });
    other.addPort();
    const empty = new DeviceBench(other);
    expect(() => empty.endpoint.restore(saved)).toThrow('other ports');
    other.addPort({ name: 'x' });
    empty.host.bytes.set(bench.host.bytes.subarray(bench.host.ramOffset), empty.host.ramOffset);
    empty.endpoint.restore(saved);
    expect(other.port(1)!.guestOpen).toBe(true);
    expect(text(other.port(1)!.input)).toBe('waiting');
  });

  it('output of megabytes is handed out in portions, so that the machine goes on', () => {
    let sum = 0;
    const device = new VirtioConsole();
    device.addPort({ output: (output) => (sum += output.length) });
    const bench = new DeviceBench(device);
    bench.start();
    const piece = { address: 0x8010_0000, length: 0x10_0000, write: false };
    bench.queues[0].addSegments([{ ...piece, write: true }]);
    bench.queues[1].addSegments(Array.from({ length: 20 }, () => piece));
    bench.endpoint.ring(1);
    bench.clock.runUntil(bench.clock.now);
    expect(sum).toBe(0x10_0000);
    bench.endpoint.restore(bench.endpoint.save());
    bench.run(30_000_000);
    expect(sum).toBe(20 * 0x10_0000);
    expect(bench.queues[1].poll()?.written).toBe(0);
  });

  it.each([1, 2])('random control messages do no harm, seed %i', (seed) => {
    const random = new Random(seed);
    const { bench, device, tell, heard } = multiport({ maxPorts: 4 }, { packed: seed === 2 });
    const { mark } = bench.memory;
    for (let round = 0; round < 3000; round++) {
      bench.memory.mark = mark;
      tell(random.below(6), random.below(10), random.below(3));
      if (random.chance(0.1))
        bench.request(R.CONTROL_TRANSMIT, { out: [random.fill(new Uint8Array(1 + random.below(20)))] });
      if (random.chance(0.05)) heard();
      if (random.chance(0.02)) device.removePort(device.addPort());
      device.port(0)?.receive(bytes('x'));
    }
    expect(bench.endpoint.status & 64).toBe(0);
    expect(bench.count('drop', 'malformed control message')).toBeGreaterThan(1000);
  });
});
