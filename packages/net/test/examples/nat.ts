import { createSocket } from 'node:dgram';
import { Clock, OutsideIo } from '@vmloom/device';
import { UserNat } from '../../src/index.js';
import { HostNetwork } from '../../src/node/index.js';
import { decodeFrame, TestGuest } from '../../src/testing/index.js';

// A server of the host that answers in capitals.
const server = createSocket('udp4');
server.on('message', (bytes, peer) => server.send(bytes.toString().toUpperCase(), peer.port, peer.address));
await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));

const clock = new Clock();
const io = new OutsideIo(clock);
const nat = new UserNat({ clock, io, outside: new HostNetwork() });

// A guest's NIC would hold nat.port; here a test driver does. 10.0.2.2 is the host's loopback.
const guest = new TestGuest(nat.port, clock);
guest.udp(4000, '10.0.2.2', server.address().port, new TextEncoder().encode('hello host'));

// The run loop: what came from outside gets its place on the clock, then the clock runs.
while (guest.received.length === 0) {
  await new Promise((resolve) => setTimeout(resolve, 1));
  io.deliver();
  clock.runUntil(clock.now + 1_000_000);
}
export const answer = new TextDecoder().decode(decodeFrame(guest.received[0]).udp?.data);

nat.close();
server.close();
