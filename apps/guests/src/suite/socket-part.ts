import { VirtioPci, VirtioVsock } from '@vmloom/virtio';
import { UnixSockets } from '@vmloom/virtio/node';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DevicePart } from './device-part.js';

const CID = 42;
const SIZE = 1_000_000;
const HOST_PORT = 52;
const GUEST_PORT = 1024;
const LISTENING = 'vsock: the guest listens';

/** Streams both ways: the host echoes what the guest sends, and the guest what a program of the host does. */
export function socketPart(): DevicePart {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  const path = join(folder, 'vsock');
  const sockets = new UnixSockets({ path });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  }).listen(`${path}_${HOST_PORT}`);
  const sent = Buffer.from(new Uint8Array(SIZE).map((_, at) => (at * 13) ^ (at >> 8)));
  let back: Promise<Buffer> = Promise.resolve(Buffer.alloc(0));
  return {
    modules: ['vmw_vsock_virtio_transport'],
    programs: [{ package: 'socat', path: 'usr/bin/socat' }],
    plan: `
check vsock-modprobe modprobe vmw_vsock_virtio_transport
check vsock-module-is-bound test -e /sys/bus/virtio/drivers/vmw_vsock_virtio_transport/virtio*
head -c ${SIZE} /dev/urandom > /run/sent
to_host() { socat -t 60 - VSOCK-CONNECT:2:${HOST_PORT} < /run/sent > /run/back && cmp /run/sent /run/back; }
check vsock-echo-by-host to_host
refused() { ! socat -u /dev/null VSOCK-CONNECT:2:53; }
check vsock-nobody-listens refused
from_host() { socat -t 60 VSOCK-LISTEN:${GUEST_PORT} EXEC:cat; }
echo "${LISTENING}"
check vsock-echo-by-guest from_host
`,
    plug: ({ machine }) => {
      const device = new VirtioVsock({ cid: CID, io: machine.world.outside, sockets });
      machine.pcie.plug(new VirtioPci({ device, packed: true }));
      back = machine.console.waitFor(new RegExp(LISTENING)).then(
        () => talk(path, sent),
        () => Buffer.alloc(0),
      );
    },
    judge: async (report) => {
      const found = await back;
      report.check(
        'vsock: the guest echoes what the host sent',
        found.equals(sent),
        `${found.length} of ${SIZE} bytes`,
      );
    },
    close: async () => {
      await Promise.all([sockets.close(), closed(server)]);
      rmSync(folder, { recursive: true });
    },
  };
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Asks for the guest's port until somebody listens there, sends, and gives what came back. */
async function talk(path: string, bytes: Buffer): Promise<Buffer> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await attemptToTalk(path, bytes);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return Buffer.alloc(0);
}

/** Undefined when the guest does not take the connection. */
function attemptToTalk(path: string, bytes: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const socket = connect(path);
    socket.on('error', () => resolve(undefined));
    socket.on('connect', () => socket.write(`CONNECT ${GUEST_PORT}\n`));
    socket.once('data', (first) => {
      const line = first.indexOf('\n') + 1;
      pieces.push(first.subarray(line));
      socket.on('data', (piece) => pieces.push(piece));
      socket.end(bytes);
    });
    socket.on('close', () => resolve(pieces.length === 0 ? undefined : Buffer.concat(pieces)));
  });
}
