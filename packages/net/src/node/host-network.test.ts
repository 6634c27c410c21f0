import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Clock,
  decodeSnapshot,
  encodeSnapshot,
  OutsideIo,
  type EventOwner,
  type OutsideRecord,
} from '@vmloom/device';
import { afterEach, describe, expect, it } from 'vitest';
import { parseHostForward } from '../nat/options.js';
import type { OutsideNetwork } from '../nat/outside-network.js';
import { UserNat } from '../nat/user-nat.js';
import { Random } from '../random.js';
import { decodeFrame, FakeOutside, TcpClient, TestGuest, udpDatagram } from '../testing/index.js';
import { pump } from '../../test/pump.js';
import { HostNetwork, type HostNetworkOptions } from './host-network.js';

const LOCAL = '127.0.0.1';
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function machine(outside: OutsideNetwork, forwards: readonly string[] = []) {
  const clock = new Clock();
  const io = new OutsideIo(clock);
  const nat = new UserNat({ clock, io, outside, forwards: forwards.map(parseHostForward) });
  const guest = new TestGuest(nat.port, clock);
  const clients: TcpClient[] = [];
  guest.onFrame = (bytes) => clients.some((client) => client.take(bytes));
  const client = (address: string, port: number, localPort: number): TcpClient => {
    const made = new TcpClient(guest, clock, address, port, localPort);
    clients.push(made);
    return made;
  };
  cleanups.push(() => nat.close());
  return { clock, io, nat, guest, client };
}

function live(forwards: readonly string[] = [], options?: HostNetworkOptions) {
  const outside = new HostNetwork(options);
  return { outside, ...machine(outside, forwards) };
}

async function echoServer(onSocket: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, LOCAL, resolve));
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function datagramSocket(onMessage: (socket: DatagramSocket, bytes: Buffer, port: number) => void) {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, peer) => onMessage(socket, bytes, peer.port));
  await new Promise<void>((resolve) => socket.bind(0, LOCAL, resolve));
  cleanups.push(() => socket.close());
  return { socket, port: socket.address().port };
}

const udpOf = (guest: TestGuest) => guest.received.map(decodeFrame).flatMap((frame) => frame.udp ?? []);

