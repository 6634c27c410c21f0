export * from './fake-guest.js';
export * from './host-bench.js';
