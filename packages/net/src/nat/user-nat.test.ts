import { describe, expect, it } from 'vitest';
import { Random } from '../random.js';
import {
  arpPacket,
  bytesOf,
  decodePayload,
  icmpMessage,
  ipv4Packet,
  udpDatagram,
  type Decoded,
} from '../testing/index.js';
import { setUpNat as setUp } from '../testing/index.js';
import { parseHostForward } from './options.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('ARP', () => {
  it('RFC 826: requests for the gateway and the name server are answered, others are not', () => {
    const { guest } = setUp();
    const [reply] = guest.arp('10.0.2.2');
    expect(reply.arp).toEqual({
      operation: 2,
      mac: '52:55:0a:00:02:02',
      ip: '10.0.2.2',
      targetMac: guest.mac,
      targetIp: '10.0.2.15',
    });
    expect([reply.to, reply.from]).toEqual([guest.mac, '52:55:0a:00:02:02']);
    expect(guest.arp('10.0.2.3')).toHaveLength(1);
    expect(guest.arp('10.0.2.99')).toEqual([]);
  });

  it('RFC 5227 2.1.1: a probe for a free address is not answered and nothing is learned from it', () => {
    const { guest, nat } = setUp();
    guest.ip = '0.0.0.0';
    expect(guest.arp('10.0.2.15')).toEqual([]);
    expect(nat.save()['arp']).toEqual([]);
  });

  it('RFC 826: packets of a wrong kind or length are ignored', () => {
    const { guest } = setUp();
    const sound = arpPacket(1, guest.mac, guest.ip, '00:00:00:00:00:00', '10.0.2.2');
    guest.sendFrame(0x0806, sound.subarray(0, 27));
    for (const [at, value] of [
      [1, 6],
      [2, 9],
      [4, 8],
      [5, 6],
      [7, 3],
    ] as const) {
      const broken = sound.slice();
      broken[at] = value;
      guest.sendFrame(0x0806, broken);
    }
    expect(guest.take()).toEqual([]);
  });

  it('RFC 1122 2.3.2.2: a datagram for a guest not yet known waits for the answer to one request', () => {
    const { guest, outside, settle } = setUp({ forwards: [parseHostForward('udp::5000-:7')] });
    outside.arrive('forward-data', { forward: 0, address: '127.0.0.1', port: 999, bytes: text('one') });
    outside.arrive('forward-data', { forward: 0, address: '127.0.0.1', port: 999, bytes: text('two') });
    const asked = settle();
    expect(asked).toHaveLength(1);
    expect(asked[0].arp).toMatchObject({ operation: 1, targetIp: '10.0.2.15' });
    guest.sendFrame(0x0806, arpPacket(2, guest.mac, guest.ip, '52:55:0a:00:02:02', '10.0.2.2'));
    expect(guest.take().map((frame) => new TextDecoder().decode(frame.udp!.data))).toEqual(['one', 'two']);
  });
});

