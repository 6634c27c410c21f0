import { progressOf, type Connection, type Segment } from './connections.js';
import type { Report } from './report.js';

/** One thing that has to be true of a connection. */
export interface Verdict {
  readonly what: string;
  readonly passed: boolean;
  readonly detail: string;
}

/** A line for each thing, of connections that differ in the way that the data goes. */
export function tell(
  report: Report,
  state: string,
  verdicts: readonly (Verdict & { readonly way: string })[],
): void {
  for (const what of new Set(verdicts.map((verdict) => verdict.what))) {
    const same = verdicts.filter((verdict) => verdict.what === what);
    const details = same.map(({ way, detail }) => `${way}: ${detail}`).join('; ');
    report.check(
      `${state}: ${what}`,
      same.every(({ passed }) => passed),
      details,
    );
  }
}

/** Whether tcpdump saw more than a frame at a time, as the card is to cut it or not; and that nothing is lost there. */
export function handedOver(guest: Connection, wire: Connection, segmentation: boolean): Verdict {
  const [longest, longestOnWire] = [longestOf(guest.sent), longestOf(wire.sent)];
  const [given, carried] = [guest, wire].map(({ sent }) => Buffer.concat(sent.map(({ tcp }) => tcp.data)));
  return {
    what: segmentation
      ? 'the kernel hands over more than the wire takes at once, and all of it passes'
      : 'the kernel cuts for the wire, and all of it passes',
    passed: (segmentation ? longest > longestOnWire : longest === longestOnWire) && given.equals(carried),
    detail: `${longest} and ${longestOnWire} bytes at once, ${given.length} and ${carried.length} in all`,
  };
}

/** What is true of a wire whoever cuts and sums. */
export function judgeWire({ sent, received }: Connection, largest: number): Verdict[] {
  const all = [...sent, ...received];
  const longest = longestOf(all);
  const wrong = all.filter(({ ip, tcp }) => !ip.sound || !tcp.sound).length;
  const { gap, strayIdentification } = progressOf(sent);
  return [
    {
      what: 'no frame on the wire is longer than the MTU allows',
      passed: longest <= largest,
      detail: `${longest} bytes`,
    },
    {
      what: 'every checksum on the wire is right',
      passed: wrong === 0 && all.length > 20,
      detail: `${wrong} of ${all.length} wrong`,
    },
    {
      what: 'RFC 9293 3.4: sequence numbers follow each other',
      passed: gap === undefined,
      detail: told(gap),
    },
    {
      what: 'RFC 791 3.1: identifications follow each other',
      passed: strayIdentification === undefined,
      detail: told(strayIdentification),
    },
  ];
}

export const bytesIn = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { tcp }) => sum + tcp.data.length, 0);

const longestOf = (segments: readonly Segment[]): number =>
  segments.reduce((longest, { length }) => Math.max(longest, length), 0);

const told = (segment: Segment | undefined): string =>
  segment === undefined
    ? ''
    : `sequence ${segment.tcp.sequence}, identification ${segment.ip.identification}`;
