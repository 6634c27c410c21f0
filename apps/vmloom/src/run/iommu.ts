import { PciIommu, type PciIommuOptions } from '@vmloom/iommu';
import type { Machine } from '@vmloom/machine';
import { CliError } from '../error.js';
import type { Properties } from '../options/properties.js';

/** Of `-device riscv-iommu-pci`, in QEMU's spelling. */
export const IOMMU_PROPERTIES: Readonly<Record<string, string>> = {
  intremap: 'off: no MSI page tables, device contexts of the base format',
  ats: 'off: no translations and page requests for caches of devices',
  off: 'off: DMA passes until software turns the IOMMU on',
  's-stage': 'off: no first-stage page tables',
  'g-stage': 'off: no second-stage page tables',
};

/** @throws CliError */
export function iommuOptions(properties: Properties): PciIommuOptions {
  return {
    resetMode: properties.flag('off', true) ? 'off' : 'bare',
    features: {
      messages: properties.flag('intremap', true) ? 'mrif' : 'none',
      ats: properties.flag('ats', true),
      firstStage: properties.flag('s-stage', true) ? 'sv57' : 'none',
      secondStage: properties.flag('g-stage', true) ? 'sv57x4' : 'none',
    },
  };
}

/** One IOMMU stands before a fabric. @throws CliError */
export function checkOnlyIommu(machine: Machine): void {
  const other = [...machine.pcie.functions()].some((fn) => fn instanceof PciIommu);
  if (!other && machine.board.iommu === undefined) return;
  throw new CliError('-device riscv-iommu-pci: there is an IOMMU already (-M iommu-sys=on, or another one)');
}