describe('IPv4', () => {
  const good = { to: '10.0.2.2', protocol: 1, payload: icmpMessage(8, 0, Uint8Array.of(0, 1, 0, 1, 9, 9)) };

  it('RFC 791 3.1: headers that are not sound are dropped and counted', () => {
    const { guest, ledger } = setUp();
    const breakers: ((packet: Uint8Array) => void)[] = [
      (packet) => (packet[0] = 0x65),
      (packet) => (packet[0] = 0x44),
      (packet) => (packet[0] = 0x4f),
      (packet) => (packet[3] = 0xff),
      (packet) => (packet[3] = 10),
      (packet) => (packet[8] ^= 1),
    ];
    for (const spoil of breakers) {
      guest.sendIp(good);
      const frame = guest.received.length;
      expect(frame).toBeGreaterThan(0);
      const packet = ipv4Packet({ from: guest.ip, ...good });
      spoil(packet);
      guest.sendFrame(0x0800, packet);
    }
    expect(guest.take()).toEqual([]);
    expect(guest.received).toHaveLength(breakers.length);
    expect(ledger.total({ owner: 'nat', event: 'drop', reason: 'malformed' })).toBe(breakers.length);
  });

  it('RFC 791 3.1: options are passed over', () => {
    const { guest } = setUp();
    expect(guest.sendIp({ ...good, options: Uint8Array.of(1, 1, 1, 0) })).toHaveLength(1);
  });

  it('a source that does not belong to the network is dropped', () => {
    const { guest, outside } = setUp();
    guest.ip = '192.168.1.1';
    expect(guest.ping('10.0.2.2', new Uint8Array(8))).toEqual([]);
    guest.ip = '10.0.2.2';
    guest.udp(1, '1.1.1.1', 2, text('x'));
    expect(outside.calls).toEqual([]);
  });

  it('RFC 791 3.2: fragments in any order are put together, replies cut to the MTU', () => {
    const { guest } = setUp();
    const data = new Random(3).fill(new Uint8Array(4000));
    const message = icmpMessage(8, 0, bytesOf([0, 7, 0, 1], data));
    const cuts = [
      [2960, message.length, 0],
      [0, 1480, 0x2000],
      [1480, 2960, 0x2000],
    ] as const;
    let frames: Decoded[] = [];
    for (const [from, end, more] of cuts) {
      frames = guest.sendIp({
        to: '10.0.2.2',
        protocol: 1,
        identification: 77,
        fragment: more | (from / 8),
        payload: message.slice(from, end),
      });
    }
    expect(frames.map((frame) => frame.ip!.fragment)).toEqual([0x2000, 0x2000 | 185, 370]);
    expect(new Set(frames.map((frame) => frame.ip!.identification)).size).toBe(1);
    const whole = bytesOf(...frames.map((frame) => frame.ip!.payload));
    const reply = decodePayload({ ...frames[0].ip!, payload: whole }).icmp!;
    expect([reply.type, reply.sound]).toEqual([0, true]);
    expect(reply.rest.slice(4)).toEqual(data);
  });

  it('RFC 1858: overlapping, endless or oversized fragments end in nothing, within bounds', () => {
    const { guest, clock, nat } = setUp();
    const fragment = (identification: number, offset: number, length: number, more: boolean): Decoded[] =>
      guest.sendIp({
        to: '10.0.2.2',
        protocol: 1,
        identification,
        fragment: (more ? 0x2000 : 0) | (offset / 8),
        payload: new Uint8Array(length),
      });
    fragment(1, 0, 800, true);
    fragment(1, 400, 800, true);
    fragment(2, 65_528, 800, false);
    fragment(3, 0, 0, true);
    fragment(3, 0, 13, true);
    for (let index = 0; index < 3000; index++) fragment(100 + index, 8, 8, true);
    expect(guest.received).toEqual([]);
    expect(nat.save()['sweeping']).toBe(true);
    clock.runUntil(100e9);
    expect(nat.save()['sweeping']).toBe(false);
  });

  it('RFC 1812 5.3.1: a packet whose time to live ends here is answered with time exceeded', () => {
    const { guest } = setUp();
    const payload = udpDatagram(guest.ip, 33_000, '8.8.8.8', 33_434, new Uint8Array(12));
    const [answer] = guest.sendIp({ to: '8.8.8.8', protocol: 17, payload, ttl: 1 });
    expect(answer.icmp).toMatchObject({ type: 11, code: 0, sound: true });
    expect(guest.ping('8.8.8.8', new Uint8Array(8), 1)[0].icmp!.type).toBe(11);
    expect(guest.ping('10.0.2.2', new Uint8Array(8), 1)[0].icmp!.type).toBe(0);
  });
});