describe('UDP with sockets of the host', () => {
  it("RFC 768: a guest's datagrams reach a socket at the loopback by the gateway, and its answers the guest", async () => {
    const { port } = await datagramSocket((socket, bytes, peer) => socket.send(bytes.reverse(), peer, LOCAL));
    const { clock, io, guest } = live();
    for (let index = 0; index < 20; index++) guest.udp(4000, '10.0.2.2', port, Uint8Array.of(1, 2, index));
    await pump(clock, io, () => udpOf(guest).length === 20);
    expect(
      udpOf(guest).map(({ data, fromPort, toPort, sound }) => [[...data], fromPort, toPort, sound]),
    ).toEqual(Array.from({ length: 20 }, (_, index) => [[index, 2, 1], port, 4000, true]));
  });

  it('RFC 1122 4.1.3.1: a closed port of the host is answered with port unreachable, each datagram to it', async () => {
    const { socket, port } = await datagramSocket(() => undefined);
    socket.close();
    cleanups.pop();
    const { clock, io, guest } = live();
    const refusals = () =>
      guest.received.map(decodeFrame).filter(({ icmp }) => icmp?.type === 3 && icmp.code === 3);
    guest.udp(4000, '10.0.2.2', port, Uint8Array.of(1));
    await pump(clock, io, () => refusals().length === 1);
    // RFC 792: the header of what was refused and its first 8 bytes, by which the guest knows its socket.
    const original = refusals()[0].icmp!.rest.subarray(4);
    expect([...original.subarray(12, 24)]).toEqual([
      ...[...[10, 0, 2, 15], ...[10, 0, 2, 2]],
      ...[4000 >> 8, 4000 & 0xff, port >> 8, port & 0xff],
    ]);
    guest.udp(4000, '10.0.2.2', port, Uint8Array.of(2));
    await pump(clock, io, () => refusals().length === 2);
  });

  it('RFC 1122 4.1.3.1: after a refusal the same port serves when somebody listens there', async () => {
    const gone = await datagramSocket(() => undefined);
    gone.socket.close();
    cleanups.pop();
    const { clock, io, guest } = live();
    guest.udp(4000, '10.0.2.2', gone.port, Uint8Array.of(1));
    await pump(clock, io, () => guest.received.map(decodeFrame).some((frame) => frame.icmp?.code === 3));
    const back = createSocket('udp4');
    back.on('message', (bytes, peer) => back.send(bytes, peer.port, LOCAL));
    await new Promise<void>((resolve) => back.bind(gone.port, LOCAL, resolve));
    cleanups.push(() => back.close());
    guest.udp(4000, '10.0.2.2', gone.port, Uint8Array.of(2));
    await pump(clock, io, () => udpOf(guest).length === 1);
    expect([...udpOf(guest)[0].data]).toEqual([2]);
  });

  it('RFC 4787 4.1, 5: one port of the host for all destinations, and anybody may answer to it', async () => {
    const seen: number[] = [];
    const stranger = await datagramSocket(() => undefined);
    // As TFTP does: the answer comes from another port than the one that was asked.
    const { port } = await datagramSocket((_socket, _bytes, peer) => {
      seen.push(peer);
      stranger.socket.send('from elsewhere', peer, LOCAL);
    });
    const other = await datagramSocket((_socket, _bytes, peer) => seen.push(peer));
    const { clock, io, guest } = live();
    guest.udp(4000, '10.0.2.2', port, Uint8Array.of(1));
    guest.udp(4000, '10.0.2.2', other.port, Uint8Array.of(2));
    guest.udp(4001, '10.0.2.2', other.port, Uint8Array.of(3));
    await pump(clock, io, () => seen.length === 3 && udpOf(guest).length === 1);
    expect(new Set(seen).size).toBe(2);
    expect(udpOf(guest)[0]).toMatchObject({ fromPort: stranger.port, toPort: 4000 });
  });

  it('RFC 4787 4.1: a flow with more destinations than sockets keeps its port and reaches them all', async () => {
    const seen = new Set<number>();
    const { port } = await datagramSocket((socket, bytes, peer) => {
      seen.add(peer);
      socket.send(bytes, peer, LOCAL);
    });
    const { clock, io, guest } = live();
    guest.udp(4000, '10.0.2.2', port, Uint8Array.of(0));
    await pump(clock, io, () => udpOf(guest).length === 1);
    // More than sockets are kept for: the first peer's has made room for a later one's.
    for (let index = 0; index < 300; index++) {
      guest.udp(4000, '10.0.2.2', 61_000 + index, Uint8Array.of(1));
    }
    guest.udp(4000, '10.0.2.2', port, Uint8Array.of(2));
    await pump(clock, io, () => udpOf(guest).some(({ data }) => data[0] === 2));
    expect(seen.size).toBe(1);
  });

  it('a forwarded port leads into the guest and back', async () => {
    const { outside, clock, io, guest } = live(['udp:127.0.0.1:0-10.0.2.15:7']);
    const [address] = await outside.ready();
    guest.arp('10.0.2.2');
    const answers: string[] = [];
    const { socket, port } = await datagramSocket((_socket, bytes) => answers.push(bytes.toString()));
    socket.send('knock', address.port, LOCAL);
    await pump(clock, io, () => udpOf(guest).length === 1);
    expect(udpOf(guest)[0]).toMatchObject({
      fromPort: port,
      toPort: 7,
      data: new Uint8Array(Buffer.from('knock')),
    });
    guest.udp(7, '10.0.2.2', port, Buffer.from('who is there'));
    await pump(clock, io, () => answers.length === 1);
    expect(answers).toEqual(['who is there']);
  });

  it('RFC 1035 4.2.1: name queries are forwarded to the resolver, its answers come from 10.0.2.3', async () => {
    const { port } = await datagramSocket((socket, bytes, peer) => {
      bytes[2] |= 0x80;
      socket.send(bytes, peer, LOCAL);
    });
    const { clock, io, guest } = live([], { resolvers: [{ host: LOCAL, port }] });
    const query = Uint8Array.of(0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 1, 0, 1);
    guest.udp(5000, '10.0.2.3', 53, query);
    await pump(clock, io, () => udpOf(guest).length === 1);
    const frame = decodeFrame(guest.received.at(-1)!);
    expect(frame.ip!.from).toBe('10.0.2.3');
    expect(frame.udp!.data[2]).toBe(0x81);
  });

  it('RFC 1035 4.2.1: two queries from one port at once both reach the resolver', async () => {
    const { port } = await datagramSocket((socket, bytes, peer) => socket.send(bytes, peer, LOCAL));
    const { clock, io, guest } = live([], { resolvers: [{ host: LOCAL, port }] });
    guest.udp(5000, '10.0.2.3', 53, Uint8Array.of(1));
    guest.udp(5000, '10.0.2.3', 53, Uint8Array.of(2));
    await pump(clock, io, () => udpOf(guest).length === 2);
    guest.udp(5000, '10.0.2.3', 53, Uint8Array.of(3));
    await pump(clock, io, () => udpOf(guest).length === 3);
    const answers = guest.received.flatMap((bytes) => [...(decodeFrame(bytes).udp?.data ?? [])]);
    expect(answers).toEqual([1, 2, 3]);
  });

  it('RFC 1122 4.1.3.1: a resolver that is not there is answered with port unreachable', async () => {
    const { socket, port } = await datagramSocket(() => undefined);
    socket.close();
    cleanups.pop();
    const { clock, io, guest } = live([], { resolvers: [{ host: LOCAL, port }] });
    guest.udp(5000, '10.0.2.3', 53, Uint8Array.of(1, 2, 3));
    await pump(clock, io, () => guest.received.map(decodeFrame).some((frame) => frame.icmp?.code === 3));
  });
});

