export * from './assembler.js';
export * from './bare-machine.js';
export * from './page-tables.js';
export * from './random.js';
export * from './trap-catcher.js';