describe('ICMP', () => {
  it('RFC 792 echo: gateway and name server answer with the same identifier, sequence and data', () => {
    const { guest } = setUp();
    for (const address of ['10.0.2.2', '10.0.2.3']) {
      const [reply] = guest.ping(address, text('hello'));
      expect(reply.ip).toMatchObject({ from: address, to: '10.0.2.15', sound: true });
      expect(reply.icmp).toMatchObject({ type: 0, code: 0, sound: true });
      expect(reply.icmp!.rest).toEqual(bytesOf([0x12, 0x34, 0, 1], text('hello')));
    }
  });

  it('RFC 792: a message with a wrong checksum is not answered', () => {
    const { guest } = setUp();
    const message = icmpMessage(8, 0, new Uint8Array(8));
    message[7] ^= 1;
    expect(guest.sendIp({ to: '10.0.2.2', protocol: 1, payload: message })).toEqual([]);
  });

  it('echo elsewhere is asked of the outside: a reply, an unreachable, or silence', () => {
    const { guest, outside, settle } = setUp();
    for (let index = 0; index < 3; index++) expect(guest.ping('8.8.8.8', text(`data${index}`))).toEqual([]);
    const asked = outside.of('ping');
    expect(asked.map(({ address, amount }) => [address, amount])).toEqual(new Array(3).fill(['8.8.8.8', 5]));
    outside.arrive('ping-result', { request: asked[0].flow!, failure: '' });
    outside.arrive('ping-result', { request: asked[1].flow!, failure: 'host-unreachable' });
    outside.arrive('ping-result', { request: asked[2].flow!, failure: 'timeout' });
    outside.arrive('ping-result', { request: asked[0].flow!, failure: '' });
    const answers = settle();
    expect(answers.map((frame) => [frame.ip!.from, frame.icmp!.type, frame.icmp!.code])).toEqual([
      ['8.8.8.8', 0, 0],
      ['10.0.2.2', 3, 1],
    ]);
    expect(answers[0].icmp!.rest.slice(4)).toEqual(text('data0'));
  });

  it('RFC 792 destination unreachable carries the header and 8 bytes of the packet', () => {
    const { guest } = setUp();
    const [answer] = guest.udp(4000, '10.0.2.77', 5000, text('lost'));
    expect(answer.icmp).toMatchObject({ type: 3, code: 1, sound: true });
    const original = answer.icmp!.rest.slice(4);
    expect(original).toHaveLength(28);
    expect([...original.slice(12, 24)]).toEqual([10, 0, 2, 15, 10, 0, 2, 77, 0x0f, 0xa0, 0x13, 0x88]);
  });

  it('RFC 1122 3.2.2: no error about groups, none about errors', () => {
    const { guest } = setUp();
    expect(guest.udp(1, '224.0.0.251', 5353, text('mdns'))).toEqual([]);
    expect(guest.udp(1, '10.0.2.255', 137, text('name'))).toEqual([]);
    const error = icmpMessage(3, 3, new Uint8Array(32));
    expect(guest.sendIp({ to: '10.0.2.77', protocol: 1, payload: error })).toEqual([]);
  });
});