describe('TCP with sockets of the host', () => {
  it('RFC 9293: 2 MB go out and come back unchanged, both sides close', async () => {
    const port = await echoServer((socket) => socket.pipe(socket));
    const { clock, io, guest, client, nat } = live();
    guest.arp('10.0.2.2');
    const tcp = client('10.0.2.2', port, 4001);
    const data = new Random(1).fill(new Uint8Array(2_000_000));
    tcp.connect();
    tcp.write(data);
    tcp.close();
    await pump(clock, io, () => tcp.ended, 25_000);
    expect(Buffer.concat(tcp.received).equals(data)).toBe(true);
    expect(tcp.reset).toBe(false);
    await pump(clock, io, () => nat.tcp.count === 0);
  });

  it('RFC 9293 3.8.6: a guest that does not read holds the sender back; memory stays within its bound', async () => {
    let written = 0;
    const port = await echoServer((socket) => {
      const chunk = Buffer.alloc(65_536);
      const write = (): void => {
        while (socket.write(chunk)) written += chunk.length;
        written += chunk.length;
      };
      socket.on('drain', write);
      write();
    });
    const { clock, io, guest, client, nat } = live();
    guest.arp('10.0.2.2');
    const tcp = client('10.0.2.2', port, 4002);
    tcp.connect();
    await pump(clock, io, () => tcp.receivedBytes > 100_000);
    tcp.closedWindow = true;
    tcp.announce();
    const start = clock.now;
    await pump(clock, io, () => clock.now > start + 600e6);
    const held = nat.tcp.connections()[0].buffer.length;
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThanOrEqual(1024 * 1024 + 65_536);
    const stalled = written;
    await pump(clock, io, () => clock.now > start + 900e6);
    expect(written).toBe(stalled);
    tcp.closedWindow = false;
    const before = tcp.receivedBytes;
    tcp.announce();
    await pump(clock, io, () => tcp.receivedBytes > before + 2_000_000);
  });

  it('RFC 9293 3.5.3: a port where nobody listens is a reset', async () => {
    const port = await echoServer(() => undefined);
    cleanups.splice(0).forEach((cleanup) => cleanup());
    const { clock, io, guest, client } = live();
    guest.arp('10.0.2.2');
    const tcp = client('10.0.2.2', port, 4003);
    tcp.connect();
    await pump(clock, io, () => tcp.reset);
  });

  it('RFC 9293 3.5.2: a connection that its peer breaks off is reset for the guest, and the other way round', async () => {
    const errors: string[] = [];
    let peer: Socket | undefined;
    const port = await echoServer((socket) => {
      peer = socket;
      socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''));
      socket.resume();
    });
    const { clock, io, guest, client, nat } = live();
    guest.arp('10.0.2.2');
    const one = client('10.0.2.2', port, 4004);
    one.connect();
    await pump(clock, io, () => one.connected && peer !== undefined);
    peer!.resetAndDestroy();
    await pump(clock, io, () => one.reset);
    peer = undefined;
    const two = client('10.0.2.2', port, 4005);
    two.connect();
    await pump(
      clock,
      io,
      () => two.connected && peer !== undefined && nat.tcp.connections()[0]?.state === 'established',
    );
    const next = nat.tcp.connections()[0].receiveNext;
    guest.tcp('10.0.2.2', { fromPort: 4005, toPort: port, sequence: next, flags: 4 });
    await pump(clock, io, () => errors.length === 1);
    expect(errors).toEqual(['ECONNRESET']);
  });

  it('a forwarded port: a client outside talks to a server in the guest', async () => {
    const { outside, clock, io, guest } = live(['tcp:127.0.0.1:0-10.0.2.15:22']);
    const [address] = await outside.ready();
    guest.arp('10.0.2.2');
    const socket = connect(address.port, LOCAL);
    cleanups.push(() => socket.destroy());
    let received = '';
    socket.on('data', (bytes: Buffer) => (received += bytes.toString()));
    const seen = () => guest.received.map(decodeFrame).flatMap((frame) => frame.tcp ?? []);
    await pump(clock, io, () => seen().length > 0);
    const [syn] = seen();
    const reply = (fields: { sequence: number; flags: number; data?: Uint8Array }) =>
      guest.tcp('10.0.2.2', {
        fromPort: 22,
        toPort: syn.fromPort,
        acknowledgment: (syn.sequence + 1) >>> 0,
        ...fields,
      });
    reply({ sequence: 7000, flags: 18 });
    reply({ sequence: 7001, flags: 16, data: Buffer.from('SSH-2.0-guest') });
    await pump(clock, io, () => received === 'SSH-2.0-guest');
    socket.write('hello guest');
    await pump(clock, io, () => seen().some(({ data }) => Buffer.from(data).toString() === 'hello guest'));
  });

  it('a port of the host that is taken is one NetError from ready', async () => {
    const port = await echoServer(() => undefined);
    const { outside } = live([`tcp:127.0.0.1:${port}-:22`]);
    await expect(outside.ready()).rejects.toMatchObject({ name: 'NetError', code: 'socket' });
  });
});

