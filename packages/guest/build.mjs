/**
 * Builds the guest images and the programs of benchmarks with clang and lld.
 *
 *   node build.mjs               builds into prebuilt/ and writes its manifest
 *   node build.mjs --out DIR     builds elsewhere
 *   node build.mjs --check       builds again and compares with prebuilt/. With another compiler than the
 *                                manifest's, the bytes may differ: the images are then left for the tests in
 *                                $VMLOOM_GUEST_DIR, or in .cache/rebuilt if that is not set.
 *
 * Exit status: 0 done or equal, 1 different or a compiler error, 2 no compiler.
 * CLANG and LLD name the programs to use; else the first of clang, clang-NN on the PATH is taken.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const PREBUILT = join(ROOT, 'prebuilt');

const RISCV = ['--target=riscv64-unknown-elf', '-mcmodel=medany', '-mno-relax'];
const INTEGER = [...RISCV, '-march=rv64imac', '-mabi=lp64'];
const FLOATING = [...RISCV, '-march=rv64gc', '-mabi=lp64'];
/** Without SSE, so that a peer of 32 bits runs what the integer loops say and no vectors. */
const I386 = ['--target=i386-unknown-elf', '-march=i686', '-mno-sse'];

/** What the programs share with the operating system, and their own entry. */
const RUNTIME = [
  'programs/entry.S',
  'programs/runtime.c',
  'os/bootargs.c',
  'os/fdt.c',
  'os/print.c',
  'os/sbi.c',
  'os/string.c',
];

const IMAGES = {
  tiny: { sources: sourcesOf('os'), machine: INTEGER },
  fptest: { sources: [...RUNTIME, ...namesakes('fptest')], machine: FLOATING },
  intloop: { sources: [...RUNTIME, 'programs/sieve.c', ...namesakes('intloop')], machine: INTEGER },
  bench: {
    sources: [...RUNTIME, 'programs/sieve.c', 'programs/loops.c', ...namesakes('bench')],
    machine: FLOATING,
  },
  linuxbench: {
    sources: ['programs/linux/entry.S', 'programs/linux/linuxbench.c'],
    machine: FLOATING,
    layout: 'programs/linux/link.ld',
  },
  'loops-i386': {
    sources: ['programs/i386/entry.S', 'programs/i386/loops.c', 'programs/loops.c'],
    machine: I386,
    layout: 'programs/i386/link.ld',
  },
};

const COMPILE = [
  '-std=gnu11',
  '-O2',
  '-ffreestanding',
  '-fno-builtin',
  '-fno-pic',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-ffunction-sections',
  '-fdata-sections',
  '-Wall',
  '-Wextra',
  `-ffile-prefix-map=${ROOT}=`,
  '-Ios',
  '-Iprograms',
];

const LINK = ['--gc-sections', '--build-id=none', '--strip-all', '-z', 'max-page-size=4096'];

/** The sources of a folder, in an order that does not depend on the file system. */
function sourcesOf(folder) {
  return readdirSync(join(ROOT, folder))
    .filter((name) => /\.[cS]$/.test(name))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/** The sources of one program: NAME.c and NAME_*.c. */
function namesakes(name) {
  return sourcesOf('programs').filter((path) => new RegExp(`^${name}(_\\w+)?\\.c$`).test(basename(path)));
}

function run(program, args) {
  return execFileSync(program, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** First line of --version, or nothing if there is no such program. */
function versionOf(program) {
  try {
    return execFileSync(program, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).split('\n')[0];
  } catch {
    return undefined;
  }
}

/** The first program that runs: the one the environment names, the plain name, or a numbered one. */
function find(fromEnvironment, name) {
  const numbered = Array.from({ length: 12 }, (_, i) => `${name}-${25 - i}`);
  for (const program of fromEnvironment ? [fromEnvironment] : [name, ...numbered]) {
    const version = versionOf(program);
    if (version) return { program, version };
  }
  return undefined;
}

function findTools() {
  const clang = find(process.env.CLANG, 'clang');
  const suffix = /-\d+$/.exec(clang?.program ?? '')?.[0] ?? '';
  const lld = find(process.env.LLD, `ld.lld${suffix}`);
  return clang && lld ? { clang, lld } : undefined;
}

function sha256(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Builds every image into `out` and returns its manifest. */
function build(tools, out) {
  const objects = mkdtempSync(join(tmpdir(), 'vmloom-guest-'));
  try {
    mkdirSync(out, { recursive: true });
    const images = {};
    for (const [name, { sources, machine, layout = 'os/link.ld' }] of Object.entries(IMAGES)) {
      const files = sources.map((source) => {
        const object = join(objects, `${name}-${source.replaceAll('/', '-')}.o`);
        run(tools.clang.program, [...COMPILE, ...machine, '-c', source, '-o', object]);
        return object;
      });
      const image = join(out, `${name}.elf`);
      run(tools.lld.program, [...LINK, '-T', layout, ...files, '-o', image]);
      images[`${name}.elf`] = { bytes: statSync(image).size, sha256: sha256(image) };
    }
    return { compiler: tools.clang.version, linker: tools.lld.version, images };
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

function writeManifest(out, manifest) {
  writeFileSync(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function report(out, manifest) {
  for (const [name, { bytes, sha256: hash }] of Object.entries(manifest.images)) {
    console.log(`${join(out, name)}: ${bytes} bytes, sha256 ${hash}`);
  }
}

/** Returns the exit status. */
function check(tools) {
  const manifest = JSON.parse(readFileSync(join(PREBUILT, 'manifest.json'), 'utf8'));
  const sameTools = manifest.compiler === tools.clang.version && manifest.linker === tools.lld.version;
  if (!sameTools) {
    const out = resolve(process.env.VMLOOM_GUEST_DIR ?? join(ROOT, '.cache', 'rebuilt'));
    const rebuilt = build(tools, out);
    writeManifest(out, rebuilt);
    console.log(`prebuilt by ${manifest.compiler} and ${manifest.linker}`);
    console.log(`this is     ${rebuilt.compiler} and ${rebuilt.linker}: bytes are not compared`);
    console.log(`test the rebuilt images with VMLOOM_GUEST_DIR=${out}`);
    return 0;
  }
  const out = mkdtempSync(join(tmpdir(), 'vmloom-guest-check-'));
  try {
    const rebuilt = build(tools, out);
    const names = [...new Set([...Object.keys(rebuilt.images), ...Object.keys(manifest.images)])];
    const different = names.filter((name) => {
      const committed = sha256(join(PREBUILT, name));
      return rebuilt.images[name]?.sha256 !== committed || manifest.images[name]?.sha256 !== committed;
    });
    for (const name of names) console.log(`${name}: ${different.includes(name) ? 'DIFFERENT' : 'equal'}`);
    return different.length > 0 ? 1 : 0;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function main(args) {
  const tools = findTools();
  if (!tools) {
    console.error('build.mjs needs clang and ld.lld (Debian: apt-get install clang lld)');
    return 2;
  }
  if (args[0] === '--check' && args.length === 1) return check(tools);
  if (args.length !== 0 && !(args[0] === '--out' && args.length === 2)) {
    console.error('usage: node build.mjs [--check | --out DIR]');
    return 1;
  }
  const out = args.length === 2 ? resolve(args[1]) : PREBUILT;
  const manifest = build(tools, out);
  writeManifest(out, manifest);
  report(out, manifest);
  return 0;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
