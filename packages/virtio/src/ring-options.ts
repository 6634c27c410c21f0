import * as F from './features.js';

/** What a transport offers of chapter 6. The names are those of QEMU's properties, spelt as TypeScript does. */
export interface RingOptions {
  /** Packed rings (`packed`). False unless told. */
  readonly packed?: boolean;
  /** Indirect descriptors (`indirect_desc`). True unless told. */
  readonly indirect?: boolean;
  /** Notification suppression by index (`event_idx`). True unless told. */
  readonly eventIndex?: boolean;
  /** Buffers are used in the order in which they came (`in_order`). False unless told. */
  readonly inOrder?: boolean;
  /** Doorbells say how far the driver got. False unless told. */
  readonly notificationData?: boolean;
  /** Doorbells carry a number that the device chose for the queue. False unless told; PCI only. */
  readonly notifyConfigData?: boolean;
  /** Queues can be reset one by one (`queue_reset`). True unless told. */
  readonly ringReset?: boolean;
  /** DMA goes through the IOMMU of the platform (`iommu_platform`), and drivers that ignore it are refused. False unless told. */
  readonly accessPlatform?: boolean;
  /** Memory is ordered as the platform orders it for devices. False unless told. */
  readonly orderPlatform?: boolean;
}

/** The bits that the options offer. */
export function ringFeatures(options: RingOptions, legacy: boolean): bigint {
  const bits: number[] = [];
  const offer = (bit: number, offered: boolean): void => void (offered && bits.push(bit));
  offer(F.VIRTIO_F_INDIRECT_DESC, options.indirect ?? true);
  offer(F.VIRTIO_F_EVENT_IDX, options.eventIndex ?? true);
  if (legacy) return F.features(...bits, F.VIRTIO_F_ANY_LAYOUT);
  offer(F.VIRTIO_F_VERSION_1, true);
  offer(F.VIRTIO_F_ACCESS_PLATFORM, options.accessPlatform ?? false);
  offer(F.VIRTIO_F_RING_PACKED, options.packed ?? false);
  offer(F.VIRTIO_F_IN_ORDER, options.inOrder ?? false);
  offer(F.VIRTIO_F_ORDER_PLATFORM, options.orderPlatform ?? false);
  offer(F.VIRTIO_F_NOTIFICATION_DATA, options.notificationData ?? false);
  offer(F.VIRTIO_F_NOTIF_CONFIG_DATA, options.notifyConfigData ?? false);
  offer(F.VIRTIO_F_RING_RESET, options.ringReset ?? true);
  return F.features(...bits);
}
