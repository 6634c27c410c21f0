import { decodeSnapshot, encodeSnapshot, OutsideIo, Clock, type Snapshot } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { features } from '../features.js';
import { MemorySockets, type MemorySocket } from '../testing/memory-sockets.js';
import { VsockDriver, type VsockPacket } from '../testing/vsock-driver.js';
import * as V from './codes.js';
import { BUFFER_SPACE } from './connection.js';
import { VirtioVsock } from './virtio-vsock.js';

const PORTS = { guestPort: 1000, hostPort: 52 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const ops = (driver: VsockDriver): number[] => driver.received().map(({ op }) => op);

/** A stream that the guest opened. */
function opened(options: ConstructorParameters<typeof VsockDriver>[0] = {}): {
  driver: VsockDriver;
  socket: MemorySocket;
} {
  const driver = new VsockDriver(options);
  driver.sockets.listening.add(PORTS.hostPort);
  driver.send({ ...PORTS, op: V.OP_REQUEST });
  expect(driver.received()).toMatchObject([{ ...PORTS, op: V.OP_RESPONSE }]);
  return { driver, socket: driver.sockets.all[0] };
}

describe('5.10.4: configuration space', () => {
  it('holds the context ID', () => {
    const { bench } = new VsockDriver();
    expect([bench.endpoint.readConfig(0, 4), bench.endpoint.readConfig(4, 4)]).toEqual([5, 0]);
  });

  it.each([0, 1, 2, 0xffff_ffff, 2 ** 32, 3.5])('a reserved context ID is refused: %d', (cid) => {
    const io = new OutsideIo(new Clock());
    expect(() => new VirtioVsock({ cid, io, sockets: new MemorySockets() })).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
  });

  it('5.10.3: no bit means streams; NO_IMPLIED_STREAM without STREAM leaves nothing and is refused', () => {
    const { bench } = new VsockDriver();
    expect(bench.start(features(V.F_STREAM, V.F_NO_IMPLIED_STREAM))).toBe(true);
    expect(bench.start(features(V.F_STREAM))).toBe(false);
  });
});

describe('5.10.6.5: connections that the guest opens', () => {
  it('REQUEST is answered by RESPONSE where somebody listens, by RST where nobody does', () => {
    const { driver } = opened();
    driver.send({ guestPort: 1001, hostPort: 53, op: V.OP_REQUEST });
    expect(driver.received()).toMatchObject([{ guestPort: 1001, hostPort: 53, op: V.OP_RST }]);
    expect(driver.device.connections).toBe(1);
  });

  it('data goes both ways', () => {
    const { driver, socket } = opened();
    driver.send({ ...PORTS, op: V.OP_RW, data: bytes('hello ') });
    driver.send({ ...PORTS, op: V.OP_RW, data: bytes('host') });
    expect(socket.text).toBe('hello host');
    socket.send('hello guest');
    const [packet] = driver.received();
    expect([packet.op, text(packet.data), packet.forwarded]).toEqual([V.OP_RW, 'hello guest', 10]);
  });

  it('a second REQUEST of the same ports breaks the stream off', () => {
    const { driver, socket } = opened();
    driver.send({ ...PORTS, op: V.OP_REQUEST });
    expect(ops(driver)).toEqual([V.OP_RST]);
    expect([socket.log, driver.device.connections]).toEqual([['abort'], 0]);
  });

  it('RST of the guest breaks it off, and is not answered', () => {
    const { driver, socket } = opened();
    driver.send({ ...PORTS, op: V.OP_RST });
    expect([socket.log, ops(driver)]).toEqual([['abort'], []]);
    driver.send({ ...PORTS, op: V.OP_RST });
    expect(ops(driver)).toEqual([]);
  });

  it('packets for no connection are answered by RST', () => {
    const driver = new VsockDriver();
    for (const op of [
      0,
      V.OP_RESPONSE,
      V.OP_SHUTDOWN,
      V.OP_RW,
      V.OP_CREDIT_UPDATE,
      V.OP_CREDIT_REQUEST,
      99,
    ]) {
      driver.send({ ...PORTS, op });
      expect(driver.received()).toMatchObject([{ ...PORTS, op: V.OP_RST }]);
    }
  });
});

describe('5.10.6.5: connections that the host opens', () => {
  it('the guest accepts: the program hears the port that stands for it', () => {
    const driver = new VsockDriver();
    const socket = driver.sockets.dial(22);
    const [request] = driver.received();
    expect(request).toMatchObject({ op: V.OP_REQUEST, guestPort: 22, space: BUFFER_SPACE, forwarded: 0 });
    const ports = { guestPort: 22, hostPort: request.hostPort };
    driver.send({ ...ports, op: V.OP_RESPONSE });
    expect(socket.log).toEqual([`accepted by ${request.hostPort}`]);
    socket.send('abc');
    expect(driver.received().map(({ data }) => text(data))).toEqual(['abc']);
    driver.send({ ...ports, op: V.OP_RW, data: bytes('def') });
    expect(socket.text).toBe('def');
    const other = driver.sockets.dial(22);
    const [second] = driver.received();
    expect(second.hostPort).not.toBe(request.hostPort);
    driver.send({ guestPort: 22, hostPort: second.hostPort, op: V.OP_RST });
    expect(other.log).toEqual(['abort']);
  });

  it('what the guest says before it has accepted breaks it off', () => {
    for (const op of [V.OP_RW, V.OP_SHUTDOWN, V.OP_REQUEST]) {
      const driver = new VsockDriver();
      const socket = driver.sockets.dial(22);
      const [{ hostPort }] = driver.received();
      driver.send({
        guestPort: 22,
        hostPort,
        op,
        flags: 3,
        data: op === V.OP_RW ? bytes('x') : new Uint8Array(0),
      });
      expect([ops(driver), socket.log]).toEqual([[V.OP_RST], ['abort']]);
    }
  });

  it('a program that leaves before the guest has answered', () => {
    const driver = new VsockDriver({ buffers: 0 });
    driver.sockets.dial(22).close();
    driver.run();
    driver.fill(3);
    expect(ops(driver)).toEqual([]);
    const socket = driver.sockets.dial(22);
    expect(ops(driver)).toEqual([V.OP_REQUEST]);
    socket.close();
    expect([ops(driver), driver.device.connections]).toEqual([[V.OP_RST], 0]);
  });
});

describe('5.10.6.3: buffer space management', () => {
  it('RW is sent only as far as the guest has room; more follows when it says so', () => {
    const { driver, socket } = opened({ bufferSize: 1000 });
    driver.send({ ...PORTS, op: V.OP_CREDIT_UPDATE, space: 2500 });
    socket.send(new Uint8Array(6000).fill(7));
    const sent = driver.received();
    expect(sent.map(({ op, data }) => [op, data.length])).toEqual([
      [V.OP_RW, 1000],
      [V.OP_RW, 1000],
      [V.OP_RW, 500],
      [V.OP_CREDIT_REQUEST, 0],
    ]);
    // Still nothing: it is not asked again.
    driver.send({ ...PORTS, op: V.OP_CREDIT_UPDATE, space: 2500 });
    expect(ops(driver)).toEqual([]);
    driver.send({ ...PORTS, op: V.OP_CREDIT_UPDATE, space: 2500, forwarded: 2000 });
    expect(driver.received().map(({ data }) => data.length)).toEqual([1000, 1000, 0]);
    driver.send({ ...PORTS, op: V.OP_CREDIT_UPDATE, space: 10_000, forwarded: 4500 });
    expect(driver.received().map(({ data }) => data.length)).toEqual([1000, 500]);
  });

  it('the host is granted what the guest has taken', () => {
    const { driver, socket } = opened();
    expect(socket.credit).toBe(BUFFER_SPACE);
    driver.send({ ...PORTS, op: V.OP_CREDIT_UPDATE, space: 5000 });
    socket.send(new Uint8Array(8000));
    driver.received();
    expect(socket.credit).toBe(BUFFER_SPACE - 3000);
  });

  it('a CREDIT_UPDATE comes when half of the room is gone and the host has taken it', () => {
    const { driver, socket } = opened();
    socket.taking = false;
    for (let sent = 0; sent < BUFFER_SPACE; sent += 32_768)
      driver.send({ ...PORTS, op: V.OP_RW, data: new Uint8Array(32_768) });
    expect(ops(driver)).toEqual([]);
    socket.take();
    expect(driver.received()).toMatchObject([
      { op: V.OP_CREDIT_UPDATE, space: BUFFER_SPACE, forwarded: BUFFER_SPACE },
    ]);
  });

  it('CREDIT_REQUEST is answered by CREDIT_UPDATE', () => {
    const { driver } = opened();
    driver.send({ ...PORTS, op: V.OP_RW, data: bytes('12345') });
    driver.send({ ...PORTS, op: V.OP_CREDIT_REQUEST });
    expect(driver.received()).toMatchObject([{ op: V.OP_CREDIT_UPDATE, forwarded: 5, space: BUFFER_SPACE }]);
  });

  it('a guest that sends beyond its credit is cut off, and nothing more than the room is kept', () => {
    const { driver, socket } = opened();
    socket.taking = false;
    for (let sent = 0; sent < BUFFER_SPACE; sent += 65_536)
      driver.send({ ...PORTS, op: V.OP_RW, data: new Uint8Array(65_536) });
    driver.send({ ...PORTS, op: V.OP_RW, data: new Uint8Array(1) });
    expect(ops(driver)).toEqual([V.OP_RST]);
    expect([socket.received.length, socket.log]).toEqual([BUFFER_SPACE, ['abort']]);
  });

  it('a guest that claims to have taken more than was sent gets nothing', () => {
    const { driver, socket } = opened();
    driver.send({ ...PORTS, op: V.OP_CREDIT_UPDATE, forwarded: 1 });
    socket.send('data');
    expect(ops(driver)).toEqual([V.OP_CREDIT_REQUEST]);
  });

  it('the counters run through 32 bits', () => {
    const { driver, socket } = opened({ buffers: 10, bufferSize: 65_000 });
    const total = 3_000_000;
    let sent = 0;
    let taken = 0;
    while (taken < total) {
      if (sent < total && socket.credit >= 60_000) {
        socket.send(new Uint8Array(60_000));
        sent += 60_000;
      }
      const packets = driver.received();
      for (const { data } of packets) taken += data.length;
      driver.bench.memory.mark = 0x8080_0000;
      driver.fill(packets.length, 65_000);
      driver.send({ ...PORTS, op: V.OP_CREDIT_UPDATE, forwarded: taken });
    }
    expect(taken).toBe(total);
  });
});

describe('5.10.6.5: shutdown', () => {
  it('the guest sends no more: the host hears the end, and goes on sending', () => {
    const { driver, socket } = opened();
    driver.send({ ...PORTS, op: V.OP_SHUTDOWN, flags: V.SHUTDOWN_SEND });
    expect(socket.log).toEqual(['end']);
    socket.send('more');
    expect(driver.received().map(({ data }) => text(data))).toEqual(['more']);
    driver.send({ ...PORTS, op: V.OP_SHUTDOWN, flags: 0 });
    expect(socket.log).toEqual(['end']);
    driver.send({ ...PORTS, op: V.OP_RW, data: bytes('x') });
    expect(ops(driver)).toEqual([V.OP_RST]);
  });

  it('the guest receives no more: what comes for it is lost, and the host is not held up', () => {
    const { driver, socket } = opened();
    driver.send({ ...PORTS, op: V.OP_SHUTDOWN, flags: V.SHUTDOWN_RECEIVE });
    socket.send('more');
    expect(ops(driver)).toEqual([]);
    expect(socket.credit).toBe(BUFFER_SPACE);
    driver.send({ ...PORTS, op: V.OP_RW, data: bytes('x') });
    expect(socket.text).toBe('x');
  });

  it('both, at once or one after the other: RST, and what was sent still leaves', () => {
    for (const flags of [[3], [1, 2], [2, 1]]) {
      const { driver, socket } = opened();
      driver.send({ ...PORTS, op: V.OP_RW, data: bytes('last') });
      for (const one of flags) driver.send({ ...PORTS, op: V.OP_SHUTDOWN, flags: one });
      expect(ops(driver)).toEqual([V.OP_RST]);
      expect([socket.text, socket.log.at(-1), driver.device.connections]).toEqual(['last', 'finish', 0]);
    }
  });

  it('the host ends: data first, then SHUTDOWN that nothing more is sent', () => {
    const { driver, socket } = opened();
    socket.send('last');
    socket.end();
    expect(driver.received().map(({ op, flags, data }) => [op, flags, text(data)])).toEqual([
      [V.OP_RW, 0, 'last'],
      [V.OP_SHUTDOWN, V.SHUTDOWN_SEND, ''],
    ]);
    driver.send({ ...PORTS, op: V.OP_RW, data: bytes('still') });
    expect(socket.text).toBe('still');
  });

  it('the host is gone: SHUTDOWN both ways; the guest answers by RST', () => {
    const { driver, socket } = opened();
    socket.send('last');
    socket.close();
    expect(driver.received().map(({ op, flags }) => [op, flags])).toEqual([
      [V.OP_RW, 0],
      [V.OP_SHUTDOWN, V.SHUTDOWN_BOTH],
    ]);
    driver.send({ ...PORTS, op: V.OP_RW, data: bytes('lost') });
    expect([ops(driver), driver.device.connections]).toEqual([[], 1]);
    driver.send({ ...PORTS, op: V.OP_RST });
    expect([driver.device.connections, socket.log, socket.text]).toEqual([0, [], '']);
    driver.run(9e9);
    expect(ops(driver)).toEqual([]);
  });

  it('a guest that does not answer a shutdown is cut off after a while', () => {
    const { driver, socket } = opened();
    socket.close();
    expect(ops(driver)).toEqual([V.OP_SHUTDOWN]);
    driver.run(7.9e9);
    expect(ops(driver)).toEqual([]);
    driver.run(0.2e9);
    expect([ops(driver), driver.device.connections]).toEqual([[V.OP_RST], 0]);
  });
});

describe('5.10.6.1: virtqueue flow control', () => {
  it('packets of the guest are taken while there are no receive buffers; answers come when there are', () => {
    const driver = new VsockDriver({ buffers: 0 });
    driver.sockets.listening.add(52);
    for (let port = 0; port < 20; port++) driver.send({ guestPort: port, hostPort: 52, op: V.OP_REQUEST });
    for (let port = 0; port < 20; port++)
      driver.send({ guestPort: port, hostPort: 52, op: V.OP_RW, data: bytes(`${port}`) });
    expect(driver.sockets.all.map((socket) => socket.text)).toEqual(
      Array.from({ length: 20 }, (_, port) => `${port}`),
    );
    driver.fill(30);
    expect(driver.received().map(({ op, guestPort }) => [op, guestPort])).toEqual(
      Array.from({ length: 20 }, (_, port) => [V.OP_RESPONSE, port]),
    );
  });

  it('when the room for answers is gone, packets wait in the ring until the guest takes answers', () => {
    const driver = new VsockDriver({ buffers: 0 });
    for (let port = 0; port < 300; port++) driver.send({ guestPort: port, hostPort: 9, op: V.OP_RW });
    const ports: number[] = [];
    while (ports.length < 300) {
      driver.fill(50);
      const packets = driver.received();
      expect(packets.length).toBeGreaterThan(0);
      for (const { op, guestPort } of packets) {
        expect(op).toBe(V.OP_RST);
        ports.push(guestPort);
      }
      while (driver.bench.queues[V.TX_QUEUE].poll() !== undefined);
    }
    expect(ports).toEqual(Array.from({ length: 300 }, (_, port) => port));
  });

  it('streams take turns', () => {
    const driver = new VsockDriver({ buffers: 0 });
    driver.sockets.listening.add(52);
    for (const guestPort of [1, 2]) driver.send({ guestPort, hostPort: 52, op: V.OP_REQUEST });
    driver.fill(2);
    driver.received();
    for (const socket of driver.sockets.all) socket.send(new Uint8Array(300));
    driver.run();
    driver.fill(6, 100);
    expect(driver.received().map(({ guestPort }) => guestPort)).toEqual([1, 2, 1, 2, 1, 2]);
  });
});

describe('packets that are none', () => {
  it.each<[string, Partial<VsockPacket>, number[]]>([
    ['an unknown type', { type: 3 }, [V.OP_RST]],
    ['an unknown operation', { op: 8 }, [V.OP_RST]],
    ['a length beyond the buffers', { length: 6 }, [V.OP_RST]],
    ['a length beyond all bounds', { length: 0xffff_ffff }, [V.OP_RST]],
    ['from somebody else', { sourceCid: 6 }, []],
    ['for somebody else', { destinationCid: 7 }, []],
  ])('5.10.6.4.1: %s', (_name, change, answer) => {
    const { driver, socket } = opened();
    driver.send({ ...PORTS, op: V.OP_RW, data: bytes('hello'), ...change });
    const packets = driver.received();
    expect(packets.map(({ op }) => op)).toEqual(answer);
    if (change.type !== undefined) expect(packets[0].type).toBe(change.type);
    expect(socket.text).toBe('');
  });

  it('5.10.6: buffers may be longer than the payload', () => {
    const { driver, socket } = opened();
    driver.send({ ...PORTS, op: V.OP_RW, data: bytes('hello'), length: 2 });
    expect(socket.text).toBe('he');
  });

  it('shorter than a header, either way: DEVICE_NEEDS_RESET', () => {
    for (const buffers of [
      { queue: V.TX_QUEUE, out: [new Uint8Array(43)] },
      { queue: V.RX_QUEUE, in: [43] },
    ]) {
      const driver = new VsockDriver({ buffers: 0 });
      driver.bench.submit(buffers.queue, buffers);
      driver.send({ ...PORTS, op: V.OP_RW });
      expect(driver.bench.endpoint.status & 64).toBe(64);
    }
  });

  it('more connections than there may be are refused', () => {
    const driver = new VsockDriver({ buffers: 0, ram: 0x400_0000 });
    driver.sockets.listening.add(52);
    for (let port = 0; port < 1030; port++) {
      driver.send({ guestPort: port, hostPort: 52, op: V.OP_REQUEST });
      driver.fill(1, 64);
    }
    const answers = ops(driver);
    expect(driver.device.connections).toBe(1024);
    expect(answers).not.toContain(V.OP_REQUEST);
  });
});

it('a reset of the device breaks all streams off', () => {
  const { driver, socket } = opened();
  driver.bench.endpoint.setStatus(0);
  expect([socket.log, driver.device.connections]).toEqual([['abort'], 0]);
  expect(driver.sockets.dial(5).log).toEqual([]);
  driver.run();
  expect(driver.sockets.all[1].log).toEqual(['abort']);
});

it('5.10.6.7: after a restore the guest hears TRANSPORT_RESET, and old streams are refused', () => {
  const { driver, socket } = opened();
  driver.bench.submit(V.EVENT_QUEUE, { in: [4] });
  driver.run();
  const { endpoint, clock, host } = driver.bench;
  const saved = decodeSnapshot(
    encodeSnapshot({
      type: 'test',
      version: 1,
      endpoint: endpoint.save(),
      clock: clock.save(),
      ram: host.bytes.slice(host.ramOffset, host.ramOffset + host.ramSize),
    }),
  );
  // In the same place: its own streams end too.
  host.bytes.set(saved['ram'] as Uint8Array, host.ramOffset);
  endpoint.restore(saved['endpoint'] as Snapshot);
  clock.restore(saved['clock'] as Snapshot);
  driver.run();
  expect(socket.log).toEqual(['abort']);
  expect(driver.bench.queues[V.EVENT_QUEUE].poll()?.bytes).toEqual(Uint8Array.of(0, 0, 0, 0));
  driver.send({ ...PORTS, op: V.OP_RW, data: bytes('old') });
  expect(ops(driver)).toEqual([V.OP_RST]);
  driver.send({ ...PORTS, op: V.OP_REQUEST });
  expect(ops(driver)).toEqual([V.OP_RESPONSE]);
  expect(driver.sockets.all[1].id).not.toBe(socket.id);
});

it('5.10.6.7: the event waits for a buffer', () => {
  const { driver } = opened();
  driver.bench.endpoint.restore(driver.bench.endpoint.save());
  driver.run();
  expect(driver.bench.queues[V.EVENT_QUEUE].poll()).toBeUndefined();
  driver.bench.submit(V.EVENT_QUEUE, { in: [4] });
  driver.run();
  expect(driver.bench.queues[V.EVENT_QUEUE].poll()?.written).toBe(4);
  driver.bench.submit(V.EVENT_QUEUE, { in: [4] });
  driver.run();
  expect(driver.bench.queues[V.EVENT_QUEUE].poll()).toBeUndefined();
});
