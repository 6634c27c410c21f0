/** What the machine under test does, with a peer at the other end of the wire. */
export interface Workload {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** Who types the command: the machine under test, or its peer. */
  readonly by: 'subject' | 'peer';
  readonly command: string;
  /** What that console shows when it is over. */
  readonly end: RegExp;
  /** What counts, and whose console shows it; what it caught goes to {@link Workload.read}. */
  readonly outcome: { readonly by: 'subject' | 'peer'; readonly line: RegExp };
  /** Bytes of payload of a packet. */
  readonly size: number;
  /** Packets, and their time in nanoseconds, or the times of round trips. */
  read(match: RegExpExecArray): { packets: number; time: number; latency?: Latency };
}

/** Of round trips, nanoseconds. */
export interface Latency {
  readonly min: number;
  readonly avg: number;
  readonly max: number;
}

const SUBJECT = '10.0.0.1';
const PEER = '10.0.0.2';
/** What of a frame is no payload: Ethernet, IPv4 and UDP headers. */
export const HEADERS = 42;

/** A stream of datagrams; sent by the machine under test, or received by it at the pace of a gigabit wire. */
export function stream(direction: 'tx' | 'rx', size: number, packets: number): Workload {
  const to = direction === 'tx' ? PEER : SUBJECT;
  return {
    name: `${direction}-${size}`,
    summary: `UDP stream ${direction === 'tx' ? 'sent' : 'received'}, ${size} bytes a packet`,
    by: direction === 'tx' ? 'subject' : 'peer',
    command: `udp-stream -n ${packets} -s ${size} -t 60000 ${to}`,
    end: /udp-stream: .*(?:lost|no report)/,
    // What arrived, and when: a sender's time ends when the last packet is queued.
    outcome: {
      by: direction === 'tx' ? 'peer' : 'subject',
      line: /udp-sink: (\d+) packets, \d+ bytes, \d+ lost, (\d+) ns/,
    },
    size,
    read: ([, arrived, time]) => ({ packets: Number(arrived), time: Number(time) }),
  };
}

/** Requests of the machine under test that its peer answers, one after the other. */
export function roundTrips(size: number, count: number): Workload {
  return {
    name: `rr-${size}`,
    summary: `request and response, ${size} bytes`,
    by: 'subject',
    command: `udp-rr -n ${count} -s ${size} ${PEER}`,
    end: /vmloom# /,
    outcome: {
      by: 'subject',
      line: /udp-rr: \d+ sent, (\d+) received, rtt min\/avg\/max = (\d+)\/(\d+)\/(\d+) ns/,
    },
    size,
    read: ([, received, ...times]) => {
      const [min, avg, max] = times.map(Number) as [number, number, number];
      return { packets: 2 * Number(received), time: avg * Number(received), latency: { min, avg, max } };
    },
  };
}

export const SHORT: readonly Workload[] = [
  stream('tx', 64, 1500),
  stream('tx', 1472, 500),
  stream('rx', 64, 1500),
  stream('rx', 1472, 500),
  roundTrips(64, 50),
];
export const FULL: readonly Workload[] = [
  ...[64, 512, 1472].flatMap((size) => [stream('tx', size, 4000), stream('rx', size, 4000)]),
  roundTrips(64, 500),
  roundTrips(1472, 500),
];
