import { createServer, type AddressInfo, type Server } from 'node:net';
import { capture, MemorySink, PcapngWriter } from '@vmloom/net';
import { readPcapng } from '@vmloom/net/testing';
import { debian, withPlan } from '../boot/initramfs.js';
import { STATION } from '../boot/boot.js';
import { readPcap } from '../capture/pcap.js';
import { tcpStreams } from '../capture/tcp-streams.js';
import { joined, writeCpio } from '../cpio.js';
import { PackageStore } from '../store.js';
import { packPrograms } from '../userland.js';
import { GATEWAY, nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest, TestContext } from './guest-test.js';
import { HttpPeer } from './http-peer.js';

const LENGTH = 1e6;
/** Bytes of the pings between which the two captures are compared: no other packet is so long. */
const MARKS = { first: 701, last: 702 } as const;
/** IEEE 802.3 3.2.8: the wire's least frame, without its FCS. */
const LEAST_FRAME = 60;
const ETHERNET_HEADER = 14;
/** Ethernet, IPv4 and ICMP headers around a ping's data. */
const PING_HEADERS = ETHERNET_HEADER + 20 + 8;
const LARGEST_FRAME = 1514;

/** tcpdump in the guest and the host's pcapng of the same port tell the same. */
export function captureTest(
  configuration: Configuration,
  set: GuestTest['set'],
  offloads: 'on' | 'off',
): GuestTest {
  return {
    name: `${nameOf(configuration)}: tcpdump and pcapng, offloads ${offloads}`,
    set,
    run: async (context) => {
      const peer = new HttpPeer(LENGTH);
      const collector = new Collector();
      try {
        const plan = capturePlan(await peer.listen(), await collector.listen(), offloads);
        const userland = new PackageStore('trixie', { update: context.update });
        const tcpdump = packPrograms(userland, [{ package: 'tcpdump', path: 'usr/bin/tcpdump' }]);
        const { root } = debian(configuration.series, { update: context.update });
        const sink = new MemorySink();
        const { shown } = await runPlan(context, configuration, plan, {
          initrd: withPlan(joined([root, writeCpio(tcpdump)]), plan),
          memory: '256MiB',
          network: true,
          hostTime: true,
          wire: (port, { clock }) => capture(port, new PcapngWriter(sink), clock),
        });
        const { report } = context;
        const said = shown.get('tcpdump')?.text ?? '';
        report.check(
          'the kernel dropped nothing of tcpdump',
          /\n0 packets dropped by kernel/.test(said),
          said,
        );
        const guest = between(readPcap(collector.bytes()), 'guest');
        const host = between(
          readPcapng(sink.toBytes()).packets.map(({ bytes }) => bytes),
          'host',
        );
        report.note(`${guest.length} packets in the guest's capture, ${host.length} in the host's`);
        if (offloads === 'off') comparePackets(context, guest, host);
        else compareStreams(context, guest, host);
      } finally {
        peer.close();
        collector.close();
      }
    },
  };
}

function capturePlan(http: number, collector: number, offloads: 'on' | 'off'): string {
  const header = `PUT /file HTTP/1.0\\r\\nContent-Length: ${LENGTH}\\r\\n\\r\\n`;
  const mark = (size: number): string => `/usr/bin/ping -c 1 -W 3 -s ${size} ${GATEWAY}`;
  return `
modprobe e1000
modprobe af_packet
check dhcp dhcp eth0
carrier_is() { [ "$(cat /sys/class/net/eth0/carrier)" = $1 ]; }
turn() { ethtool -K eth0 rx $1 tx $1 tso $1 gso $1 gro $1 && within 10 carrier_is 1; }
check offloads turn ${offloads}
sniffing() { grep -q 'listening on' /run/said; }
download() { wget -q -O /run/file http://${GATEWAY}:${http}/file; }
upload() { { printf '${header}'; cat /run/file; } | nc ${GATEWAY} ${http} | grep taken; }
tcpdump -Z root -B 16384 -U -n -i eth0 -w /run/capture 2> /run/said &
check tcpdump-listens within 20 sniffing
check first-mark ${mark(MARKS.first)}
check download download
check upload upload
check other-sizes /usr/bin/ping -c 3 -i 0.1 -W 3 -s 1 ${GATEWAY}
check fragments /usr/bin/ping -c 1 -W 3 -s 4000 ${GATEWAY}
check last-mark ${mark(MARKS.last)}
sleep 1
kill -INT $!
wait $!
show tcpdump cat /run/said
send() { nc ${GATEWAY} ${collector} < /run/capture; }
check send-capture send
finish poweroff -f
`;
}

