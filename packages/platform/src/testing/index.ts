export * from './fake-line.js';
export * from './mtimer-driver.js';
export * from './plic-driver.js';
export * from './uart-driver.js';
