import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clock, OutsideIo } from '@vmloom/device';
import { afterEach, describe, expect, it } from 'vitest';
import { OutsidePort, type FrameTransport } from '../outside-port.js';
import { Random } from '../random.js';
import { framed } from '../stream-framing.js';
import { decodeFrame, etherFrame, macOf, Station } from '../testing/index.js';
import { pump } from '../../test/pump.js';
import { HostDatagram } from './host-datagram.js';
import { HostStream } from './host-stream.js';

const LOCAL = '127.0.0.1';
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function attach(transport: FrameTransport) {
  const clock = new Clock();
  const io = new OutsideIo(clock);
  const outside = new OutsidePort({ name: 'peer', clock, io, transport });
  cleanups.push(() => outside.close());
  return { clock, io, outside, station: new Station(outside.port) };
}

const prefixed = (bytes: Uint8Array): Uint8Array => {
  const out = framed(bytes.length);
  out.set(bytes, 4);
  return out;
};

async function client(address: AddressInfo | string | undefined): Promise<Socket> {
  const { port } = address as AddressInfo;
  const socket = connect(port, LOCAL);
  cleanups.push(() => socket.destroy());
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

describe('QEMU stream framing over sockets', () => {
  it('a server: carrier follows the peer, frames go both ways, the next peer is welcome', async () => {
    const transport = new HostStream({ address: { host: LOCAL, port: 0 }, server: true });
    const { clock, io, station } = attach(transport);
    const address = await transport.ready();
    expect(station.port.up).toBe(false);
    for (let round = 0; round < 2; round++) {
      const peer = await client(address);
      const back: Buffer[] = [];
      peer.on('data', (bytes: Buffer) => back.push(bytes));
      await pump(clock, io, () => station.port.up);
      const frame = etherFrame({ from: macOf(round) });
      peer.write(Buffer.concat([prefixed(frame), prefixed(frame)]));
      await pump(clock, io, () => station.received.length === 2 * (round + 1));
      expect(station.received.at(-1)).toEqual(frame);
      station.send(frame);
      await pump(clock, io, () => Buffer.concat(back).length === frame.length + 4);
      expect(new Uint8Array(Buffer.concat(back))).toEqual(prefixed(frame));
      peer.destroy();
      await pump(clock, io, () => !station.port.up);
    }
    expect(station.carrier).toEqual([true, false, true, false]);
  });

  it('a port that is disabled has no carrier, and a snapshot keeps that; its carrier is that of the peer now', async () => {
    const make = async () => {
      const transport = new HostStream({ address: { host: LOCAL, port: 0 }, server: true });
      const parts = attach(transport);
      return { ...parts, address: await transport.ready() };
    };
    const one = await make();
    await client(one.address);
    await pump(one.clock, one.io, () => one.station.port.up);
    one.outside.enabled = false;
    expect(one.station.port.up).toBe(false);
    one.outside.enabled = true;
    const saved = one.outside.save();
    const two = await make();
    two.outside.restore(saved);
    two.io.deliver();
    two.clock.runUntil(0);
    expect(two.station.port.up).toBe(false);
    await client(two.address);
    await pump(two.clock, two.io, () => two.station.port.up);
  });

  it('a UNIX socket joins two machines', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vmloom-stream-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const address = { path: join(folder, 'link') };
    const server = new HostStream({ address, server: true });
    const one = attach(server);
    await server.ready();
    const two = attach(new HostStream({ address }));
    const both = () => one.station.port.up && two.station.port.up;
    await pump(one.clock, one.io, () => (two.io.deliver(), two.clock.runUntil(two.clock.now), both()));
    two.station.send(etherFrame({ from: macOf(2) }));
    await pump(one.clock, one.io, () => one.station.received.length === 1);
  });

  it('a client with reconnect comes back after its server went and came', async () => {
    let accepted = 0;
    const sockets: Socket[] = [];
    const make = async (port: number) => {
      const server = createServer((socket) => {
        accepted++;
        sockets.push(socket);
        socket.on('error', () => undefined);
      });
      await new Promise<void>((resolve) => server.listen(port, LOCAL, resolve));
      return server;
    };
    let server = await make(0);
    const { port } = server.address() as AddressInfo;
    const { clock, io, station } = attach(new HostStream({ address: { host: LOCAL, port }, reconnect: 20 }));
    await pump(clock, io, () => station.port.up && accepted === 1);
    server.close();
    sockets[0].destroy();
    await pump(clock, io, () => !station.port.up);
    server = await make(port);
    cleanups.push(() => server.close());
    cleanups.push(() => sockets.forEach((socket) => socket.destroy()));
    await pump(clock, io, () => station.port.up && accepted === 2);
  });

  it('a client without reconnect whose server is not there says so once', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, LOCAL, resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const transport = new HostStream({ address: { host: LOCAL, port } });
    attach(transport);
    await expect(transport.ready()).rejects.toMatchObject({ name: 'NetError', code: 'socket' });
  });

  it('a length that lies ends the connection, and nothing of it reaches the machine', async () => {
    const transport = new HostStream({ address: { host: LOCAL, port: 0 }, server: true });
    const { clock, io, station } = attach(transport);
    const peer = await client(await transport.ready());
    let closed = false;
    peer.on('close', () => (closed = true));
    await pump(clock, io, () => station.port.up);
    peer.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3));
    await pump(clock, io, () => closed && !station.port.up);
    expect(station.received).toEqual([]);
  });

  it('a machine that takes nothing holds the peer back within a bound, and loses nothing', async () => {
    const transport = new HostStream({ address: { host: LOCAL, port: 0 }, server: true });
    const { clock, io, station } = attach(transport);
    const peer = await client(await transport.ready());
    await pump(clock, io, () => station.port.up);
    station.room = 0;
    const frame = prefixed(etherFrame({ from: macOf(1), payload: new Uint8Array(1500) }));
    const total = 8000;
    for (let index = 0; index < total; index++) peer.write(frame);
    const start = clock.now;
    await pump(clock, io, () => clock.now > start + 300e6);
    // 12 MB were offered; what this side read stays near its credit.
    expect(peer.bytesWritten - peer.writableLength).toBeLessThan(11e6);
    station.admit(Infinity);
    await pump(clock, io, () => station.received.length === total);
  });

  it('a peer that takes nothing blocks the port; it is writable again when it does', async () => {
    const transport = new HostStream({ address: { host: LOCAL, port: 0 }, server: true });
    const { clock, io, station } = attach(transport);
    const peer = await client(await transport.ready());
    peer.pause();
    await pump(clock, io, () => station.port.up);
    const frame = etherFrame({ from: macOf(1), payload: new Uint8Array(60_000) });
    let sent = 0;
    const fill = async (): Promise<void> => {
      while (sent < 2000 && station.send(frame)) {
        sent++;
        if (sent % 8 === 0) await pump(clock, io, () => true);
      }
    };
    await fill();
    expect(sent).toBeLessThan(2000);
    expect(station.writableCalls).toBe(0);
    peer.resume();
    await pump(clock, io, () => station.writableCalls === 1);
  });
});

