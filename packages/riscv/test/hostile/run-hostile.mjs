/**
 * Runs the programs that wear a compiler out in lockstep on the interpreter and with compiled code, in full size: a
 * million blocks, a jump into every page of 64 MiB, code that is written and run in a tight loop.
 *
 *   node packages/riscv/test/hostile/run-hostile.mjs [--only NAME] [--scale N] [--threshold N] [--quota MIB]
 *
 * One line for each program: with `scale` of 0.01 a hundredth of it. The exit status is 1 when a program did not come to
 * its end, differed, or took more room than it may. The wasm must be built (`npx nx run @vmloom/riscv:asc`).
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    scale: { type: 'string', default: '1' },
    threshold: { type: 'string', default: '10' },
    quota: { type: 'string', default: '8' },
  },
});
const scale = Number(values.scale);
const MIB = 2 ** 20;
const quota = Number(values.quota) * MIB;
/** How much more the process may take at the end than after a third of the way. */
const FLAT = 1.15;

const server = await createServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
  ssr: { noExternal: true, resolve: { conditions: ['@vmloom/source', 'module', 'node', 'default'] } },
});
const sourceOf = (name) => server.ssrLoadModule(fileURLToPath(new URL(name, import.meta.url)));
const { manyBlocks, everyPage, codeWriter, codeMaker } = await sourceOf('hostile-programs.ts');
const { runHostileTest } = await sourceOf('hostile-test.ts');
const { Random } = await sourceOf('../../src/testing/index.ts');

const times = (count) => Math.max(1, Math.round(count * scale));
const PROGRAMS = [
  ['million blocks', () => manyBlocks(new Random(1), times(1_000_000), 40), 1024],
  ['every page, all decoded', () => everyPage(new Random(2), times(16_384), 60), 16_500],
  ['every page, few decoded', () => everyPage(new Random(3), times(16_384), 60), 256],
  ['code writer', () => codeWriter(new Random(4), times(1_000_000), 1), 256],
  ['code writer, hot', () => codeWriter(new Random(6), times(40_000), 200), 256],
  ['code maker', () => codeMaker(new Random(5), times(400_000), 40), 256],
];

let failed = 0;
for (const [name, make, codePages] of PROGRAMS) {
  if (values.only !== undefined && !name.includes(values.only)) continue;
  const began = performance.now();
  const sizes = [];
  const jit = { threshold: Number(values.threshold), quota };
  const onStep = () => sizes.push(process.memoryUsage.rss());
  const { ended, retired, share, statistics, mostResident, freeNodes, slots } = await runHostileTest(make(), {
    jit,
    codePages,
    onStep,
  }).catch((error) => ({
    ended: false,
    error: console.log(error.stack) ?? error,
    statistics: {},
    freeNodes: [],
    slots: [],
  }));
  const early = Math.max(...sizes.slice(0, Math.ceil(sizes.length / 3)));
  const late = Math.max(...sizes.slice(-Math.ceil(sizes.length / 3)));
  const faults = [
    [!ended, 'did not end'],
    [mostResident > quota, 'over the quota'],
    [late > FLAT * early, 'grew'],
    [freeNodes[0] !== freeNodes[1], 'lost nodes'],
    [slots[0] !== slots[1], 'lost slots of the table'],
  ].flatMap(([is, fault]) => (is ? [fault] : []));
  if (faults.length > 0) failed++;
  const { regions, modules, dropped, evicted } = statistics;
  console.log(
    `${faults.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${faults.join(', ')} ${(retired / 1e6).toFixed(1)} M instructions, ` +
      `${(share * 100).toFixed(0)} % compiled, ${regions} regions in ${modules} modules, ${dropped} dropped, ${evicted} evicted, ` +
      `resident ${(early / MIB).toFixed(0)} then ${(late / MIB).toFixed(0)} MiB, ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
}
await server.close();
process.exitCode = failed > 0 ? 1 : 0;
