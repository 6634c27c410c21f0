export { NO_COALESCING, type CoalescingLimits } from './coalescing.js';
export { NET_FEATURES, type NetFeature } from './features.js';
export { VirtioNet, type VirtioNetOptions } from './virtio-net.js';
