import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findAssemblyImports, findFloorFaults, findLockFaults, findPrivateTypes } from './packages.mjs';

let root;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'packages-'));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function lay(file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

describe('assembly imports', () => {
  const manifest = { name: '@vmloom/nic', dependencies: { '@vmloom/memory': '1' } };
  const find = (from) => {
    lay('packages/nic/src/constants.ts', "import { A } from './a.js';\nexport const B = A + 1;\n");
    lay('packages/nic/src/device.ts', 'export const A = 1;\nexport class Nic {}\n');
    lay('packages/nic/assembly/deep/ring.ts', `import { x } from '${from}';\n`);
    return findAssemblyImports(root, [{ path: 'packages/nic', manifest }]);
  };

  it.each(['../other', './near', '../../src/constants', '@vmloom/memory/assembly/store'])(
    'may be %s',
    (from) => expect(find(from)).toEqual([]),
  );

  it.each([
    '../../src/device',
    '../../src/nowhere',
    '../../../memory/src/constants',
    '../../../memory/assembly/store',
    '@vmloom/memory',
    '@vmloom/memory/src/x',
    '@vmloom/riscv/assembly/x',
  ])('may not be %s', (from) => expect(find(from)).toHaveLength(1));
});

describe('floors of package.json', () => {
  const constraints = [
    { sourceTag: 'floor:low', onlyDependOnLibsWithTags: [] },
    { sourceTag: 'floor:high', onlyDependOnLibsWithTags: ['floor:low'] },
  ];
  const pack = (name, floor, ...names) => ({
    path: `packages/${name}`,
    manifest: {
      name,
      nx: { tags: [`floor:${floor}`] },
      dependencies: Object.fromEntries(names.map((one) => [one, '1'])),
    },
  });

  it('lets a package depend downwards and on packages from elsewhere', () => {
    expect(findFloorFaults([pack('a', 'low', 'buffer-layout'), pack('b', 'high', 'a')], constraints)).toEqual(
      [],
    );
  });

  it('refuses upwards, sideways and unknown floors', () => {
    expect(findFloorFaults([pack('a', 'low', 'b'), pack('b', 'high')], constraints)).toHaveLength(1);
    expect(findFloorFaults([pack('b', 'high'), pack('c', 'high', 'b')], constraints)).toHaveLength(1);
    expect(findFloorFaults([pack('a', 'nowhere')], constraints)).toHaveLength(1);
  });
});

describe('the lockfile', () => {
  const nic = { path: 'packages/nic', manifest: { name: '@vmloom/nic', dependencies: { a: '1', b: '2' } } };
  const find = (locked, packages) => {
    lay('package.json', '{ "devDependencies": { "t": "1" } }');
    lay(
      'package-lock.json',
      JSON.stringify({ packages: { '': { devDependencies: { t: '1' } }, ...locked } }),
    );
    return findLockFaults(root, packages);
  };

  it('agrees with every package.json', () => {
    expect(
      find({ 'packages/nic': { dependencies: { b: '2', a: '1' } }, 'node_modules/a': {} }, [nic]),
    ).toEqual([]);
  });

  it('is refused for a package that is new, changed or gone', () => {
    expect(find({}, [nic])).toEqual([expect.stringContaining('packages/nic')]);
    expect(find({ 'packages/nic': { dependencies: { a: '1' } } }, [nic])).toHaveLength(1);
    expect(find({ 'packages/old': {} }, [])).toEqual([expect.stringContaining('packages/old')]);
  });
});

it('a type of buffer-layout is found where a published declaration leads to it', () => {
  const manifest = { exports: { '.': { types: './dist/index.d.ts' }, './wasm/*': './wasm/*' } };
  const packages = [{ path: 'packages/nic', manifest }];
  lay('packages/nic/dist/layouts.d.ts', "import { Structure } from 'buffer-layout';\n");
  lay('packages/nic/dist/middle.d.ts', "export * from './layouts.js';\n");
  lay('packages/nic/dist/index.d.ts', 'export declare const x: number;\n');
  expect(findPrivateTypes(root, packages)).toEqual([]);
  lay('packages/nic/dist/index.d.ts', "export * from './middle.js';\n");
  expect(findPrivateTypes(root, packages)).toEqual([
    expect.stringMatching(/^packages\/nic\/dist\/layouts\.d\.ts/),
  ]);
});
