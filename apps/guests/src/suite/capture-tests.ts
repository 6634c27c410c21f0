import { STATION } from '../boot/boot.js';
import { tcpStreams } from '../capture/tcp-streams.js';
import { GATEWAY, nameOf, type Configuration } from './debian-run.js';
import type { GuestTest, TestContext } from './guest-test.js';
import { runCaptured } from './two-captures.js';

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
      const plan = capturePlan(offloads);
      const { guest: seen, host: passed } = await runCaptured(context, configuration, {
        length: LENGTH,
        plan,
      });
      const [guest, host] = [between(seen, 'guest'), between(passed, 'host')];
      context.report.note(`${guest.length} packets in the guest's capture, ${host.length} in the host's`);
      if (offloads === 'off') comparePackets(context, guest, host);
      else compareStreams(context, guest, host);
    },
  };
}

function capturePlan(offloads: 'on' | 'off'): string {
  const mark = (size: number): string => `/usr/bin/ping -c 1 -W 3 -s ${size} ${GATEWAY}`;
  return `
check dhcp dhcp eth0
check offloads turn rx ${offloads} tx ${offloads} tso ${offloads} gso ${offloads} gro ${offloads}
check tcpdump-listens sniff
check first-mark ${mark(MARKS.first)}
check download download
check upload upload
check other-sizes /usr/bin/ping -c 3 -i 0.1 -W 3 -s 1 ${GATEWAY}
check fragments /usr/bin/ping -c 1 -W 3 -s 4000 ${GATEWAY}
check last-mark ${mark(MARKS.last)}
`;
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
