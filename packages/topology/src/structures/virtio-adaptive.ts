import type { Structure } from './structure.js';
import { plugVirtioNic } from './virtio-nic.js';

/** Packets in a window of 200 us beyond which the back end polls. */
const BUSY = 8;

/** virtio-net whose back end goes by doorbells while they are rare, and polls while packets are many. */
export const virtioAdaptive: Structure = {
  name: 'virtio-adaptive',
  summary: 'virtio-net, task of the host, doorbells or polling by load',
  guest: { driver: 'virtio-net' },
  charges: { packet: ['vhostPacket', 'hostPacket'], copiesSent: 1, copiesReceived: 1 },
  attach(site) {
    const { vm } = site;
    const { hypervisor } = vm.host;
    return plugVirtioNic(site, {
      rings: {},
      executor: hypervisor.task(`${vm.name}.vhost-${site.index}`, vm.vm.account),
      tariff: this.charges,
      doorbells: {
        kind: 'adaptive',
        window: 200_000,
        enter: BUSY,
        leave: BUSY / 2,
        interval: 5 * hypervisor.preset.pollInterval,
      },
      lightDoorbell: true,
    });
  },
};
