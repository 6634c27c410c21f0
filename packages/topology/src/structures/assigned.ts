import { E1000 } from '@vmloom/e1000';
import type { Structure } from './structure.js';

/**
 * The host's own NIC given to one virtual machine, its memory mapped one to one and no IOMMU between: registers are
 * reached without exits, nothing is copied; interrupts go through the hypervisor.
 */
export const assigned: Structure = {
  name: 'assigned',
  summary: 'the hardware e1000 assigned to one VM, without an IOMMU',
  guest: { driver: 'e1000' },
  charges: { packet: [], copiesSent: 0, copiesReceived: 0 },
  attach({ vm, wire, mac, index }) {
    const fn = vm.assign(new E1000({ name: `e1000-${index}`, port: wire, mac }));
    return fn.name;
  },
};
