export * from './assembler.js';
export * from './bare-machine.js';
export * from './float-operands.js';
export * from './float-reference.js';
export * from './page-tables.js';
export * from './random.js';
export * from './trap-catcher.js';
