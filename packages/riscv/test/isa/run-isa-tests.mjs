/**
 * Runs every ELF program of a folder that was built from riscv-tests for its `p` or `v` environment:
 *
 *   node packages/riscv/test/isa/run-isa-tests.mjs [--jit] FOLDER [PREFIX…]
 *
 * One line for each, then `N passed, N failed`; the exit status is 1 when one failed, 2 when none was found.
 * With --jit everything is compiled that is jumped to twice. PREFIX picks by the start of the file's name, such as `rv64ud-v`. Sources are used as they are; the wasm
 * must be built (`npx nx run @vmloom/riscv:asc`).
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const words = process.argv.slice(2);
const [folder, ...prefixes] = words.filter((word) => word !== '--jit');
const jit = words.includes('--jit') ? { threshold: 1, batch: 1 } : false;
if (folder === undefined) {
  console.error('usage: node run-isa-tests.mjs [--jit] FOLDER [PREFIX...]');
  process.exit(2);
}

const conditions = ['@vmloom/source', 'module', 'node', 'default'];
const server = await createServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
  ssr: { noExternal: true, resolve: { conditions } },
});
const { runIsaTest } = await server.ssrLoadModule(fileURLToPath(new URL('isa-test.ts', import.meta.url)));

const names = readdirSync(folder)
  .filter((name) => /^rv64[a-z]+-[pv]-[\w-]+$/.test(name))
  .filter((name) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix)))
  .sort();

let failed = 0;
for (const name of names) {
  let line;
  try {
    const result = await runIsaTest(readFileSync(join(folder, name)), undefined, jit);
    const printed = result.output === '' ? '' : ` (printed ${JSON.stringify(result.output)})`;
    line = result.passed ? `ok   ${name} ${result.retired}` : `FAIL ${name}: ${result.reason}${printed}`;
    if (!result.passed) failed++;
  } catch (error) {
    failed++;
    line = `FAIL ${name}: ${error.stack}`;
  }
  console.log(line);
}
await server.close();
console.log(`${names.length - failed} passed, ${failed} failed`);
process.exitCode = names.length === 0 ? 2 : failed > 0 ? 1 : 0;
