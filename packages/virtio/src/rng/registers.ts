// Numbers of the entropy device (virtio 1.3, 5.4). It has no features and no configuration space.

export const RNG_DEVICE_ID = 4;
