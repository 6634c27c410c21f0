export { SECTOR, type BlockStore, type Done } from './block-store.js';
export { VirtioBlk, type VirtioBlkOptions } from './blk.js';
export type { BlkTopology } from './config.js';
export { MemoryStore, type MemoryStoreOptions } from './memory-store.js';
export { memoryLayer, OverlayStore, type OverlayLayer } from './overlay-store.js';
export { PowerLossStore, type PowerLossOptions } from './power-loss-store.js';
export { SectorMap } from './sector-map.js';
export * as blk from './registers.js';
