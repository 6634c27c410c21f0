import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clock, OutsideIo } from '@vmloom/device';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DeviceBench } from '../testing/device-bench.js';
import { TEST_CID } from '../testing/vsock-driver.js';
import * as V from '../vsock/codes.js';
import { BUFFER_SPACE } from '../vsock/connection.js';
import { VirtioVsock } from '../vsock/virtio-vsock.js';
import { UnixSockets } from './unix-sockets.js';

let folder: string;
let path: string;
let guest: Guest;
const open: (Server | Socket)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vsock-'));
  path = join(folder, 'v');
  guest = new Guest(path);
  await guest.sockets.ready();
});

afterEach(async () => {
  for (const one of open.splice(0)) {
    if ('destroy' in one) one.destroy();
    else one.close();
  }
  await guest.sockets.close();
  rmSync(folder, { recursive: true });
});

interface Packet {
  readonly op: number;
  readonly guestPort: number;
  readonly hostPort: number;
  readonly flags: number;
  readonly forwarded: number;
  readonly data: Uint8Array;
}

/** A guest with a socket driver that keeps its receive queue filled, and the run loop of its machine. */
class Guest {
  readonly sockets: UnixSockets;
  readonly #io: OutsideIo;
  readonly #bench: DeviceBench;
  readonly packets: Packet[] = [];
  /** Payload taken, as `fwd_cnt` tells it. */
  taken = 0;
  readonly #mark: number;

