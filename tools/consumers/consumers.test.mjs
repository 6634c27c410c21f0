import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PackedWorkspace } from './harness.mjs';

let workspace;

beforeAll(() => {
  workspace = new PackedWorkspace();
}, 120_000);

afterAll(() => workspace?.dispose());

describe('a tarball', () => {
  it('holds what its exports name, its README, and neither tests nor build state', () => {
    for (const name of workspace.names) {
      const files = workspace.files(name);
      expect(files, name).toContain('README.md');
      expect(files, name).toContain('dist/index.js');
      expect(files, name).toContain('dist/index.d.ts');
      expect(files.filter((file) => /\.test\.|tsbuildinfo|tsconfig|out-tsc/.test(file), name)).toEqual([]);
    }
  });
});

describe('a program outside the workspace', () => {
  it('uses the PCI bus without a hart', () => {
    const { installed, output } = workspace.build('pci-bus');
    expect(installed).toEqual(['@vmloom/device', '@vmloom/memory', '@vmloom/pci']);
    expect(output).toMatch(/^ok$/m);
  }, 60_000);

  it('runs a device over a memory of its own', () => {
    const { output } = workspace.build('foreign-memory');
    expect(output).toMatch(/^ok$/m);
  }, 60_000);
});
