/**
 * Builds a program outside the workspace from the tarballs that would be published, as a stranger would:
 * nothing but what `npm pack` puts into them is there, and the registry is not asked.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workspacePackages } from '../lint/packages.mjs';

const WORKSPACE = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

function run(cwd, command, ...args) {
  const env = { ...process.env, NO_COLOR: '1', npm_config_loglevel: 'error' };
  const result = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.status !== 0) {
    throw new Error(
      `${command} ${args.join(' ')} failed:\n${result.error ?? ''}${result.stdout}${result.stderr}`,
    );
  }
  return result.stdout;
}

const tsc = (cwd, ...args) =>
  run(cwd, process.execPath, join(WORKSPACE, 'node_modules/typescript/bin/tsc'), ...args);

/** Names of a package and of everything it needs, through all levels. */
function closure(names, manifests) {
  const seen = new Set();
  const visit = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const next of Object.keys(manifests.get(name)?.dependencies ?? {})) visit(next);
  };
  names.forEach(visit);
  return [...seen];
}

/** The tarballs of the packages of the workspace, made when first asked for, and a place for consumers. */
export class PackedWorkspace {
  /** Made when first used: whoever only asks for names leaves nothing behind. */
  #made;
  #packages = new Map(workspacePackages(WORKSPACE).map((one) => [one.manifest.name, one]));
  #tarballs = new Map();

  get #folder() {
    return (this.#made ??= realpathSync(mkdtempSync(join(tmpdir(), 'consumers-'))));
  }

  /** The packages that are published. */
  get names() {
    return [...this.#packages.values()]
      .filter(({ manifest }) => !manifest.private)
      .map(({ manifest }) => manifest.name);
  }

  manifest(name) {
    return this.#packages.get(name).manifest;
  }

  /**
   * Compiles and packs packages, all at once because each start of npm takes its time. What comes from elsewhere is
   * packed as `npm ci` installed it. Cores have been compiled before (`npm run asc`).
   */
  pack(names) {
    const missing = names.filter((name) => !this.#tarballs.has(name));
    if (missing.length === 0) return;
    const own = missing.flatMap((name) => this.#packages.get(name)?.path ?? []);
    if (own.length > 0) tsc(WORKSPACE, '-b', ...own.map((path) => join(path, 'tsconfig.lib.json')));
    const folders = missing.map(
      (name) => `./${this.#packages.get(name)?.path ?? join('node_modules', name)}`,
    );
    const flags = ['--json', '--ignore-scripts', '--pack-destination', this.#folder];
    for (const { name, filename, files } of Object.values(
      JSON.parse(run(WORKSPACE, 'npm', 'pack', ...flags, ...folders)),
    )) {
      this.#tarballs.set(name, { file: join(this.#folder, filename), files: files.map(({ path }) => path) });
    }
  }

  /** Paths inside the tarball of a package that has been packed. */
  files(name) {
    return this.#tarballs.get(name).files;
  }

  /**
   * Copies `tools/consumers/<name>`, installs the tarballs it depends on, type-checks, compiles and runs it.
   * @returns {{ installed: string[], output: string }} the packages of the workspace it got, and what it printed
   * @throws Error with the output of the step that failed
   */
  build(name) {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    cpSync(join(WORKSPACE, 'tools/consumers', name), folder, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const manifests = new Map([...this.#packages].map(([key, one]) => [key, one.manifest]));
    const needed = closure(Object.keys(manifest.dependencies), manifests);
    this.pack(needed);
    const tarballs = needed.map((one) => this.#tarballs.get(one).file);
    run(
      folder,
      'npm',
      'install',
      '--offline',
      '--no-audit',
      '--no-fund',
      '--no-save',
      '--ignore-scripts',
      ...tarballs,
    );
    tsc(folder, '-p', '.');
    const output = run(folder, process.execPath, 'dist/main.js');
    return { installed: needed.filter((one) => this.#packages.has(one)).sort(), output };
  }

  dispose() {
    if (this.#made !== undefined) rmSync(this.#made, { recursive: true, force: true });
  }
}
