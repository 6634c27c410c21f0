import type { Structure } from './structure.js';
import { LOOK_UNTIL_EMPTY, plugVirtioNic } from './virtio-nic.js';

/** virtio-net with its back end in a task of the host, as vhost: doorbells are light, the guest goes on meanwhile. */
export const virtioVhost: Structure = {
  name: 'virtio-vhost',
  summary: 'virtio-net, back end in a task of the host',
  guest: { driver: 'virtio-net' },
  charges: { packet: ['vhostPacket', 'hostPacket'], copiesSent: 1, copiesReceived: 1 },
  attach(site) {
    const { vm } = site;
    return plugVirtioNic(site, {
      rings: {},
      executor: vm.host.hypervisor.task(`${vm.name}.vhost-${site.index}`, vm.vm.account),
      tariff: this.charges,
      doorbells: LOOK_UNTIL_EMPTY,
      lightDoorbell: true,
    });
  },
};