describe('QEMU datagram framing', () => {
  it('one frame per datagram, both ways', async () => {
    const peer = createSocket('udp4');
    const seen: Buffer[] = [];
    peer.on('message', (bytes) => seen.push(bytes));
    await new Promise<void>((resolve) => peer.bind(0, LOCAL, resolve));
    cleanups.push(() => peer.close());
    const transport = new HostDatagram({
      local: { host: LOCAL, port: 0 },
      remote: { host: LOCAL, port: peer.address().port },
    });
    const { clock, io, station } = attach(transport);
    const { port } = await transport.ready();
    await pump(clock, io, () => station.port.up);
    const frame = etherFrame({ from: macOf(1) });
    station.send(frame);
    await pump(clock, io, () => seen.length === 1);
    expect(new Uint8Array(seen[0])).toEqual(frame);
    peer.send(frame, port, LOCAL);
    await pump(clock, io, () => station.received.length === 1);
    expect(station.received[0]).toEqual(frame);
  });
});

const QEMU = 'qemu-system-riscv64';
const qemu = (() => {
  try {
    return execFileSync(QEMU, ['--version'], { encoding: 'utf8' }).length > 0;
  } catch {
    return false;
  }
})();

// Machine code that leaves every register as it is and waits: the board's NIC is what matters here.
const IDLE = Uint8Array.of(0x73, 0x00, 0x50, 0x10, 0x6f, 0xf0, 0xdf, 0xff);

describe('with QEMU', () => {
  it.runIf(qemu)(
    'a QEMU whose hubport joins its stream to its dgram netdev carries frames between two of our ports',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'vmloom-qemu-'));
      cleanups.push(() => rmSync(folder, { recursive: true }));
      writeFileSync(join(folder, 'idle'), IDLE);
      const stream = new HostStream({ address: { host: LOCAL, port: 0 }, server: true });
      const one = attach(stream);
      const { port } = (await stream.ready()) as AddressInfo;
      const datagrams = createSocket('udp4');
      await new Promise<void>((resolve) => datagrams.bind(0, LOCAL, resolve));
      const qemuPort = datagrams.address().port;
      await new Promise<void>((resolve) => datagrams.close(() => resolve()));
      const datagram = new HostDatagram({
        local: { host: LOCAL, port: 0 },
        remote: { host: LOCAL, port: qemuPort },
      });
      const two = attach(datagram);
      const local = await datagram.ready();
      const child = spawn(
        QEMU,
        [
          ...[
            '-M',
            'virt',
            '-bios',
            join(folder, 'idle'),
            '-display',
            'none',
            '-serial',
            'none',
            '-monitor',
            'none',
          ],
          ...['-netdev', `stream,id=s,addr.type=inet,addr.host=${LOCAL},addr.port=${port},server=off`],
          ...['-netdev', 'hubport,id=hs,hubid=1,netdev=s'],
          ...[
            '-netdev',
            `dgram,id=d,local.type=inet,local.host=${LOCAL},local.port=${qemuPort},remote.type=inet,remote.host=${LOCAL},remote.port=${local.port}`,
          ],
          ...['-netdev', 'hubport,id=hd,hubid=1,netdev=d'],
        ],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
      cleanups.push(() => child.kill('SIGKILL'));
      let complaint = '';
      child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
      const both = (done: () => boolean) =>
        pump(one.clock, one.io, () => {
          if (child.exitCode !== null) throw new Error(`QEMU ended with ${child.exitCode}: ${complaint}`);
          two.io.deliver();
          two.clock.runUntil(two.clock.now);
          return done();
        });
      await both(() => one.station.port.up && two.station.port.up);
      const random = new Random(8);
      const frames = [60, 61, 1514].map((size, index) =>
        etherFrame({ from: macOf(index), payload: random.fill(new Uint8Array(size - 14)) }),
      );
      for (const frame of frames) one.station.send(frame);
      await both(() => two.station.received.length === frames.length);
      expect(two.station.received).toEqual(frames);
      for (const frame of frames) two.station.send(frame);
      await both(() => one.station.received.length === frames.length);
      expect(one.station.received.map((bytes) => decodeFrame(bytes).from)).toEqual([0, 1, 2].map(macOf));
    },
  );
});