describe('UDP', () => {
  it('RFC 4787 4.1: one outside socket for each endpoint of a guest, whatever the destination', () => {
    const { guest, outside, settle } = setUp();
    guest.udp(4000, '10.0.2.2', 5000, text('a'));
    guest.udp(4000, '9.9.9.9', 5001, text('b'));
    guest.udp(4001, '9.9.9.9', 5001, text('c'));
    expect(outside.of('udpOpen')).toHaveLength(2);
    const sent = outside.of('udpSend');
    expect(sent.map(({ address, port }) => [address, port])).toEqual([
      ['127.0.0.1', 5000],
      ['9.9.9.9', 5001],
      ['9.9.9.9', 5001],
    ]);
    expect(sent[0].flow).toBe(sent[1].flow);
    outside.arrive('udp-data', {
      flow: sent[0].flow!,
      address: '127.0.0.1',
      port: 5000,
      bytes: text('reply'),
    });
    outside.arrive('udp-data', {
      flow: sent[2].flow!,
      address: '9.9.9.9',
      port: 5001,
      bytes: new Uint8Array(0),
    });
    const [first, second] = settle();
    expect(first.ip).toMatchObject({ from: '10.0.2.2', to: '10.0.2.15' });
    expect(first.udp).toMatchObject({ fromPort: 5000, toPort: 4000, sound: true, data: text('reply') });
    expect(second.udp).toMatchObject({ fromPort: 5001, toPort: 4001, sound: true });
  });

  it('RFC 768: lengths that lie and wrong checksums are dropped; a checksum of 0 means none', () => {
    const { guest, outside } = setUp();
    const sound = udpDatagram(guest.ip, 1, '9.9.9.9', 2, text('data'));
    const send = (change: (datagram: Uint8Array) => void): void => {
      const datagram = sound.slice();
      change(datagram);
      guest.sendIp({ to: '9.9.9.9', protocol: 17, payload: datagram });
    };
    send((datagram) => (datagram[5] = 200));
    send((datagram) => (datagram[5] = 7));
    send((datagram) => (datagram[9] ^= 1));
    guest.sendIp({ to: '9.9.9.9', protocol: 17, payload: sound.subarray(0, 6) });
    expect(outside.of('udpSend')).toHaveLength(0);
    send((datagram) => datagram.fill(0, 6, 8));
    expect(outside.of('udpSend')[0].bytes).toEqual(text('data'));
  });

  it('a datagram longer than the MTU reaches the guest in fragments', () => {
    const { guest, outside, settle } = setUp();
    guest.udp(4000, '9.9.9.9', 1, text('x'));
    const bytes = new Random(1).fill(new Uint8Array(60_000));
    outside.arrive('udp-data', { flow: outside.of('udpSend')[0].flow!, address: '9.9.9.9', port: 1, bytes });
    const frames = settle();
    expect(frames.length).toBe(41);
    const whole = decodePayload({
      ...frames[0].ip!,
      payload: bytesOf(...frames.map((frame) => frame.ip!.payload)),
    });
    expect(whole.udp!.sound).toBe(true);
    expect(whole.udp!.data).toEqual(bytes);
  });

  it('RFC 4787 4.3 REQ-5: an idle flow ends after 300 s of virtual time, a used one lives on', () => {
    const { clock, guest, outside } = setUp();
    guest.udp(1, '9.9.9.9', 1, text('x'));
    guest.udp(2, '9.9.9.9', 1, text('x'));
    clock.runUntil(200e9);
    guest.udp(1, '9.9.9.9', 1, text('x'));
    clock.runUntil(306e9);
    expect(outside.of('udpClose').map(({ flow }) => flow)).toEqual([outside.of('udpSend')[1].flow]);
    clock.runUntil(600e9);
    expect(outside.of('udpClose')).toHaveLength(2);
  });

  it('flows are bounded: the one unused longest makes room', () => {
    const { clock, guest, outside, nat } = setUp({ maxFlows: 10 });
    for (let port = 1; port <= 500; port++) {
      clock.runUntil(port);
      guest.udp(port, '9.9.9.9', 1, text('x'));
    }
    expect(nat.udp.count).toBe(10);
    expect(outside.of('udpClose')).toHaveLength(490);
  });

  it('RFC 1122 4.1.3.1: a refused datagram is answered with port unreachable', () => {
    const { guest, outside, settle } = setUp();
    guest.udp(4000, '9.9.9.9', 7, text('x'));
    const { flow } = outside.of('udpSend')[0];
    outside.arrive('udp-failed', { flow: flow!, address: '9.9.9.9', port: 7, failure: 'refused' });
    const [answer] = settle();
    expect(answer.icmp).toMatchObject({ type: 3, code: 3 });
    expect([...answer.icmp!.rest.slice(20, 28)]).toEqual([9, 9, 9, 9, 0x0f, 0xa0, 0, 7]);
  });

  it("RFC 1035 4.2.1: queries to the name server go to the host's resolver, answers come from the name server", () => {
    const { guest, outside, settle } = setUp();
    const query = Uint8Array.of(0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 1, 0, 1);
    guest.udp(5353, '10.0.2.3', 53, query);
    const [sent] = outside.of('udpSend');
    expect(sent).toMatchObject({ address: 'resolver', port: 53, bytes: query });
    outside.arrive('udp-data', { flow: sent.flow!, address: 'resolver', port: 53, bytes: query });
    const [answer] = settle();
    expect(answer.ip!.from).toBe('10.0.2.3');
    expect(answer.udp).toMatchObject({ fromPort: 53, toPort: 5353, data: query });
    expect(guest.udp(5353, '10.0.2.3', 54, query)[0].icmp).toMatchObject({ type: 3, code: 3 });
  });

  it('a forwarded port: the guest sees the peer, its answer leaves by the forwarded port', () => {
    const { guest, outside, settle } = setUp({
      forwards: [parseHostForward('udp:127.0.0.1:5000-10.0.2.15:7')],
    });
    expect(outside.of('listen-udp')).toEqual([
      { call: 'listen-udp', forward: 0, address: '127.0.0.1', port: 5000 },
    ]);
    guest.arp('10.0.2.2');
    outside.arrive('forward-data', { forward: 0, address: '192.0.2.7', port: 999, bytes: text('in') });
    const [seen] = settle();
    expect(seen.ip!.from).toBe('192.0.2.7');
    expect(seen.udp).toMatchObject({ fromPort: 999, toPort: 7, data: text('in') });
    guest.udp(7, '192.0.2.7', 999, text('out'));
    expect(outside.of('forwardSend')).toEqual([
      { call: 'forwardSend', forward: 0, address: '192.0.2.7', port: 999, bytes: text('out') },
    ]);
    guest.udp(8, '192.0.2.7', 999, text('other'));
    expect(outside.of('udpSend')).toHaveLength(1);
  });

  it("addresses that lead nowhere: the host's own loopback, groups, this network", () => {
    const { guest, outside } = setUp();
    for (const address of ['127.0.0.1', '0.1.2.3', '10.0.2.4', '240.0.0.1', '255.255.255.255']) {
      guest.udp(1, address, 1, text('x'));
    }
    expect(outside.of('udpSend')).toEqual([]);
  });

  it("restrict: nothing of the guest's gets out", () => {
    const { guest, outside } = setUp({ restrict: true });
    expect(guest.udp(1, '9.9.9.9', 1, text('x'))[0].icmp).toMatchObject({ type: 3, code: 13 });
    expect(guest.udp(1, '10.0.2.3', 53, text('x'))[0].icmp).toMatchObject({ type: 3, code: 13 });
    expect(guest.ping('9.9.9.9', text('x'))[0].icmp).toMatchObject({ type: 3, code: 13 });
    expect(outside.calls).toEqual([]);
  });
});

