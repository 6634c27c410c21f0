import type { StructureName } from '@vmloom/topology';
import type { Result } from './cell.js';

/** A shape that somebody published, or that the survey predicts. */
export interface Expectation {
  readonly name: string;
  /** Where it is from. */
  readonly source: string;
  /** The figures that decide; the first is to be below the second. */
  readonly figures: (of: Lookup) => readonly [less: number, more: number];
}

/** The result of a structure under a workload. @throws RangeError when it was not measured */
export type Lookup = (structure: StructureName, workload: string) => Result;

export interface Outcome {
  readonly name: string;
  readonly source: string;
  readonly holds: boolean;
  readonly less: number;
  readonly more: number;
}

const exits =
  (less: StructureName, more: StructureName, workload: string, factor = 1): Expectation['figures'] =>
  (of) => [of(less, workload).exitsPerPacket * factor, of(more, workload).exitsPerPacket];

export const EXPECTATIONS: readonly Expectation[] = [
  {
    name: 'the bare host has no exits at all',
    source: 'definition',
    figures: (of) => [of('native', 'tx-1472').exitsPerPacket + of('native', 'rr-64').exitsPerPacket, 1e-9],
  },
  {
    name: 'emulated e1000 has more exits per packet than virtio, receiving',
    source: 'survey, table of structures',
    figures: exits('virtio-split', 'e1000', 'rx-1472'),
  },
  {
    name: 'emulated e1000 has more exits per round trip than virtio',
    source: 'survey, table of structures',
    figures: exits('virtio-split', 'e1000', 'rr-64'),
  },
  {
    name: 'a polling side core takes the exits away, sending',
    source: 'ELVIS, ATC 2013',
    figures: exits('virtio-side-core', 'virtio-split', 'tx-1472'),
  },
  {
    name: 'an assigned NIC has fewer exits than an emulated one, receiving',
    source: 'ELI, ASPLOS 2012',
    figures: exits('assigned', 'e1000', 'rx-1472'),
  },
  {
    name: 'the hypervisor works more for a packet of an emulated e1000 than of virtio',
    source: 'survey',
    figures: (of) => [
      of('virtio-split', 'rx-1472').vmmTimePerPacket,
      of('e1000', 'rx-1472').vmmTimePerPacket,
    ],
  },
  {
    name: 'a light doorbell costs less than one that goes to the VMM: round trips of vhost are shorter',
    source: 'KVM/x86 costs of the survey',
    figures: (of) => [
      of('virtio-vhost', 'rr-64').latency?.avg ?? NaN,
      of('virtio-split', 'rr-64').latency?.avg ?? NaN,
    ],
  },
  {
    name: 'round trips over an emulated e1000 take longer than over a side core',
    source: 'ELVIS, ATC 2013',
    figures: (of) => [
      of('virtio-side-core', 'rr-64').latency?.avg ?? NaN,
      of('e1000', 'rr-64').latency?.avg ?? NaN,
    ],
  },
  {
    name: 'the cost of a packet hardly depends on its size: 1472 bytes cost less than three times 64 bytes',
    source: 'Cherkasova and Gardner, ATC 2005',
    figures: (of) => [
      of('virtio-split', 'tx-1472').vmmTimePerPacket,
      3 * of('virtio-split', 'tx-64').vmmTimePerPacket,
    ],
  },
  {
    name: 'an assigned NIC has fewer exits than an emulated one, round trips',
    source: 'ELI, ASPLOS 2012',
    figures: exits('assigned', 'e1000', 'rr-64'),
  },
  {
    name: 'the adaptive policy reaches nine tenths of the better parent’s rate, sending',
    source: 'survey, adaptive policy',
    figures: (of) => [
      0.9 * Math.max(of('virtio-vhost', 'tx-1472').rate, of('virtio-side-core', 'tx-1472').rate),
      of('virtio-adaptive', 'tx-1472').rate,
    ],
  },
  {
    name: 'the adaptive policy’s round trips are within a quarter of the better parent’s',
    source: 'survey, adaptive policy',
    figures: (of) => [
      of('virtio-adaptive', 'rr-64').latency?.avg ?? NaN,
      1.25 *
        Math.min(
          of('virtio-vhost', 'rr-64').latency?.avg ?? NaN,
          of('virtio-side-core', 'rr-64').latency?.avg ?? NaN,
        ),
    ],
  },
];

/** Which of the shapes these results have. */
export function outcomes(results: readonly Result[]): Outcome[] {
  const of: Lookup = (structure, workload) => {
    const found = results.find((one) => one.structure === structure && one.workload === workload);
    if (found === undefined) throw new RangeError(`${structure} was not measured under ${workload}`);
    return found;
  };
  return EXPECTATIONS.map(({ name, source, figures }) => {
    const [less, more] = figures(of);
    return { name, source, holds: less < more, less, more };
  });
}
