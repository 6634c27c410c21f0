export * from './device-bench.js';
export * from './echo-device.js';
export * from './guest-memory.js';
export * from './mock-queue.js';
export * from './packed-queue.js';
export * from './split-queue.js';
