export * from './bare-machine.js';
