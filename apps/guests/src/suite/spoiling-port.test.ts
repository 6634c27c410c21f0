import { Frame, type Port, type PortOwner } from '@vmloom/net';
import { bytesOf, decodeFrame, ipv4Packet, tcpSegment, udpDatagram } from '@vmloom/net/testing';
import { expect, it } from 'vitest';
import { spoiling } from './spoiling-port.js';

const [from, to] = ['10.0.2.2', '10.0.2.15'];

function frame(protocol: number, payload: Uint8Array): Uint8Array {
  return bytesOf(new Uint8Array(12), [8, 0], ipv4Packet({ from, to, protocol, payload }));
}

function segment(length: number): Uint8Array {
  const data = new Uint8Array(length).fill(3);
  return frame(6, tcpSegment(from, to, { fromPort: 80, toPort: 4000, sequence: 1, flags: 16, data }));
}

it('RFC 9293 3.1: every third long segment arrives with a wrong checksum, everything else as it is', () => {
  let owner: PortOwner | undefined;
  const port: Port = {
    name: 'port',
    up: true,
    send: () => true,
    attach: (one) => void (owner = one),
    ready: () => undefined,
  };
  const received: Uint8Array[] = [];
  spoiling(port, 3).attach({ receive: (one) => received.push(one.toBytes()) > 0 });
  const datagram = frame(17, udpDatagram(from, 1, to, 2, new Uint8Array(1200)));
  const sent = [1400, 10, 1400, 1400, 1400, 1400, 1400].map(segment);
  sent.splice(3, 0, datagram);
  for (const bytes of sent) expect(owner?.receive(Frame.of(bytes))).toBe(true);
  const sound = received.map((bytes) => {
    const { tcp, udp } = decodeFrame(bytes);
    return tcp?.sound ?? udp?.sound;
  });
  expect(sound).toEqual([true, true, true, true, false, true, true, false]);
  expect(received.filter((_, index) => sound[index])).toEqual(sent.filter((_, index) => sound[index]));
  expect(received.map(({ length }) => length)).toEqual(sent.map(({ length }) => length));
});
