export * from './fake-target.js';
export * from './gdb-client.js';
