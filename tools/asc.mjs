/**
 * Compiles the AssemblyScript cores of one package: `node tools/asc.mjs packages/riscv` turns every
 * `assembly/<name>.core.ts` into `wasm/<name>.wasm`. A core imports its memory as `env.memory`, fits any
 * host memory of up to 65536 pages, and owns nothing that instantiation would overwrite; the build fails
 * with a sentence when it does.
 *
 * A core whose first line is `// asc: --exportTable` is compiled with these further options.
 *
 * A core may import inlined helpers of another package (`@vmloom/memory/assembly/store`), and constants
 * from plain files shared with TypeScript (`../src/layout-offsets`).
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { MAX_PAGES, findFaults } from './wasm-shape.mjs';

const ENTRY = /^(?<name>[a-z0-9-]+)\.core\.ts$/;

const RELEASE = [
  '--optimizeLevel',
  '3',
  '--shrinkLevel',
  '0',
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  // Without an abort handler nothing needs the text of an error message, so no data segment appears.
  '--use',
  'abort=',
  '--importMemory',
  '--noExportMemory',
  '--initialMemory',
  '1',
  '--maximumMemory',
  String(MAX_PAGES),
];

/**
 * @param {string} entry path of a `.core.ts` file
 * @param {string[]} extra further options of asc
 * @returns {Promise<Uint8Array>} the wasm binary
 * @throws Error with the compiler's own messages
 */
export async function compileCore(entry, extra = []) {
  const folder = dirname(resolve(entry));
  let binary;
  const { error, stderr } = await asc.main(
    [basename(entry), '--outFile', 'core.wasm', '--baseDir', folder, ...RELEASE, ...extra],
    { writeFile: (_name, contents) => void (binary = contents) },
  );
  if (error || !binary) throw new Error(`${entry} does not compile\n${stderr.toString()}`.trimEnd());
  const warnings = stderr.toString().trimEnd();
  if (warnings) console.warn(warnings);
  return binary;
}

/**
 * Compiles every core of a package and removes the wasm files of cores that are gone.
 * @param {string} root the package's folder
 * @returns {Promise<{ file: string, size: number }[]>} what was written, sizes in bytes
 * @throws Error when a core does not compile or may not live in a shared memory
 */
export async function compilePackage(root) {
  const source = join(root, 'assembly');
  const target = join(root, 'wasm');
  const entries = (existsSync(source) ? readdirSync(source) : []).filter((file) => ENTRY.test(file)).sort();
  if (entries.length > 0) mkdirSync(target, { recursive: true });
  const written = [];
  for (const entry of entries) {
    const path = join(source, entry);
    const binary = await compileCore(path, furtherOptions(path));
    const faults = findFaults(binary);
    if (faults.length > 0) throw new Error(`${path} cannot be a core: ${faults.join('; ')}.`);
    const file = `${ENTRY.exec(entry).groups.name}.wasm`;
    replaceFile(join(target, file), binary);
    written.push({ file, size: binary.length });
  }
  for (const file of existsSync(target) ? readdirSync(target) : []) {
    if (!written.some((one) => one.file === file)) rmSync(join(target, file));
  }
  return written;
}

/** The options that a core asks for itself. */
function furtherOptions(path) {
  const [first] = readFileSync(path, 'utf8').split('\n', 1);
  return /^\/\/ asc: (?<options>.*)$/.exec(first)?.groups.options.split(' ') ?? [];
}

/** A test that loads the old file meanwhile must never see half of the new one. */
function replaceFile(path, contents) {
  let old;
  try {
    old = readFileSync(path);
  } catch {
    old = undefined;
  }
  if (old?.equals(contents)) return;
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, contents);
  renameSync(draft, path);
}

async function main(root) {
  if (!root) throw new Error('usage: node tools/asc.mjs PROJECTROOT');
  const written = await compilePackage(root);
  for (const { file, size } of written) console.log(`${join(root, 'wasm', file)} ${size} bytes`);
  if (written.length === 0) console.log(`${root} has no assembly/<name>.core.ts`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv[2]);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
