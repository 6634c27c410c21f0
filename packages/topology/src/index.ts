export * from './build.js';
export * from './check.js';
export * from './costs.js';
export * from './error.js';
export * from './run.js';
export * from './structures/index.js';
export * from './topology.js';
