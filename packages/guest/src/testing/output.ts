/** Reads what the tiny guest's commands print. */

/** Outcome of `ping` and `udp-rr`; times in nanoseconds of the guest's clock, absent if nothing came back. */
export interface RoundTrips {
  readonly sent: number;
  readonly received: number;
  readonly min?: number;
  readonly avg?: number;
  readonly max?: number;
}

/** Outcome of `udp-stream`; `delivered` and `lost` are absent if the sink did not answer. */
export interface SentStream {
  readonly packets: number;
  readonly bytes: number;
  readonly ns: number;
  readonly delivered?: number;
  readonly lost?: number;
}

/** What a sink says at the end of a stream. */
export interface ReceivedStream {
  readonly packets: number;
  readonly bytes: number;
  readonly lost: number;
  /** From the first datagram to the last. */
  readonly ns: number;
  readonly from: string;
}

/** The last match: later runs of a command are the ones a test looks at. */
function last(output: string, pattern: RegExp): RegExpMatchArray | undefined {
  return [...output.matchAll(pattern)].at(-1);
}

/** The last summary of `ping` or `udp-rr` in the console's output. */
export function roundTrips(output: string, command: 'ping' | 'udp-rr'): RoundTrips | undefined {
  const match = last(
    output,
    new RegExp(
      `^${command}: (\\d+) sent, (\\d+) received(?:, rtt min/avg/max = (\\d+)/(\\d+)/(\\d+) ns)?\\r?$`,
      'gm',
    ),
  );
  if (!match) return undefined;
  const [sent, received, min, avg, max] = match
    .slice(1)
    .map((text) => (text === undefined ? NaN : Number(text)));
  const times = Number.isNaN(min) ? {} : { min, avg, max };
  return { sent, received, ...times };
}

/** The last outcome of `udp-stream`. */
export function sentStream(output: string): SentStream | undefined {
  const match = last(
    output,
    /^udp-stream: (\d+) packets, (\d+) bytes, (\d+) ns, (?:(\d+) delivered, (\d+) lost|no report)\r?$/gm,
  );
  if (!match) return undefined;
  const [packets, bytes, ns] = match.slice(1, 4).map(Number) as [number, number, number];
  const report = match[4] === undefined ? {} : { delivered: Number(match[4]), lost: Number(match[5]) };
  return { packets, bytes, ns, ...report };
}

/** The last stream that ended at a sink. */
export function receivedStream(output: string): ReceivedStream | undefined {
  const match = last(
    output,
    /^udp-sink: (\d+) packets, (\d+) bytes, (\d+) lost, (\d+) ns, from ([\d.]+)\r?$/gm,
  );
  if (!match) return undefined;
  const [packets, bytes, lost, ns] = match.slice(1, 5).map(Number) as [number, number, number, number];
  return { packets, bytes, lost, ns, from: match[5] };
}

/** The counters of `stats` and `mem`, the last value of each key. */
export function counters(output: string): ReadonlyMap<string, bigint> {
  return new Map(
    [...output.matchAll(/^([a-z][\w.]*)=(\d+)\r?$/gm)].map(([, key, value]) => [key, BigInt(value)]),
  );
}