/** Takes what one connection sends. */
class Collector {
  readonly #pieces: Uint8Array[] = [];
  readonly #server: Server = createServer((socket) => {
    socket.on('data', (bytes: Uint8Array) => this.#pieces.push(bytes));
    socket.on('error', () => socket.destroy());
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  bytes(): Uint8Array {
    return joined(this.#pieces);
  }

  close(): void {
    this.#server.close();
  }
}

interface Directions {
  readonly sent: readonly Uint8Array[];
  readonly received: readonly Uint8Array[];
  readonly length: number;
}

/** What each direction carried from the first mark to the last; the two captures interleave them differently. */
function between(frames: readonly Uint8Array[], whose: string): Directions {
  const part = (way: 'sent' | 'received'): readonly Uint8Array[] => {
    const own = frames.filter((frame) => (macAt(frame, 6) === STATION) === (way === 'sent'));
    const place = (size: number): number => own.findIndex((frame) => frame.length === PING_HEADERS + size);
    const [first, last] = [place(MARKS.first), place(MARKS.last)];
    if (first < 0 || last < first) throw new Error(`the ${whose}'s capture has no marks in what it ${way}`);
    return own.slice(first, last + 1);
  };
  const [sent, received] = [part('sent'), part('received')];
  return { sent, received, length: sent.length + received.length };
}

function macAt(frame: Uint8Array, at: number): string {
  return [...frame.subarray(at, at + 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function comparePackets({ report }: TestContext, guest: Directions, host: Directions): void {
  for (const way of ['sent', 'received'] as const) {
    const [ours, theirs] = [host[way], guest[way]];
    const different = ours.findIndex((frame, index) => !sameFrame(frame, theirs[index]));
    const same = different < 0 && ours.length === theirs.length;
    const detail = `${theirs.length} and ${ours.length}, the first different one is number ${different}`;
    report.check(`what the guest ${way} agrees packet for packet`, same && ours.length > 100, detail);
  }
}

/** The guest's is without the padding that the wire needs. */
function sameFrame(wire: Uint8Array, guest: Uint8Array | undefined): boolean {
  if (guest === undefined || guest.length > wire.length) return false;
  if (guest.length < wire.length && wire.length !== LEAST_FRAME) return false;
  return wire.every((byte, index) => byte === (guest[index] ?? 0));
}

function compareStreams({ report }: TestContext, guest: Directions, host: Directions): void {
  const longest = (frames: readonly Uint8Array[]): number => Math.max(...frames.map(({ length }) => length));
  report.check(
    'the guest hands segments over uncut, the wire has them cut',
    longest(guest.sent) > LARGEST_FRAME && longest(host.sent) <= LARGEST_FRAME,
    `${longest(guest.sent)} and ${longest(host.sent)} bytes`,
  );
  const streams = (directions: Directions): ReturnType<typeof tcpStreams> =>
    tcpStreams([...directions.sent, ...directions.received]);
  const [ours, theirs] = [streams(host), streams(guest)];
  // Each of the two transfers is a stream of requests and one of answers.
  report.check('both captures have the same streams', ours.length === 4 && theirs.length === 4);
  for (const stream of ours) {
    const other = theirs.find(({ name }) => name === stream.name);
    const same = other !== undefined && Buffer.compare(stream.bytes, other.bytes) === 0;
    const lengths = `${stream.bytes.length} and ${other?.bytes.length ?? 'no'} bytes`;
    report.check(`${stream.name} is whole and the same`, same && stream.whole && other.whole, lengths);
  }
  const long = ours.filter(({ bytes }) => bytes.length > LENGTH).length;
  report.check('the file is in two of them', long === 2, `${long}`);
}
