import { E1000 } from '@vmloom/e1000';
import type { Structure } from './structure.js';

/** The NIC of hardware, emulated register by register in the VMM's thread: every access is an exit to user space. */
export const e1000: Structure = {
  name: 'e1000',
  summary: 'emulated e1000 in the VMM',
  guest: { driver: 'e1000' },
  charges: { packet: ['emulatedPacket', 'hostPacket'], copiesSent: 1, copiesReceived: 1 },
  attach({ vm, wire, mac, index }) {
    const name = `e1000-${index}`;
    const device = `${vm.name}.${name}`;
    const backEnd = vm.host.hypervisor.backEnd({
      device,
      account: vm.vm.account,
      executor: vm.vm.vcpus[0],
      tariff: this.charges,
    });
    vm.pcie.plug(new E1000({ name, port: backEnd.port(wire), mac }));
    return device;
  },
};
