/** Checks of the packages that neither eslint nor dependency-cruiser makes. One sentence per fault. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

/** Every workspace package: its folder relative to `root`, and its package.json. */
export function workspacePackages(root) {
  return ['packages', 'apps'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .map((name) => join(folder, name))
      .filter((path) => existsSync(join(root, path, 'package.json')))
      .map((path) => ({
        path,
        manifest: JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')),
      })),
  );
}

function filesBelow(folder, ending) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && statSync(join(folder, name)).isFile())
    .map((name) => join(folder, name));
}

/** True for a file of nothing but `export const` and imports, which TypeScript and AssemblyScript both read. */
function isConstantsFile(file) {
  if (!existsSync(file)) return false;
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022);
  return source.statements.every(
    (one) =>
      ts.isImportDeclaration(one) ||
      (ts.isVariableStatement(one) && one.declarationList.flags & ts.NodeFlags.Const),
  );
}

/**
 * AssemblyScript cores: a relative import stays in the package's `assembly/`, or is a constants file of its
 * `src/`; another package is reached as `@vmloom/<name>/assembly/<file>` and must be a dependency.
 */
export function findAssemblyImports(root, packages = workspacePackages(root)) {
  const faults = [];
  for (const { path, manifest } of packages) {
    const home = join(root, path);
    for (const file of filesBelow(join(home, 'assembly'), '.ts')) {
      const where = relative(root, file);
      for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles) {
        const foreign = /^(@vmloom\/[^/]+)\/assembly\/[\w/-]+$/.exec(fileName)?.[1];
        const target = fileName.startsWith('.') ? resolve(dirname(file), fileName) : '';
        if (target.startsWith(join(home, 'assembly/'))) continue;
        if (target.startsWith(join(home, 'src/'))) {
          if (!isConstantsFile(`${target}.ts`)) {
            faults.push(`${where} imports ${fileName}, which holds more than constants (export const)`);
          }
        } else if (!foreign) {
          faults.push(
            `${where} imports ${fileName}; another package is reached as @vmloom/<name>/assembly/<file>`,
          );
        } else if (foreign !== manifest.name && !manifest.dependencies?.[foreign]) {
          faults.push(`${where} imports ${foreign}, which is no dependency in ${path}/package.json`);
        }
      }
    }
  }
  return faults;
}

const sorted = (names) => JSON.stringify(Object.entries(names ?? {}).sort());

/** What `npm ci` refuses: a package.json that changed, came or went since the lockfile was written. */
export function findLockFaults(root, packages = workspacePackages(root)) {
  const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));
  const { packages: locked } = read('package-lock.json');
  const all = [{ path: '', manifest: read('package.json') }, ...packages];
  const faults = [];
  for (const { path, manifest } of all) {
    const entry = locked[path];
    const kinds = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];
    if (!entry || kinds.some((kind) => sorted(entry[kind]) !== sorted(manifest[kind]))) {
      faults.push(`package-lock.json does not know ${path || '.'}/package.json as it is: run npm install`);
    }
  }
  for (const path of Object.keys(locked)) {
    if (/^(?:packages|apps)\//.test(path) && !all.some((one) => one.path === path)) {
      faults.push(`package-lock.json knows ${path}, which is gone: run npm install`);
    }
  }
  return faults;
}

/** `package.json` may not declare what the floors forbid, even where nothing imports it yet. */
export function findFloorFaults(packages, depConstraints) {
  const faults = [];
  const floorOf = new Map(packages.map(({ manifest }) => [manifest.name, manifest.nx?.tags?.[0]]));
  for (const { path, manifest } of packages) {
    const floor = floorOf.get(manifest.name);
    const constraint = depConstraints.find(({ sourceTag }) => sourceTag === floor);
    if (!constraint) {
      faults.push(`${path}/package.json has no tag of a known floor`);
      continue;
    }
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      if (!floorOf.has(name)) continue;
      if (!constraint.onlyDependOnLibsWithTags.includes(floorOf.get(name))) {
        faults.push(`${path} stands on ${floor} and may not depend on ${name} (${floorOf.get(name)})`);
      }
    }
  }
  return faults;
}

/** The declaration files that an entry leads to through relative imports, itself included. */
function reachableDeclarations(entry, seen = new Set()) {
  if (seen.has(entry) || !existsSync(entry)) return seen;
  seen.add(entry);
  for (const { fileName } of ts.preProcessFile(readFileSync(entry, 'utf8')).importedFiles) {
    if (fileName.startsWith('.')) {
      reachableDeclarations(resolve(dirname(entry), fileName.replace(/\.js$/, '.d.ts')), seen);
    }
  }
  return seen;
}

/** Published declarations may not need buffer-layout's types: it ships none. */
export function findPrivateTypes(root, packages = workspacePackages(root)) {
  const faults = [];
  for (const { path, manifest } of packages) {
    for (const { types } of Object.values(manifest.exports ?? {})) {
      if (!types) continue;
      for (const file of reachableDeclarations(join(root, path, types))) {
        if (/['"]buffer-layout['"]/.test(readFileSync(file, 'utf8'))) {
          faults.push(
            `${relative(root, file)} shows a type of buffer-layout: give the export a type of its own`,
          );
        }
      }
    }
  }
  return [...new Set(faults)];
}
