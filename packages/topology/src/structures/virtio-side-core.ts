import type { Structure } from './structure.js';
import { plugVirtioNic } from './virtio-nic.js';

/** virtio-net whose back end polls on a hart of its own, for all machines of the host: no doorbells, one hart spent. */
export const virtioSideCore: Structure = {
  name: 'virtio-side-core',
  summary: 'virtio-net, back end on a polling side core',
  sideCores: 1,
  guest: { driver: 'virtio-net' },
  charges: { packet: ['vhostPacket', 'hostPacket'], copiesSent: 1, copiesReceived: 1 },
  attach(site) {
    const { hypervisor } = site.vm.host;
    return plugVirtioNic(site, {
      rings: {},
      executor: hypervisor.sideCore(`${hypervisor.name}.side-core`),
      tariff: this.charges,
      doorbells: { kind: 'polled', interval: hypervisor.preset.pollInterval },
      lightDoorbell: true,
    });
  },
};
