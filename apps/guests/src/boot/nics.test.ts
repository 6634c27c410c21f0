import { World } from '@vmloom/machine';
import { Switch } from '@vmloom/net';
import type { VirtioNet, VirtioPci } from '@vmloom/virtio';
import { expect, it } from 'vitest';
import { E1000_NIC, virtioNic } from './nics.js';

const MAC = '52:54:00:00:00:01';
const { clock, ledger } = new World({ time: 'virtual' });
const lan = new Switch({ clock, ledger });

it.each([E1000_NIC, virtioNic(), virtioNic({ packed: true, pairs: 4 })])(
  "$name: the device has the numbers by which its driver is found, and QEMU's name",
  (nic) => {
    const { vendor, device } = nic.make(lan.port(), MAC).identity;
    const expected = nic.driver === 'e1000' ? [0x8086, 0x100e] : [0x1af4, 0x1000];
    expect([vendor, device]).toEqual(expected);
    expect(nic.qemu).toMatch(nic.driver === 'e1000' ? /^e1000$/ : /^virtio-net-pci,packed=(?:on|off)/);
  },
);

it('has as many pairs of queues as were asked for, and vectors for them', () => {
  const nic = virtioNic({ packed: true, pairs: 4 });
  const made = nic.make(lan.port(), MAC) as VirtioPci;
  expect((made.device as VirtioNet).pairs).toBe(4);
  expect(nic.qemu).toBe('virtio-net-pci,packed=on,mq=on,vectors=10');
});
