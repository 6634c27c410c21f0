export * from './fake-driver.js';
export * from './frames.js';
export * from './nic-bench.js';
export * from './packets.js';
export * from './test-port.js';