describe("ICMP elsewhere by the system's ping", () => {
  it('an answered echo, an unanswered one, and no such program', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vmloom-ping-'));
    const path = process.env['PATH'];
    cleanups.push(() => {
      process.env['PATH'] = path;
      rmSync(folder, { recursive: true });
    });
    const script = join(folder, 'ping');
    const [sh] = ['/bin/sh'];
    writeFileSync(
      script,
      `#!${sh}\ncase "$*" in *192.0.2.1) exit 0;; *) echo Destination Host Unreachable; exit 1;; esac\n`,
    );
    chmodSync(script, 0o755);
    process.env['PATH'] = folder;
    const { clock, io, guest } = live();
    const answers = () => guest.received.map(decodeFrame).flatMap((frame) => frame.icmp ?? []);
    guest.ping('192.0.2.1', Uint8Array.of(1));
    await pump(clock, io, () => answers().length === 1);
    guest.ping('192.0.2.2', Uint8Array.of(1));
    await pump(clock, io, () => answers().length === 2);
    process.env['PATH'] = join(folder, 'none');
    guest.ping('192.0.2.1', Uint8Array.of(1));
    await pump(clock, io, () => answers().length === 3);
    expect(answers().map(({ type, code }) => [type, code])).toEqual([
      [0, 0],
      [3, 1],
      [3, 1],
    ]);
  });
});

/** A guest program that acts by events alone: datagrams at fixed times, one connection. */
class Script implements EventOwner {
  readonly name = 'script';
  readonly log: string[] = [];
  readonly tcp: TcpClient;

  constructor(
    readonly parts: ReturnType<typeof machine>,
    readonly udpPort: number,
    tcpPort: number,
  ) {
    const { clock, guest } = parts;
    clock.register(this);
    this.tcp = parts.client('10.0.2.2', tcpPort, 4100);
    const take = guest.onFrame!;
    guest.onFrame = (bytes) => {
      this.log.push(`${clock.now} ${Buffer.from(bytes).toString('base64')}`);
      take(bytes);
    };
    clock.after(this, 'arp', 0);
    clock.after(this, 'connect', 1e6);
    for (let index = 1; index <= 10; index++) clock.after(this, 'udp', index * 2e6, { index });
  }

