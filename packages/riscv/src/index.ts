export * from './compressed.js';
export * from './core.js';
export * from './csr-numbers.js';
export * from './error.js';
export * from './hart.js';
export * from './instructions.js';
export * from './disassembler.js';
export * from './operands.js';
