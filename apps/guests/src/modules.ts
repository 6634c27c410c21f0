import { elfSection } from './elf.js';
import { GuestsError } from './error.js';

/** Where kernel modules come from. */
export interface ModuleSource {
  /** Paths of all module files, such as `kernel/drivers/net/ethernet/intel/e1000/e1000.ko.xz`. */
  readonly paths: readonly string[];
  /** The module itself, decompressed. */
  read(path: string): Uint8Array;
}

/** A module to pack. */
export interface KernelModule {
  /** As the kernel knows it: with underscores. */
  readonly name: string;
  /** Where it goes, without its compression's ending. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

const FILE_NAME = /^(.*\/)?([^/]+)\.ko(?:\.(?:xz|gz|zst))?$/;

/** The name that the kernel has for a module: modprobe takes `-` and `_` for the same. */
export function moduleName(text: string): string {
  return text.replaceAll('-', '_');
}

/** Values of one key of a module's `.modinfo` section. @throws GuestsError bad-elf */
export function moduleInfo(bytes: Uint8Array, key: string): string[] {
  const section = elfSection(bytes, '.modinfo');
  if (section === undefined) throw new GuestsError('bad-elf', 'that is no kernel module: it has no .modinfo');
  return new TextDecoder('latin1')
    .decode(section)
    .split('\0')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));
}

/**
 * The modules by name with everything they depend on, each once, dependencies first: the order in which insmod
 * takes them. Soft dependencies are taken along where they exist.
 * @throws GuestsError missing-module for a module or a dependency that is not there
 */
export function resolveModules(source: ModuleSource, names: readonly string[]): KernelModule[] {
  const byName = new Map<string, string>();
  for (const path of source.paths) {
    const match = FILE_NAME.exec(path);
    if (match !== null) byName.set(moduleName(match[2]), path);
  }
  const ordered: KernelModule[] = [];
  const seen = new Set<string>();
  const visit = (wanted: string, by: string | undefined): void => {
    const name = moduleName(wanted);
    if (seen.has(name)) return;
    const path = byName.get(name);
    if (path === undefined) {
      const why = by === undefined ? '' : `, which ${by} needs`;
      throw new GuestsError('missing-module', `the kernel's packages have no module ${wanted}${why}`);
    }
    seen.add(name);
    const bytes = source.read(path);
    const listed = moduleInfo(bytes, 'depends').flatMap((line) =>
      line.split(',').filter((one) => one !== ''),
    );
    for (const one of listed) visit(one, name);
    const soft = moduleInfo(bytes, 'softdep').flatMap(
      (line) => /^pre:\s*(.*)$/.exec(line)?.[1]?.split(/\s+/) ?? [],
    );
    for (const one of soft) if (byName.has(moduleName(one))) visit(one, name);
    const [, folder = '', file] = FILE_NAME.exec(path)!;
    ordered.push({ name, path: `${folder}${file}.ko`, bytes });
  };
  for (const name of names) visit(name, undefined);
  return ordered;
}

/** The text of `modules.dep` for modules in {@link resolveModules}' order: each with all it stands on. */
export function modulesDep(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((one) => [one.name, one]));
  const all = (one: KernelModule, found: Set<KernelModule>): Set<KernelModule> => {
    for (const line of moduleInfo(one.bytes, 'depends')) {
      for (const name of line.split(',')) {
        const other = byName.get(moduleName(name));
        if (other === undefined || found.has(other)) continue;
        found.add(other);
        all(other, found);
      }
    }
    return found;
  };
  return modules
    .map((one) => `${one.path}:${[...all(one, new Set())].map(({ path }) => ` ${path}`).join('')}\n`)
    .join('');
}
