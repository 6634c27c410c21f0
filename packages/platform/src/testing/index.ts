export * from './aplic-bench.js';
export * from './aplic-driver.js';
export * from './fake-line.js';
export * from './fake-signal.js';
export * from './imsic-driver.js';
export * from './mtimer-driver.js';
export * from './plic-driver.js';
export * from './uart-driver.js';
