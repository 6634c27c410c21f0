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

/**
 * AssemblyScript cores: a relative import stays in the package's `assembly/`, or is a constants file of its
 * `src/`; another package is reached as `@vmloom/<name>/assembly/<file>` and must be a dependency.
 */
export function findAssemblyImports(root, packages = workspacePackages(root)) {
  const faults = [];
  for (const { path, manifest } of packages) {
    for (const file of filesBelow(join(root, path, 'assembly'), '.ts')) {
      const where = relative(root, file);
      for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles) {
        const foreign = /^(@vmloom\/[^/]+)\/assembly\/[\w/-]+$/.exec(fileName)?.[1];
        if (fileName.startsWith('.')) {
          const target = relative(join(root, path), resolve(dirname(file), fileName));
          if (!/^(?:assembly\/|src\/(?:[\w/-]+-offsets|constants)$)/.test(target)) {
            faults.push(
              `${where} imports ${fileName}, which is neither assembly nor a constants file of its package`,
            );
          }
        } else if (!foreign) {
          faults.push(
            `${where} imports ${fileName}, but only @vmloom/<package>/assembly/<file> is open to it`,
          );
        } else if (foreign !== manifest.name && !manifest.dependencies?.[foreign]) {
          faults.push(`${where} imports ${foreign}, which is no dependency in ${path}/package.json`);
        }
      }
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

/** Published declarations may not need buffer-layout's types: it ships none. */
export function findPrivateTypes(root, packages = workspacePackages(root)) {
  return packages
    .flatMap(({ path }) => filesBelow(join(root, path, 'dist'), '.d.ts'))
    .filter((file) => /['"]buffer-layout['"]/.test(readFileSync(file, 'utf8')))
    .map(
      (file) => `${relative(root, file)} shows a type of buffer-layout: give the export a type of its own`,
    );
}
