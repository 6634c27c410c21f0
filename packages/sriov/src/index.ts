export * from './ari.js';
export * from './sriov.js';
export * as sriovRegisters from './registers.js';
export * from './virtual-function.js';
