import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PackedWorkspace } from './harness.mjs';

const workspace = new PackedWorkspace();

afterAll(() => workspace.dispose());

/** Every file that a package.json names, without those of a pattern such as `./wasm/*`. */
function namedFiles(value) {
  if (typeof value === 'string') return value.includes('*') ? [] : [value.replace(/^\.\//, '')];
  return Object.values(value ?? {}).flatMap(namedFiles);
}

describe('the tarball of', () => {
  beforeAll(() => workspace.pack(workspace.names), 180_000);

  it.each(workspace.names)(
    '%s holds its README and all that package.json names, and neither tests nor build state',
    (name) => {
      const files = workspace.files(name);
      const { exports, types, bin } = workspace.manifest(name);
      const named = ['README.md', types, ...namedFiles(exports), ...namedFiles(bin)];
      expect(named.map((file) => file.replace(/^\.\//, '')).filter((file) => !files.includes(file))).toEqual(
        [],
      );
      expect(
        files.filter((file) => /\.test\.|tsbuildinfo|tsconfig\.(?:lib|spec)|out-tsc/.test(file)),
      ).toEqual([]);
    },
  );
});

describe('a program outside the workspace', () => {
  it('uses the PCI bus without a hart', () => {
    const { installed, output } = workspace.build('pci-bus');
    expect(installed).toEqual(['@vmloom/device', '@vmloom/memory', '@vmloom/pci']);
    expect(output).toMatch(/^ok$/m);
  }, 180_000);

  it('runs a device over a memory of its own', () => {
    const { output } = workspace.build('foreign-memory');
    expect(output).toMatch(/^ok$/m);
  }, 180_000);

  it('serves virtio rings in a memory of its own', () => {
    const { output } = workspace.build('foreign-rings');
    expect(output).toMatch(/^ok$/m);
  }, 180_000);
});