  constructor(socketPath: string) {
    const clock = new Clock();
    this.sockets = new UnixSockets({ path: socketPath });
    this.#io = new OutsideIo(clock);
    const device = new VirtioVsock({ cid: TEST_CID, io: this.#io, sockets: this.sockets });
    this.#bench = new DeviceBench(device, { clock, ram: 0x200_0000 });
    this.#bench.start();
    for (let count = 0; count < 32; count++) this.#bench.submit(V.RX_QUEUE, { in: [V.HDR_SIZE + 8192] });
    this.#mark = this.#bench.memory.mark;
  }

  send(
    op: number,
    ports: { guestPort: number; hostPort: number },
    data = new Uint8Array(0),
    flags = 0,
  ): void {
    const header = new Uint8Array(V.HDR_SIZE);
    const view = new DataView(header.buffer);
    view.setUint32(V.HDR_SRC_CID, TEST_CID, true);
    view.setUint32(V.HDR_DST_CID, V.HOST_CID, true);
    view.setUint32(V.HDR_SRC_PORT, ports.guestPort, true);
    view.setUint32(V.HDR_DST_PORT, ports.hostPort, true);
    view.setUint32(V.HDR_LEN, data.length, true);
    view.setUint16(V.HDR_TYPE, 1, true);
    view.setUint16(V.HDR_OP, op, true);
    view.setUint32(V.HDR_FLAGS, flags, true);
    view.setUint32(V.HDR_BUF_ALLOC, 65_536, true);
    view.setUint32(V.HDR_FWD_CNT, this.taken, true);
    if (this.#bench.memory.mark > this.#mark + 0x80_0000) this.#bench.memory.mark = this.#mark;
    this.#bench.submit(V.TX_QUEUE, { out: data.length > 0 ? [header, data] : [header] });
    this.#bench.run(100);
    while (this.#bench.queues[V.TX_QUEUE].poll() !== undefined);
  }

  /** Lets the machine run until something is so. */
  async until(done: () => boolean): Promise<void> {
    for (let left = 5000; !done(); left--) {
      if (left === 0)
        throw new Error(`it does not happen; packets: ${this.packets.map(({ op }) => op).join()}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      this.#io.deliver();
      this.#bench.run(1000);
      this.#collect();
    }
  }

  async next(): Promise<Packet> {
    await this.until(() => this.packets.length > 0);
    return this.packets.shift()!;
  }

  #collect(): void {
    const queue = this.#bench.queues[V.RX_QUEUE];
    for (let used = queue.poll(); used !== undefined; used = queue.poll()) {
      const { bytes } = used;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const data = bytes.slice(V.HDR_SIZE);
      this.taken += data.length;
      this.packets.push({
        op: view.getUint16(V.HDR_OP, true),
        guestPort: view.getUint32(V.HDR_DST_PORT, true),
        hostPort: view.getUint32(V.HDR_SRC_PORT, true),
        flags: view.getUint32(V.HDR_FLAGS, true),
        forwarded: view.getUint32(V.HDR_FWD_CNT, true),
        data,
      });
      if (this.#bench.memory.mark > this.#mark + 0x80_0000) this.#bench.memory.mark = this.#mark;
      this.#bench.submit(V.RX_QUEUE, { in: [V.HDR_SIZE + 8192] });
    }
  }
}

/** A program of the host at a UNIX socket. */
class Program {
  text = '';
  bytes = 0;
  ended = false;
  closed = false;

  constructor(readonly socket: Socket) {
    open.push(socket);
    socket.on('data', (data) => {
      this.bytes += data.length;
      if (this.text.length < 1000) this.text += data.toString('latin1');
    });
    socket.on('end', () => (this.ended = true));
    socket.on('close', () => (this.closed = true));
    socket.on('error', () => undefined);
  }
}

const dial = (): Program => new Program(connect({ path, allowHalfOpen: true }));

/** A server for the guest at `path_PORT`; what connected to it. */
async function serve(port: number): Promise<Program[]> {
  const programs: Program[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => programs.push(new Program(socket)));
  open.push(server);
  await new Promise<void>((resolve) => server.listen(`${path}_${port}`, resolve));
  return programs;
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

it('a program of the host reaches a port of the guest: CONNECT, OK, data, ends', async () => {
  const program = dial();
  program.socket.write('CONNECT 1024\nearly');
  const request = await guest.next();
  expect(request).toMatchObject({ op: V.OP_REQUEST, guestPort: 1024 });
  expect(program.text).toBe('');
  const ports = { guestPort: 1024, hostPort: request.hostPort };
  guest.send(V.OP_RESPONSE, ports);
  expect(text((await guest.next()).data)).toBe('early');
  expect(program.text).toBe(`OK ${request.hostPort}\n`);
  guest.send(V.OP_RW, ports, bytes('from the guest'));
  await guest.until(() => program.text.endsWith('from the guest'));
  program.socket.end('last');
  expect(text((await guest.next()).data)).toBe('last');
  expect(await guest.next()).toMatchObject({ op: V.OP_SHUTDOWN, flags: V.SHUTDOWN_SEND });
  guest.send(V.OP_RW, ports, bytes('!'));
  guest.send(V.OP_SHUTDOWN, ports, bytes(''), V.SHUTDOWN_BOTH);
  expect(await guest.next()).toMatchObject({ op: V.OP_RST });
  await guest.until(() => program.closed);
  expect(program.text.endsWith('!')).toBe(true);
});

it('a guest that refuses: the program sees its connection closed', async () => {
  const program = dial();
  program.socket.write('connect 7\n');
  const { hostPort } = await guest.next();
  guest.send(V.OP_RST, { guestPort: 7, hostPort });
  await guest.until(() => program.ended || program.closed);
  expect(program.text).toBe('');
});

it.each([
  'CONNECT\n',
  'CONNECT 4294967296\n',
  'GET / HTTP/1.1\r\n',
  'CONNECT 1x\n',
  `CONNECT ${'0'.repeat(40)}`,
])('a program that asks for something else is sent away: %j', async (line) => {
  const program = dial();
  program.socket.write(line);
  await guest.until(() => program.ended || program.closed);
  expect(guest.packets).toEqual([]);
});

it('the guest reaches who listens at path_PORT; where nobody does it gets RST', async () => {
  const programs = await serve(52);
  const ports = { guestPort: 9, hostPort: 52 };
  guest.send(V.OP_REQUEST, ports);
  expect(await guest.next()).toMatchObject({ op: V.OP_RESPONSE, ...ports });
  guest.send(V.OP_RW, ports, bytes('hello'));
  await guest.until(() => programs[0]?.text === 'hello');
  guest.send(V.OP_SHUTDOWN, ports, bytes(''), V.SHUTDOWN_SEND);
  await guest.until(() => programs[0].ended);
  programs[0].socket.end('answer');
  expect(text((await guest.next()).data)).toBe('answer');
  expect((await guest.next()).op).toBe(V.OP_SHUTDOWN);
  guest.send(V.OP_REQUEST, { guestPort: 10, hostPort: 53 });
  // The program has gone altogether, which the guest hears too, sooner or later.
  let packet = await guest.next();
  if (packet.op === V.OP_SHUTDOWN) packet = await guest.next();
  expect(packet).toMatchObject({ op: V.OP_RST, hostPort: 53 });
});

it('a program that goes away: SHUTDOWN; a guest that breaks off: the program sees the end', async () => {
  const programs = await serve(52);
  for (const guestPort of [1, 2]) {
    guest.send(V.OP_REQUEST, { guestPort, hostPort: 52 });
    expect((await guest.next()).op).toBe(V.OP_RESPONSE);
  }
  programs[0].socket.destroy();
  const flags = (await guest.next()).flags;
  expect(flags & V.SHUTDOWN_SEND).toBe(V.SHUTDOWN_SEND);
  guest.send(V.OP_RST, { guestPort: 2, hostPort: 52 });
  await guest.until(() => programs[1].ended || programs[1].closed);
});

it('2 MB each way at once, held back by credit in both directions', async () => {
  const programs = await serve(52);
  const ports = { guestPort: 9, hostPort: 52 };
  guest.send(V.OP_REQUEST, ports);
  await guest.next();
  await guest.until(() => programs.length > 0);
  const [program] = programs;
  const total = 2_000_000;
  program.socket.write(Buffer.alloc(total, 'x'));
  let sent = 0;
  let heard = 0;
  let forwarded = 0;
  while (heard < total || program.bytes < total) {
    while (sent < total && sent - forwarded + 50_000 <= BUFFER_SPACE) {
      guest.send(V.OP_RW, ports, new Uint8Array(50_000));
      sent += 50_000;
    }
    await guest.until(() => guest.packets.length > 0 || (heard === total && program.bytes === total));
    for (const packet of guest.packets.splice(0)) {
      heard += packet.data.length;
      forwarded = packet.forwarded;
    }
    guest.send(V.OP_CREDIT_UPDATE, ports);
  }
  expect([heard, program.bytes]).toEqual([total, total]);
});

it('a path that is taken is an error', async () => {
  const other = new UnixSockets({ path });
  await expect(other.ready()).rejects.toMatchObject({ code: 'bad-option' });
});
