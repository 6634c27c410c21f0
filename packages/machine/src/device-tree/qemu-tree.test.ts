import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFdt } from './fdt-reader.js';
import { writeFdt } from './fdt-writer.js';
import type { Aia } from './aia-nodes.js';
import { cells, type DeviceTreeNode } from './node.js';
import { buildVirtTree } from './virt-tree.js';

const PROGRAM = 'qemu-system-riscv64';
const installed = spawnSync(PROGRAM, ['--version']).status === 0;

/** Where ours may differ from QEMU's, by property. */
const OWN: { readonly [property: string]: string } = {
  'riscv,isa': 'the harts are other harts',
  'mmu-type': 'the harts are other harts',
  'riscv,ndev': 'QEMU 7.2 counts 96 sources, later ones 95',
  'rng-seed': 'QEMU has host randomness, here a seed',
};

function qemuTree(harts: number, aia: Aia = 'none', aiaGuests = 0): DeviceTreeNode {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  try {
    const file = join(folder, 'virt.dtb');
    const board = `virt,aia=${aia},aia-guests=${aiaGuests},dumpdtb=${file}`;
    spawnSync(PROGRAM, ['-M', board, '-smp', `${harts}`, '-m', '128', '-display', 'none']);
    return readFdt(new Uint8Array(readFileSync(file))).root;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All nodes by path. */
function byPath(node: DeviceTreeNode, path = ''): Map<string, DeviceTreeNode> {
  const nodes = new Map([[path === '' ? '/' : path, node]]);
  for (const child of node.children) {
    for (const [key, value] of byPath(child, `${path}/${child.name}`)) nodes.set(key, value);
  }
  return nodes;
}

/** A property with each phandle in it replaced by the path that it leads to. */
function resolved(nodes: Map<string, DeviceTreeNode>, node: DeviceTreeNode, property: string): unknown {
  const handles = new Map<number, string>();
  for (const [path, each] of nodes) {
    if (each.properties.has('phandle')) handles.set(cells(each, 'phandle')[0], path);
  }
  const isHandle = {
    'interrupt-parent': () => true,
    regmap: () => true,
    cpu: () => true,
    'msi-parent': () => true,
    'riscv,children': () => true,
    'riscv,delegate': (index: number) => index === 0,
    'interrupts-extended': (index: number) => index % 2 === 0,
    'interrupt-map': (index: number) => index % (nodes.has('/soc/aplic@d000000') ? 7 : 6) === 4,
  }[property];
  if (isHandle === undefined) return [...node.properties.get(property)!];
  return cells(node, property).map((cell, index) => (isHandle(index) ? handles.get(cell) : cell));
}

// Without QEMU there is nothing to compare with; virt-tree.test says what the tree has to be.
describe.skipIf(!installed)('differential: the tree of QEMU virt', () => {
  it.each([
    [1, 'none', 0],
    [3, 'none', 0],
    [1, 'aplic', 0],
    [3, 'aplic', 0],
    [1, 'aplic-imsic', 0],
    [3, 'aplic-imsic', 0],
    [4, 'aplic-imsic', 5],
  ] as const)(
    'every node and property that both have is the same, with %i harts, aia=%s, %i guests',
    (harts, aia, aiaGuests) => {
      const theirs = byPath(qemuTree(harts, aia, aiaGuests));
      const board = { harts, aia, aiaGuests, memory: 128 * 1024 * 1024, rngSeed: 1 };
      const ours = byPath(readFdt(writeFdt(buildVirtTree(board))).root);
      let compared = 0;
      for (const [path, node] of ours) {
        const other = theirs.get(path);
        expect(other, `${path} is in both`).toBeDefined();
        for (const property of node.properties.keys()) {
          if (property === 'phandle' || property in OWN || !other!.properties.has(property)) continue;
          expect(resolved(ours, node, property), `${path} ${property}`).toEqual(
            resolved(theirs, other!, property),
          );
          compared++;
        }
      }
      expect(compared).toBeGreaterThan(60);
    },
  );

  it.each(['none', 'aplic', 'aplic-imsic'] as const)(
    'what QEMU has and this board has not: flash, fw-cfg, the platform bus, a PMU node; aia=%s',
    (aia) => {
      const ours = byPath(buildVirtTree({ harts: 1, memory: 128 * 1024 * 1024, aia }));
      const missing = [...byPath(qemuTree(1, aia)).keys()].filter((path) => !ours.has(path));
      const known = /^\/(soc\/)?(flash|fw-cfg|platform-bus|pmu)(@|$)/;
      expect(missing.filter((path) => !known.test(path))).toEqual([]);
    },
  );
});
