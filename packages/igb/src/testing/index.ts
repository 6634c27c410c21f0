export * from './fake-driver.js';
export * from './frames.js';
export * from './mailbox-driver.js';
export * from './nic-bench.js';
export * from './packets.js';
export * from './test-port.js';
export * from './virtual-bench.js';
