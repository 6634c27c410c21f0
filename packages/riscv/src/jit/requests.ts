import * as C from '../layout.js';

/** What the dispatch loop asked for. */
export interface Request {
  /** Host offset of the instruction, and its virtual address. */
  readonly offset: number;
  readonly pc: bigint;
  /** The hart's state. */
  readonly hart: number;
  /**
   * The regions of which one often leads to the other, and their bases; 0 for a place that is not compiled. One and
   * the same region asks to be compiled for speed.
   */
  readonly from: number;
  readonly to: number;
  readonly fromBase: bigint;
  readonly toBase: bigint;
}

/** Regions that shall be one, each with the virtual address of its base. */
export interface MergeGroup {
  readonly hart: number;
  readonly bases: Map<number, bigint>;
}

export function readRequests(view: DataView, queue: number, count: number): Request[] {
  return Array.from({ length: count }, (_, index) => {
    const at = queue + index * C.QUEUE_ENTRY_SIZE;
    return {
      offset: view.getUint32(at + C.Q_OFFSET, true),
      hart: view.getUint32(at + C.Q_HART, true),
      pc: view.getBigUint64(at + C.Q_PC, true),
      from: view.getUint32(at + C.Q_FROM, true),
      to: view.getUint32(at + C.Q_TO, true),
      fromBase: view.getBigUint64(at + C.Q_FROM_BASE, true),
      toBase: view.getBigUint64(at + C.Q_TO_BASE, true),
    };
  });
}

/** The places to compile: those of one page and one mapping of it together. */
export function placesByPage(requests: readonly Request[]): Request[][] {
  const pages = new Map<string, Request[]>();
  for (const request of requests) {
    if (request.from !== 0) continue;
    const page = `${request.offset >>> 12} ${request.pc >> 12n}`;
    const places = pages.get(page);
    if (places === undefined) pages.set(page, [request]);
    else places.push(request);
  }
  return [...pages.values()];
}

/** Regions that lead to each other, directly or through others, together. */
export function mergeGroups(requests: readonly Request[]): MergeGroup[] {
  const groups = new Map<number, MergeGroup>();
  for (const { hart, from, to, fromBase, toBase } of requests) {
    const one = groups.get(from) ?? { hart, bases: new Map([[from, fromBase]]) };
    const other = groups.get(to) ?? { hart, bases: new Map([[to, toBase]]) };
    for (const [region, base] of other.bases) one.bases.set(region, base);
    for (const region of one.bases.keys()) groups.set(region, one);
  }
  return [...new Set(groups.values())];
}
