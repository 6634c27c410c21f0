import { E1000 } from '@vmloom/e1000';
import { Igb } from '@vmloom/igb';
import type { Port } from '@vmloom/net';
import type { PciFunction } from '@vmloom/pci';
import { VirtioNet, VirtioPci } from '@vmloom/virtio';

/** A network card by the driver that Linux has for it. */
export interface Nic {
  /** As people call it. */
  readonly name: string;
  /** The driver, which is the module's name too. */
  readonly driver: string;
  /** The same for QEMU: what `-device` is given beside its network. */
  readonly qemu: string;
  make(port: Port, mac: string): PciFunction;
}

export const E1000_NIC: Nic = {
  name: 'e1000',
  driver: 'e1000',
  qemu: 'e1000',
  make: (port, mac) => new E1000({ port, mac }),
};

/** The physical function of an 82576. */
export const IGB_NIC: Nic = {
  name: 'igb',
  driver: 'igb',
  qemu: 'igb',
  make: (port, mac) => new Igb({ port, mac }),
};

export interface VirtioNicOptions {
  /** Packed rings instead of split ones. */
  readonly packed?: boolean;
  /** Pairs of queues; 1 unless told. */
  readonly pairs?: number;
  /** Its DMA goes through the IOMMU. */
  readonly platform?: boolean;
}

/** A virtio-net card on PCI. */
export function virtioNic({ packed = false, pairs = 1, platform = false }: VirtioNicOptions = {}): Nic {
  const parts = [packed ? 'packed' : 'split', ...(pairs === 1 ? [] : [`${pairs} pairs`])];
  const several = pairs === 1 ? '' : `,mq=on,vectors=${2 * pairs + 2}`;
  return {
    name: `virtio-net, ${parts.join(', ')}`,
    driver: 'virtio_net',
    qemu: `virtio-net-pci,packed=${packed ? 'on' : 'off'}${several}${platform ? ',iommu_platform=on' : ''}`,
    make: (port, mac) =>
      new VirtioPci({ device: new VirtioNet({ port, mac, pairs }), packed, accessPlatform: platform }),
  };
}