  onEvent(kind: string, args: { readonly index?: number }): void {
    const { guest } = this.parts;
    if (kind === 'arp') guest.push({ to: '10.0.2.2', protocol: 253, payload: new Uint8Array(4) });
    else if (kind === 'connect') {
      this.tcp.connect();
      this.tcp.write(new Random(2).fill(new Uint8Array(50_000)));
      this.tcp.close();
    } else {
      const data = Uint8Array.of(args.index!);
      guest.push({
        to: '10.0.2.2',
        protocol: 17,
        payload: udpDatagram(guest.ip, 5000, '10.0.2.2', this.udpPort, data),
      });
    }
  }
}

describe('record and replay', () => {
  it('a recorded run with real sockets repeats without them, frame by frame and at the same times', async () => {
    const { port: udpPort } = await datagramSocket((socket, bytes, peer) => socket.send(bytes, peer, LOCAL));
    const tcpPort = await echoServer((socket) => socket.pipe(socket));
    const recorded = live();
    const records = recorded.io.record();
    const script = new Script(recorded, udpPort, tcpPort);
    await pump(recorded.clock, recorded.io, () => script.tcp.ended && udpOf(recorded.guest).length === 10);
    const stop = recorded.clock.now;
    expect(records.length).toBeGreaterThan(12);

    const kept = encodeSnapshot({ type: 'record', version: 1, records: records as never });
    const played = decodeSnapshot(kept)['records'] as unknown as OutsideRecord[];
    const outside = new FakeOutside();
    const again = machine(outside);
    again.io.replay(played, (name) => (name === 'nat' ? again.nat : undefined));
    const repeat = new Script(again, udpPort, tcpPort);
    while (again.clock.now < stop) {
      again.io.deliver();
      again.clock.runUntil(
        Math.min(stop, Math.max(again.clock.now, Math.min(again.clock.nextEvent, again.io.nextArrival))),
      );
    }
    expect(repeat.log).toEqual(script.log);
    expect(Buffer.concat(repeat.tcp.received)).toEqual(Buffer.concat(script.tcp.received));
    expect(outside.calls).toEqual([]);
  });
});

describe('snapshot', () => {
  it('UDP flows go on from the same port after a restore with new sockets; TCP connections are reset', async () => {
    const peers: number[] = [];
    const { port } = await datagramSocket((socket, bytes, peer) => {
      peers.push(peer);
      socket.send(bytes, peer, LOCAL);
    });
    const tcpPort = await echoServer((socket) => socket.pipe(socket));
    const one = live();
    one.guest.arp('10.0.2.2');
    const tcp = one.client('10.0.2.2', tcpPort, 4200);
    tcp.connect();
    one.guest.udp(5000, '10.0.2.2', port, Uint8Array.of(1));
    await pump(one.clock, one.io, () => tcp.connected && udpOf(one.guest).length === 1);
    tcp.write(Uint8Array.of(1, 2, 3));
    await pump(one.clock, one.io, () => tcp.receivedBytes === 3);
    const saved = encodeSnapshot({ type: 'test', version: 1, nat: one.nat.save(), clock: one.clock.save() });
    cleanups.pop();
    one.nat.close();

    const two = live();
    // The client is a test's own and not part of the snapshot, but its name is on the clock.
    const shadow = two.client('10.0.2.2', tcpPort, 4200);
    const parts = decodeSnapshot(saved) as unknown as { nat: never; clock: never };
    two.nat.restore(parts.nat);
    two.clock.restore(parts.clock);
    await pump(two.clock, two.io, () => shadow.reset);
    const segments = two.guest.received.map(decodeFrame).flatMap((frame) => frame.tcp ?? []);
    expect(segments).toHaveLength(1);
    expect(segments[0].sequence).toBe(lastAcknowledged(one.guest, tcp.received.length));
    two.guest.udp(5000, '10.0.2.2', port, Uint8Array.of(2));
    await pump(two.clock, two.io, () => udpOf(two.guest).length === 1);
    expect(peers[1]).toBe(peers[0]);
  });
});

/** Where the stream to the guest had got to. */
function lastAcknowledged(guest: TestGuest, pieces: number): number {
  const data = guest.received
    .map(decodeFrame)
    .flatMap((frame) => (frame.tcp?.data.length ? [frame.tcp] : []));
  expect(data).toHaveLength(pieces);
  const last = data.at(-1)!;
  return (last.sequence + last.data.length) >>> 0;
}
