export * from './aclint.js';
export * from './aclint-sswi.js';
export * from './goldfish-rtc.js';
export * from './plic.js';
export * from './test-finisher.js';
export * from './uart-16550.js';
export * from './uart-registers.js';
