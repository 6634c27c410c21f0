import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VMLOOM } from './processes.mjs';

/** Where the time of a run goes: into wasm that is written, compiled, interpreted by, is run itself; or elsewhere. */
export const SHARES = ['emit', 'compile', 'interpret', 'run', 'other'];

/** Functions of the compiler's driver (packages/riscv/src/jit) by what they do, where wasm is not the leaf. */
const DRIVER = { compileRegion: 'emit' };
const JIT_SOURCE = /\/riscv\/dist\/jit\//;
const HART_SOURCE = /\/riscv\/dist\/hart\.js$/;
const WASM = /^wasm:/;
const MILLISECOND = 1000;

/**
 * Shares of a profile as V8 writes it, by where the sampled stacks end:
 *
 * - `emit`: in the emitter, which the driver calls;
 * - `compile`: in the rest of the driver, of which V8's compiler is nearly all;
 * - `interpret`: in the interpreter, the first wasm below the hart;
 * - `run`: in wasm that the interpreter calls, or in what that calls;
 * - `other`: devices, collected garbage, idle time.
 *
 * They begin with the first instruction, so that the start of the process is none of them.
 *
 * @returns {Record<string, number>} sums to 1
 */
export function sharesOf({ nodes, samples, timeDeltas }) {
  const parents = new Map();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id);
  const kinds = new Map();
  const kindOf = (id) => {
    if (!kinds.has(id)) kinds.set(id, kind(stackOf(id, byId, parents)));
    return kinds.get(id);
  };
  const times = Object.fromEntries(SHARES.map((share) => [share, 0]));
  const first = Math.max(
    samples.findIndex((id) => kindOf(id) !== 'other'),
    0,
  );
  samples.slice(first).forEach((id, index) => (times[kindOf(id)] += timeDeltas[first + index]));
  const whole = Object.values(times).reduce((sum, one) => sum + one, 0);
  return Object.fromEntries(SHARES.map((share) => [share, times[share] / whole]));
}

/** Frames from the outermost inwards. */
function stackOf(id, byId, parents) {
  const stack = [];
  for (let at = id; at !== undefined; at = parents.get(at)) stack.unshift(byId.get(at).callFrame);
  return stack;
}

function kind(stack) {
  const driver = stack.findIndex(({ url }) => JIT_SOURCE.test(url));
  if (driver !== -1) {
    const inside = stack.slice(driver + 1).some(({ url }) => WASM.test(url));
    return inside ? DRIVER.compileRegion : 'compile';
  }
  const hart = stack.findIndex(({ url }) => HART_SOURCE.test(url));
  const called = hart === -1 ? [] : stack.slice(hart + 1);
  const first = called.find(({ url }) => WASM.test(url));
  if (first === undefined) return 'other';
  // A device that guest code reached.
  if (!WASM.test(called.at(-1).url)) return 'other';
  return called.some(({ url }) => WASM.test(url) && url !== first.url) ? 'run' : 'interpret';
}

/** Runs vmloom once more under V8's profiler. Not the run whose time counts. */
export function profiledShares(args) {
  const [node, ...command] = VMLOOM;
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  try {
    const profiler = ['--cpu-prof', '--cpu-prof-dir', folder, '--cpu-prof-interval', String(MILLISECOND)];
    const { status, stderr } = spawnSync(node, [...profiler, ...command, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status !== 0) throw new Error(`vmloom under the profiler ended with ${status}: ${stderr}`);
    const [file] = readdirSync(folder);
    return sharesOf(JSON.parse(readFileSync(join(folder, file), 'utf8')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As cells of a table, in the order of {@link SHARES}. */
export function shareCells(shares) {
  return SHARES.map((share) => `${(shares[share] * 100).toFixed(0)} %`);
}
