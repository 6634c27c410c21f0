export * from './address-space.js';
export * from './addresses.js';
export * from './constants.js';
export * from './core-loader.js';
export * from './error.js';
export * from './host-memory.js';
export * from './page-flags.js';
