import { fetchCore, HostMemory, instantiateCore } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import * as L from './layout.js';

interface GraphExports {
  analyse(j: number, indirect: boolean): number;
}

/** Successors of the blocks from 1 on, none to two of them; and which blocks are entries. */
interface Graph {
  readonly edges: readonly (readonly number[])[];
  readonly entries: readonly number[];
  readonly counts?: readonly number[];
}

const wasm = await fetchCore(new URL('../../wasm/jit.wasm', import.meta.url));

/** Puts a graph where the emitter has its own, analyses it, and says what was found of each block. */
function analyse({ edges, entries, counts = [] }: Graph) {
  const memory = new HostMemory({ ram: 4096, reserve: 1 << 20 });
  const { view } = memory;
  const state = memory.reserve(L.J_SIZE);
  const blocks = memory.reserve(64 * L.BLOCK_SIZE);
  const field = (block: number, at: number): number =>
    view.getUint32(blocks + block * L.BLOCK_SIZE + at, true);
  const set = (at: number, value: number): void => view.setUint32(at, value, true);
  set(state + L.J_BLOCKS, blocks);
  for (const table of [L.J_BLOCK_OF, L.J_WORK, L.J_ORDER]) set(state + table, memory.reserve(4096));
  set(state + L.J_BLOCK_COUNT, edges.length + 1);
  set(state + L.J_ENTRY_COUNT, entries.length);
  edges.forEach((successors, index) => {
    const at = blocks + (index + 1) * L.BLOCK_SIZE;
    set(at + L.B_TAKEN, successors[0] ?? L.NO_BLOCK);
    set(at + L.B_NEXT, successors[1] ?? L.NO_BLOCK);
    set(at + L.B_COUNT, counts[index] ?? 1);
    set(at + L.B_ENTRY, entries.indexOf(index + 1) + 1);
  });
  const { analyse: run } = instantiateCore<GraphExports>(wasm, memory);
  expect(run(state, false)).toBe(1);
  const order = Array.from({ length: view.getUint32(state + L.J_ORDER_COUNT, true) }, (_, index) =>
    view.getUint16(view.getUint32(state + L.J_ORDER, true) + index * 2, true),
  );
  const numbers = edges.map((_, index) => index + 1);
  return {
    order,
    dominators: numbers.map((block) => field(block, L.B_DOMINATOR)),
    loops: numbers.filter((block) => field(block, L.B_BACK) > 0),
    entries: numbers.filter((block) => field(block, L.B_ENTRY) > 0),
    needs: numbers.map((block) => field(block, L.B_NEED)),
  };
}

/** Whether `above` stands on every way from an entry to `block`: by taking it out and looking again. */
function dominates({ edges, entries }: Graph, above: number, block: number): boolean {
  if (above === block || above === 0) return true;
  const seen = new Set<number>([above]);
  const left = entries.filter((entry) => entry !== above);
  while (left.length > 0) {
    const at = left.pop()!;
    if (seen.has(at)) continue;
    seen.add(at);
    left.push(...edges[at - 1]);
  }
  return !seen.has(block) || above === block;
}

describe('the flow graph of a region', () => {
  it('a diamond meets under its top', () => {
    expect(analyse({ edges: [[2, 3], [4], [4], []], entries: [1] })).toEqual({
      order: [0, 1, 3, 2, 4],
      dominators: [0, 1, 1, 1],
      loops: [],
      entries: [1],
      needs: [3, 2, 2, 1],
    });
  });

  it('a loop in a loop: each head is checked, and a path ends at the next check', () => {
    const found = analyse({
      edges: [[2], [3], [3, 4], [2, 5], []],
      entries: [1],
      counts: [5, 7, 11, 13, 17],
    });
    expect(found.loops).toEqual([2, 3]);
    expect(found.dominators).toEqual([0, 1, 2, 3, 4]);
    expect(found.needs).toEqual([5, 7, 11 + 13 + 17, 13 + 17, 17]);
  });

  it('a loop with two ways in gets an entry for what does not dominate it', () => {
    const found = analyse({ edges: [[2, 3], [3], [2, 4], []], entries: [1] });
    expect(found.loops).toEqual([]);
    expect(found.entries).toHaveLength(2);
  });

  it('blocks that no entry reaches have no place', () => {
    expect(analyse({ edges: [[], [1], []], entries: [1] }).order).toEqual([0, 1]);
  });

  it('a loop of one block that is the entry is one', () => {
    const found = analyse({ edges: [[1, 2], []], entries: [1] });
    expect([found.loops, found.dominators]).toEqual([[1], [0, 1]]);
  });

  it('dominators agree with their definition on random graphs, irreducible ones included', () => {
    let seed = 12345;
    const below = (limit: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % limit;
    };
    for (let round = 0; round < 300; round++) {
      const count = 2 + below(18);
      const edges = Array.from({ length: count }, () =>
        Array.from({ length: below(3) }, () => 1 + below(count)),
      );
      const given = [...new Set(Array.from({ length: 1 + below(3) }, () => 1 + below(count)))];
      const found = analyse({ edges, entries: given });
      const graph = { edges, entries: found.entries };
      for (const block of found.order.slice(1)) {
        const dominator = found.dominators[block - 1];
        expect(dominates(graph, dominator, block)).toBe(true);
        // The nearest one: every other that dominates the block dominates it too.
        for (const other of found.order.slice(1)) {
          if (other === block || !dominates(graph, other, block)) continue;
          expect(dominator !== 0 && dominates(graph, other, dominator)).toBe(true);
        }
      }
      // What is left of loops is reducible: an edge back in the order leads to a head or an entry.
      const rank = new Map(found.order.map((block, index) => [block, index]));
      for (const block of found.order.slice(1)) {
        for (const next of edges[block - 1]) {
          if (rank.get(next)! > rank.get(block)!) continue;
          expect(found.loops.includes(next) || found.entries.includes(next)).toBe(true);
        }
      }
    }
  });
});
