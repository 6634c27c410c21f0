import { E1000 } from '@vmloom/e1000';
import type { Structure } from './structure.js';

/** No virtual machine at all: the same guest on the bare host with a real e1000. */
export const native: Structure = {
  name: 'native',
  summary: 'the same guest on the bare host',
  native: true,
  guest: { driver: 'e1000' },
  charges: { packet: [], copiesSent: 0, copiesReceived: 0 },
  attach({ vm, wire, mac, index }) {
    const fn = vm.pcie.plug(new E1000({ name: `e1000-${index}`, port: wire, mac }));
    return fn.name;
  },
};
