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
  #folder = realpathSync(mkdtempSync(join(tmpdir(), 'consumers-')));
  #packages = new Map(workspacePackages(WORKSPACE).map((one) => [one.manifest.name, one]));
  #tarballs = new Map();

  get names() {
    return [...this.#packages.keys()];
  }

  manifest(name) {
    return this.#packages.get(name).manifest;
  }

  /**
   * Compiles and packs a package, or packs what `npm ci` installed when it comes from elsewhere.
   * @returns {{ file: string, files: string[] }} the tarball, and the paths inside it
   */
  pack(name) {
    const known = this.#tarballs.get(name);
    if (known) return known;
    const path = this.#packages.get(name)?.path;
    if (path) {
      tsc(WORKSPACE, '-b', join(path, 'tsconfig.lib.json'));
      run(WORKSPACE, process.execPath, 'tools/asc.mjs', path);
    }
    const folder = join(WORKSPACE, path ?? join('node_modules', name));
    const output = run(
      folder,
      'npm',
      'pack',
      '--json',
      '--ignore-scripts',
      '--pack-destination',
      this.#folder,
    );
    const [{ filename, files }] = Object.values(JSON.parse(output));
    const tarball = { file: join(this.#folder, filename), files: files.map((one) => one.path) };
    this.#tarballs.set(name, tarball);
    return tarball;
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
    const tarballs = needed.map((one) => this.pack(one).file);
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
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
