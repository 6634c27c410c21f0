export * from './cell.js';
export * from './expectations.js';
export * from './lab.js';
export * from './report.js';
export * from './workload.js';