it('datagrams that a blocked guest does not take wait within a bound; what is beyond is dropped and counted', () => {
  const { guest, outside, settle, ledger } = setUp();
  guest.udp(4000, '9.9.9.9', 1, text('x'));
  guest.room = 0;
  const { flow } = outside.of('udpSend')[0];
  for (let index = 0; index < 1500; index++) {
    outside.arrive('udp-data', {
      flow: flow!,
      address: '9.9.9.9',
      port: 1,
      bytes: Uint8Array.of(index >> 8, index),
    });
  }
  expect(settle()).toEqual([]);
  expect(ledger.total({ owner: 'nat', event: 'drop', reason: 'output-full' })).toBe(1500 - 1024);
  guest.admit(Infinity);
  const taken = guest.take();
  expect(taken).toHaveLength(1024);
  expect([...taken[1023].udp!.data]).toEqual([1023 >> 8, 1023 & 0xff]);
});

it('what goes out holds idle time until something arrives', async () => {
  const { guest, outside, io } = setUp({ hold: 1000 });
  let arrived = (): void => undefined;
  outside.settled = () => new Promise((resolve) => (arrived = resolve));
  expect(io.outstanding).toBe(0);
  guest.udp(1, '9.9.9.9', 1, text('x'));
  guest.udp(1, '9.9.9.9', 1, text('y'));
  expect(io.outstanding).toBe(1);
  arrived();
  await new Promise((resolve) => setTimeout(resolve, 1));
  io.deliver();
  expect(io.outstanding).toBe(0);
});

it('options out of range are NetErrors that name the value', () => {
  for (const options of [
    { network: '10.0.0.0/31' },
    { network: '10.0.0' },
    { gateway: '10.1.0.1' },
    { dns: '10.0.2.2' },
    { mtu: 100 },
    { mac: '01:00:00:00:00:00' },
    { forwards: [{ protocol: 'tcp' as const, hostPort: 70_000, guestPort: 1 }] },
  ]) {
    expect(() => setUp(options)).toThrow(expect.objectContaining({ name: 'NetError' }));
  }
  expect(() => parseHostForward('tcp:5555-22')).toThrow(/tcp:127.0.0.1:2222-10.0.2.15:22/);
  expect(parseHostForward('tcp::5555-:22')).toEqual({ protocol: 'tcp', hostPort: 5555, guestPort: 22 });
});

it('another network: addresses follow it', () => {
  const { guest } = setUp({ network: '192.168.76.0/24' });
  guest.ip = '192.168.76.9';
  expect(guest.arp('192.168.76.2')).toHaveLength(1);
  expect(guest.ping('192.168.76.3', text('x'))).toHaveLength(1);
});
