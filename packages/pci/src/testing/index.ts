export * from './fake-function.js';
export * from './fake-host.js';
