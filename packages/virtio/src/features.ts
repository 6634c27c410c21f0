// Feature bits that belong to no device type (virtio 1.3, chapter 6), as numbers of bits.

/** Legacy: a device that cannot be driven without the driver asking; any layout of chains. */
export const VIRTIO_F_NOTIFY_ON_EMPTY = 24;
export const VIRTIO_F_ANY_LAYOUT = 27;
export const VIRTIO_F_INDIRECT_DESC = 28;
export const VIRTIO_F_EVENT_IDX = 29;
export const VIRTIO_F_VERSION_1 = 32;
export const VIRTIO_F_ACCESS_PLATFORM = 33;
export const VIRTIO_F_RING_PACKED = 34;
export const VIRTIO_F_IN_ORDER = 35;
export const VIRTIO_F_ORDER_PLATFORM = 36;
export const VIRTIO_F_SR_IOV = 37;
export const VIRTIO_F_NOTIFICATION_DATA = 38;
export const VIRTIO_F_NOTIF_CONFIG_DATA = 39;
export const VIRTIO_F_RING_RESET = 40;

/** The set of some feature bits. */
export const features = (...bits: readonly number[]): bigint =>
  bits.reduce((set, bit) => set | (1n << BigInt(bit)), 0n);

/** Whether a set has a bit. */
export const hasFeature = (set: bigint, bit: number): boolean => ((set >> BigInt(bit)) & 1n) !== 0n;
