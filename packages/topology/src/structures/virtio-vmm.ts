import type { RingOptions } from '@vmloom/virtio';
import type { Structure } from './structure.js';
import { plugVirtioNic } from './virtio-nic.js';

/** virtio-net with its back end in the VMM's own thread: one exit to user space per doorbell. */
function inVmm(name: string, summary: string, rings: RingOptions): Structure {
  return {
    name,
    summary,
    guest: { driver: 'virtio-net' },
    charges: { packet: ['virtioPacket', 'hostPacket'], copiesSent: 1, copiesReceived: 1 },
    attach(site) {
      return plugVirtioNic(site, {
        rings,
        executor: site.vm.vm.vcpus[0],
        tariff: this.charges,
        doorbells: { kind: 'immediate' },
        lightDoorbell: false,
      });
    },
  };
}

export const virtioSplit = inVmm('virtio-split', 'virtio-net, split ring, in the VMM', {});
export const virtioSplitPlain = inVmm('virtio-split-no-event-idx', 'the same without EVENT_IDX', {
  eventIndex: false,
});
export const virtioPacked = inVmm('virtio-packed', 'virtio-net, packed ring, in the VMM', { packed: true });
export const virtioPackedPlain = inVmm('virtio-packed-no-event-idx', 'the same without EVENT_IDX', {
  packed: true,
  eventIndex: false,
});
