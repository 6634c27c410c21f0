/**
 * `npm run lint`: every static check of the workspace, one line each, and the output of those that fail.
 * `npm run lint -- eslint floors` runs only the checks whose names contain one of the words.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  findAssemblyImports,
  findFloorFaults,
  findLockFaults,
  findPrivateTypes,
  workspacePackages,
} from './lint/packages.mjs';
import {
  findLongFiles,
  findMachineTraces,
  localHosts,
  machinePaths,
  trackedFiles,
} from './lint/tracked-files.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a program of node_modules; its output is the list of faults when it fails. */
function program(name, ...args) {
  return () =>
    new Promise((done) => {
      const child = spawn(join(ROOT, 'node_modules', '.bin', name), args, {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NO_COLOR: '1', NX_TUI: 'false' },
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
      child.on('error', (error) => done([error.message]));
      child.on('close', (code, signal) => {
        const skipped = output.includes('The rule will be skipped');
        done(
          code === 0 && !skipped
            ? []
            : [output.trim() || `${name} ended with ${signal ?? `exit code ${code}`}`],
        );
      });
    });
}

function node(script, ...args) {
  return async () => {
    const { execFile } = await import('node:child_process');
    return new Promise((done) => {
      execFile(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT }, (error, stdout, stderr) => {
        done(error ? [`${stdout}${stderr}`.trim() || error.message] : []);
      });
    });
  };
}

async function floors() {
  const { depConstraints } = await import('../eslint.config.mjs');
  return findFloorFaults(workspacePackages(ROOT), depConstraints);
}

/** Without a stored project graph eslint's boundary rule only warns, on stderr, and passes everything. */
async function eslint() {
  const stale = await program('nx', 'sync:check')();
  return stale.length > 0 ? stale : program('eslint', '.', '--max-warnings', '0')();
}

/** Declarations exist only after the compiler ran. */
async function types() {
  for (const args of [['-b'], ['-p', 'tools']]) {
    const faults = await program('tsc', ...args)();
    if (faults.length > 0) return faults;
  }
  return findPrivateTypes(ROOT);
}

const CHECKS = {
  'tsc -b (sources and tests)': types,
  'nx sync:check, eslint and floors': eslint,
  'dependency-cruiser': program('depcruise', '--config', '.dependency-cruiser.mjs', 'packages', 'apps'),
  prettier: program(
    'prettier',
    '--check',
    '--log-level',
    'warn',
    '.',
    '--cache',
    '--cache-location',
    '.cache/prettier',
  ),
  'layout offsets': node('tools/layouts.mjs', '--check'),
  'floors of package.json': floors,
  lockfile: () => findLockFaults(ROOT),
  'assembly imports': () => findAssemblyImports(ROOT),
  'file length': () => {
    const reasons = JSON.parse(readFileSync(join(ROOT, 'tools/long-files.json'), 'utf8'));
    return findLongFiles(ROOT, trackedFiles(ROOT), reasons);
  },
  'no machine traces': () => findMachineTraces(ROOT, trackedFiles(ROOT), localHosts(), machinePaths(ROOT)),
};

const words = process.argv.slice(2);
const chosen = Object.entries(CHECKS).filter(
  ([name]) => words.length === 0 || words.some((word) => name.includes(word)),
);
if (chosen.length === 0) throw new Error(`no check has a name with: ${words.join(', ')}`);

const queue = [...chosen];
let failed = 0;

async function work() {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [name, check] = next;
    const start = performance.now();
    let faults;
    try {
      faults = await check();
    } catch (error) {
      faults = [error.stack];
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (faults.length > 0) failed++;
    console.log(`${faults.length > 0 ? 'FAILED' : 'ok    '} ${name} (${seconds} s)`);
    for (const fault of faults) console.log(fault.replace(/^/gm, '    '));
  }
}

await Promise.all([work(), work()]);
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
