import { node, type DeviceTreeNode } from './node.js';
import { PHANDLE_IOMMU } from './phandles.js';

/** The node of an IOMMU that is a function of the root bus; `devfn` is its device and function number. */
export function functionIommu(devfn: number): DeviceTreeNode {
  return node(`iommu@${devfn.toString(16)}`, {
    compatible: ['pci1b36,0014', 'riscv,pci-iommu'],
    '#iommu-cells': 1,
    phandle: PHANDLE_IOMMU,
    reg: [devfn << 8, 0, 0, 0, 0],
  });
}

/** Which requester IDs are behind the IOMMU, with their device IDs: all but an IOMMU that is a function itself. */
export function iommuMap(iommu: 'board' | number | undefined): number[] | undefined {
  if (iommu === undefined) return undefined;
  if (iommu === 'board') return [0, PHANDLE_IOMMU, 0, 0xffff];
  const behind = [iommu + 1, PHANDLE_IOMMU, iommu + 1, 0xffff - iommu];
  return iommu === 0 ? behind : [0, PHANDLE_IOMMU, 0, iommu, ...behind];
}
