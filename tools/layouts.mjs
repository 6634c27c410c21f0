/**
 * `node tools/layouts.mjs [--check]` generates `src/layout-offsets.ts` from `src/layouts.ts` in every
 * package that has one. A structure is defined once, with buffer-layout; DataView and AssemblyScript code
 * use the generated numbers. `--check` writes nothing and fails when a file differs.
 *
 * A structure exported as `txDescriptor` or `TX_DESCRIPTOR` gives `TX_DESCRIPTOR_SIZE` (bytes) and one
 * `TX_DESCRIPTOR_<FIELD>` (byte offset) per field, where the field `bufferAddress` is `BUFFER_ADDRESS`.
 * A nested structure also gives the offsets of its fields, a sequence its `_STRIDE` and `_COUNT`, a bit
 * structure the `_SHIFT` and the `_MASK` (in place) of each bit field.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { BitStructure, Sequence, Structure } from 'buffer-layout';

const WORKSPACE = dirname(dirname(fileURLToPath(import.meta.url)));
const HEADER = '// Generated from layouts.ts by tools/layouts.mjs; do not edit.\n';

/** `txDescriptor`, `TxDescriptor` and `TX_DESCRIPTOR` all become `TX_DESCRIPTOR`. */
export function constantName(name) {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toUpperCase();
}

function* fieldConstants(prefix, structure, base) {
  let offset = base;
  for (const field of structure.fields) {
    if (field.property) {
      const name = `${prefix}_${constantName(field.property)}`;
      yield [name, offset];
      yield* detailConstants(name, field, offset);
    }
    offset += field.span;
  }
}

function* detailConstants(name, field, offset) {
  if (field instanceof Structure) {
    yield* fieldConstants(name, field, offset);
  } else if (field instanceof Sequence) {
    yield [`${name}_STRIDE`, field.elementLayout.span];
    yield [`${name}_COUNT`, field.count];
  } else if (field instanceof BitStructure) {
    for (const bits of field.fields) {
      if (!bits.property) continue;
      const bitName = `${name}_${constantName(bits.property)}`;
      yield [`${bitName}_SHIFT`, bits.start];
      yield [`${bitName}_MASK`, bits.wordMask];
    }
  }
}

/**
 * @param {Record<string, unknown>} exported the exports of a layouts module; what is no structure is ignored
 * @returns {string} the text of layout-offsets.ts
 * @throws Error when a structure has no fixed size, two constants share a name, or there is no structure
 */
export function generate(exported) {
  const owners = new Map();
  let text = HEADER;
  for (const [exportName, structure] of Object.entries(exported).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!(structure instanceof Structure)) continue;
    const prefix = constantName(exportName);
    if (structure.span < 0) throw new Error(`${exportName} has no fixed size`);
    text += '\n';
    for (const [name, value] of [
      [`${prefix}_SIZE`, structure.span],
      ...fieldConstants(prefix, structure, 0),
    ]) {
      if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is no fixed number`);
      if (owners.has(name)) throw new Error(`${name} comes from both ${owners.get(name)} and ${exportName}`);
      owners.set(name, exportName);
      text += `export const ${name} = ${name.endsWith('_MASK') ? `0x${value.toString(16)}` : value};\n`;
    }
  }
  if (owners.size === 0) throw new Error('no exported structure');
  return text;
}

/** Transpiles a TypeScript file and the relative files it imports into `target`. */
function transpileTree(file, root, target, seen = new Set()) {
  if (seen.has(file)) return;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const output = join(target, relative(root, file).replace(/\.ts$/, '.js'));
  mkdirSync(dirname(output), { recursive: true });
  const compilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    verbatimModuleSyntax: true,
  };
  writeFileSync(output, ts.transpileModule(text, { fileName: file, compilerOptions }).outputText);
  for (const { fileName } of ts.preProcessFile(text).importedFiles) {
    if (!fileName.startsWith('.')) continue;
    const source = resolve(dirname(file), fileName.replace(/\.js$/, '.ts'));
    if (existsSync(source)) transpileTree(source, root, target, seen);
  }
}

/**
 * @param {string} file path of a layouts.ts; it may import relative files and installed packages
 * @returns {Promise<Record<string, unknown>>} its exports
 */
export async function loadLayouts(file) {
  const root = dirname(resolve(file));
  // Below node_modules, so that bare imports resolve and git sees nothing.
  const cache = join(WORKSPACE, 'node_modules', '.cache', 'layouts');
  mkdirSync(cache, { recursive: true });
  const target = mkdtempSync(join(cache, 'run-'));
  try {
    writeFileSync(join(target, 'package.json'), '{ "type": "module" }\n');
    transpileTree(resolve(file), root, target);
    return await import(pathToFileURL(join(target, 'layouts.js')).href);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

/**
 * @param {string} workspace the root folder
 * @param {boolean} check compare instead of writing
 * @returns {Promise<string[]>} a sentence for each file written, or with `check` for each that differs
 */
export async function updateAll(workspace, check) {
  const messages = [];
  for (const folder of ['packages', 'apps']) {
    for (const name of readdirSync(join(workspace, folder)).sort()) {
      const source = join(folder, name, 'src', 'layouts.ts');
      const target = join(folder, name, 'src', 'layout-offsets.ts');
      if (!existsSync(join(workspace, source))) {
        if (!existsSync(join(workspace, target))) continue;
        throw new Error(`${target} is generated, but ${source} does not exist`);
      }
      let text;
      try {
        text = generate(await loadLayouts(join(workspace, source)));
      } catch (error) {
        throw new Error(`${source}: ${error.message}`, { cause: error });
      }
      const path = join(workspace, target);
      if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
      if (!check) writeFileSync(path, text);
      messages.push(check ? `${target} differs from ${source}: run npm run layouts` : `${target} written`);
    }
  }
  return messages;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  try {
    const messages = await updateAll(WORKSPACE, check);
    for (const message of messages) console.log(message);
    if (check && messages.length > 0) process.exitCode = 1;
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
