import { describe, expect, it } from 'vitest';
import { readFdt } from './fdt-reader.js';
import { writeFdt } from './fdt-writer.js';
import { cells, findNode, strings, type DeviceTreeNode } from './node.js';
import { buildVirtTree, type VirtBoardDescription } from './virt-tree.js';

const seen = (description: Partial<VirtBoardDescription>): DeviceTreeNode =>
  readFdt(writeFdt(buildVirtTree({ harts: 1, memory: 0x800_0000, ...description }))).root;

const at = (tree: DeviceTreeNode, path: string): DeviceTreeNode => {
  const found = findNode(tree, path);
  if (found === undefined) throw new Error(`no ${path}`);
  return found;
};

describe('nodes of an IOMMU', () => {
  it('the board: riscv,iommu at 0x3010000 with four wires, and all requester IDs behind it', () => {
    const tree = seen({ iommu: 'board' });
    const iommu = at(tree, '/soc/iommu@3010000');
    const [phandle] = cells(iommu, 'phandle');
    expect(strings(iommu, 'compatible')).toEqual(['riscv,iommu']);
    expect(cells(iommu, 'reg')).toEqual([0, 0x301_0000, 0, 0x1000]);
    expect(cells(iommu, '#iommu-cells')).toEqual([1]);
    expect(cells(iommu, 'interrupts')).toEqual([36, 37, 38, 39]);
    expect(cells(at(tree, '/soc/pci@30000000'), 'iommu-map')).toEqual([0, phandle, 0, 0xffff]);
  });

  it('with an APLIC each wire has a sense; with IMSICs there is a parent for messages', () => {
    expect(cells(at(seen({ iommu: 'board', aia: 'aplic' }), '/soc/iommu@3010000'), 'interrupts')).toEqual([
      36, 4, 37, 4, 38, 4, 39, 4,
    ]);
    const tree = seen({ iommu: 'board', aia: 'aplic-imsic' });
    const parent = cells(at(tree, '/soc/iommu@3010000'), 'msi-parent');
    expect(parent).toEqual(cells(at(tree, '/soc/pci@30000000'), 'msi-parent'));
  });

  it('a function: riscv,pci-iommu below the host bridge, and all others behind it', () => {
    const tree = seen({ iommu: 0x18 });
    const iommu = at(tree, '/soc/pci@30000000/iommu@18');
    const [phandle] = cells(iommu, 'phandle');
    expect(strings(iommu, 'compatible')).toEqual(['pci1b36,0014', 'riscv,pci-iommu']);
    expect(cells(iommu, 'reg')).toEqual([0x1800, 0, 0, 0, 0]);
    const map = cells(at(tree, '/soc/pci@30000000'), 'iommu-map');
    expect(map).toEqual([0, phandle, 0, 0x18, 0x19, phandle, 0x19, 0xffff - 0x18]);
  });

  it('none: nothing is behind one', () => {
    expect(at(seen({}), '/soc/pci@30000000').properties.has('iommu-map')).toBe(false);
  });
});
