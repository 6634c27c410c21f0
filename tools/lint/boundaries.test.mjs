import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workspacePackages } from './packages.mjs';

const WORKSPACE = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const CONFIG = [
  'package.json',
  'nx.json',
  'tsconfig.base.json',
  'tsconfig.json',
  '.env',
  '.gitignore',
  'eslint.config.mjs',
  '.dependency-cruiser.mjs',
  'tools/types',
];

/** By file: its import, and the rule that must name it, or undefined where it is legal. */
const BY_ESLINT = {
  'packages/device/src/upwards.ts': ["import { here } from '@vmloom/guest';", 'enforce-module-boundaries'],
  'packages/memory/src/circle.ts': ["import { here } from '@vmloom/riscv';", 'enforce-module-boundaries'],
  'packages/guest/src/alone.ts': ["import { here } from '@vmloom/memory';", 'enforce-module-boundaries'],
  'packages/platform/src/beside.ts': ["import { here } from '@vmloom/net';", 'enforce-module-boundaries'],
  'packages/pci/src/path.ts': [
    "import { here } from '../../memory/src/index.js';",
    'enforce-module-boundaries',
  ],
  'packages/device/src/random.ts': ['const here = Math.random();', 'no-restricted-properties'],
  'packages/device/src/date.ts': ['const here = Date.now();', 'no-restricted-globals'],
  'packages/e1000/src/downwards.ts': ["import { here } from '@vmloom/pci';", undefined],
};
const BY_CRUISER = {
  'packages/pci/src/far.ts': ["import { here } from '../../memory/src/deep.js';", 'entry-points-only'],
  'packages/pci/src/deep.ts': ["import { here } from '@vmloom/memory/src/deep.js';", 'resolvable'],
  'packages/pci/src/missing.ts': ["import { here } from './nowhere.js';", 'resolvable'],
  'packages/pci/src/product.ts': ["import { here } from '@vmloom/memory/testing';", 'testing-is-for-tests'],
  'packages/pci/src/some.test.ts': ["import { here } from '@vmloom/memory/testing';", undefined],
  'packages/riscv/bench/cpu.mjs': ["import { here } from '@vmloom/memory/testing';", undefined],
  'packages/pci/src/testing/mock.ts': ["import { here } from '@vmloom/memory/testing';", undefined],
  'apps/guests/src/suite/some-tests.ts': ["import { here } from '@vmloom/net/testing';", undefined],
  'packages/machine/src/socket.ts': ["import { here } from '@vmloom/net/node';", 'node-subpath-is-host-only'],
  'apps/vmloom/src/socket.ts': ["import { here } from '@vmloom/net/node';", undefined],
  'packages/net/src/file.ts': ["import { sep as here } from 'node:path';", 'main-entries-run-in-a-browser'],
  'packages/net/src/node/file.ts': ["import { sep as here } from 'node:path';", undefined],
  'packages/device/src/cycle-a.ts': ["import { x as here } from './cycle-b.js';", 'no-cycle'],
  'packages/device/src/cycle-b.ts': ["import { x as here } from './cycle-a.js';", undefined],
  'packages/device/src/other.ts': ["import { struct as here } from 'buffer-layout';", 'declared'],
  'packages/e1000/src/layouts.ts': ["import { struct as here } from 'buffer-layout';", undefined],
};

let root;

function lay(file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function run(name, ...args) {
  const result = spawnSync(
    process.execPath,
    [realpathSync(join(WORKSPACE, 'node_modules/.bin', name)), ...args],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
      maxBuffer: 1 << 26,
    },
  );
  expect(result.stderr).not.toContain('The rule will be skipped');
  return result.stdout;
}

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'boundaries-')));
  for (const file of CONFIG) cpSync(join(WORKSPACE, file), join(root, file), { recursive: true });
  mkdirSync(join(root, 'node_modules/@vmloom'), { recursive: true });
  for (const name of readdirSync(join(WORKSPACE, 'node_modules'))) {
    if (name !== '@vmloom' && name !== '.cache')
      symlinkSync(join(WORKSPACE, 'node_modules', name), join(root, 'node_modules', name));
  }
  for (const { path, manifest } of workspacePackages(WORKSPACE)) {
    lay(`${path}/package.json`, JSON.stringify(manifest));
    for (const name of ['tsconfig.json', 'tsconfig.lib.json', 'tsconfig.spec.json']) {
      cpSync(join(WORKSPACE, path, name), join(root, path, name));
    }
    for (const name of ['index', 'deep', 'testing/index', 'node/index']) {
      lay(`${path}/src/${name}.ts`, 'export const here: number = 1;\n');
    }
    symlinkSync(join(root, path), join(root, 'node_modules', manifest.name));
  }
  for (const [file, [line]] of Object.entries({ ...BY_ESLINT, ...BY_CRUISER })) {
    lay(file, `${line}\nexport const x${file.endsWith('.ts') ? ': unknown' : ''} = here;\n`);
  }
  run('nx', 'show', 'projects');
}, 180_000);

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('eslint', () => {
  let byFile;

  beforeAll(() => {
    const files = Object.keys(BY_ESLINT);
    const report = JSON.parse(run('eslint', '--format', 'json', ...files));
    byFile = new Map(report.map(({ filePath, messages }) => [filePath.slice(root.length + 1), messages]));
  }, 180_000);

  it.each(Object.entries(BY_ESLINT))('%s: %j', (file, [, rule]) => {
    const rules = byFile.get(file).map(({ ruleId }) => ruleId);
    if (rule) expect(rules).toContainEqual(expect.stringContaining(rule));
    else expect(rules).toEqual([]);
  });
});

describe('dependency-cruiser', () => {
  let violations;

  beforeAll(() => {
    const report = run(
      'depcruise',
      '--config',
      '.dependency-cruiser.mjs',
      '--output-type',
      'json',
      'packages',
      'apps',
    );
    violations = JSON.parse(report).summary.violations;
  }, 180_000);

  it.each(Object.entries(BY_CRUISER))('%s: %j', (file, [, rule]) => {
    const rules = violations.filter(({ from }) => from === file).map((violation) => violation.rule.name);
    // A cycle is reported once, at one of its files.
    if (file.includes('cycle')) expect(violations.map((one) => one.rule.name)).toContain('no-cycle');
    else expect(rules).toEqual(rule ? [rule] : []);
  });
});
