export * from './clock.js';
export * from './device.js';
export * from './dma.js';
export * from './error.js';
export * from './interrupts.js';
export * from './ledger.js';
export * from './outside.js';
export * from './snapshot.js';
