/**
 * Runs random programs in lockstep on the interpreter and with compiled code:
 *
 *   node packages/riscv/test/random/run-random.mjs [--seeds N] [--first SEED] [--instructions N] [--harts N]
 *     [--threshold N] [--batch N] [--quota BYTES] [--region INSTRUCTIONS]
 *
 * The compiler's options are drawn from the seed unless told.
 *
 * One line for each seed, with the whole report of the first difference; the exit status is 1 when there was one.
 * Sources are used as they are; the wasm must be built (`npx nx run @vmloom/riscv:asc`).
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    first: { type: 'string', default: '1' },
    instructions: { type: 'string', default: '300000' },
    harts: { type: 'string', default: '0' },
    threshold: { type: 'string' },
    batch: { type: 'string' },
    quota: { type: 'string' },
    region: { type: 'string' },
    lines: { type: 'string', default: '80' },
  },
});

const told = Object.fromEntries(
  Object.entries({
    threshold: values.threshold,
    batch: values.batch,
    quota: values.quota,
    regionInstructions: values.region,
  }).flatMap(([name, value]) => (value === undefined ? [] : [[name, Number(value)]])),
);
const server = await createServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
  ssr: { noExternal: true, resolve: { conditions: ['@vmloom/source', 'module', 'node', 'default'] } },
});
const { compiledShare, runRandomTest, variedCompiler } = await server.ssrLoadModule(
  fileURLToPath(new URL('random-test.ts', import.meta.url)),
);

function compiled(lockstep) {
  const statistics = lockstep?.pair.subject.harts[0].core.jit?.statistics;
  if (statistics === undefined) return 'nothing compiled';
  const { regions, instructions, dropped, evicted } = statistics;
  const share = (100 * compiledShare(lockstep.pair.subject)).toFixed(0);
  return `${share} % in ${regions} regions of ${instructions}, ${dropped} dropped, ${evicted} evicted`;
}

let failed = 0;
const first = Number(values.first);
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  // One hart, and every fourth time two, unless told.
  const harts = Number(values.harts) || (seed % 4 === 3 ? 2 : 1);
  const began = performance.now();
  const options = {
    instructions: Number(values.instructions),
    harts,
    subject: { jit: { ...variedCompiler(seed), ...told } },
  };
  // Anything else that is thrown is a failure of the compiler, too.
  const { error, lockstep } = await runRandomTest(seed, options).catch((thrown) => ({ error: thrown }));
  const milliseconds = (performance.now() - began).toFixed(0);
  console.log(
    `${error === undefined ? 'ok  ' : 'FAIL'} seed ${seed}, ${harts} hart(s), ${lockstep?.position} instructions, ${milliseconds} ms, ${compiled(lockstep)}`,
  );
  if (error === undefined) continue;
  failed++;
  console.log((lockstep ? error.message : error.stack).split('\n').slice(0, Number(values.lines)).join('\n'));
}
await server.close();
console.log(`${values.seeds - failed} agreed, ${failed} differed`);
process.exitCode = failed > 0 ? 1 : 0;
