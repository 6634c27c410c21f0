export * from './fake-target.js';
export * from './gdb-client.js';
export * from './small-machine.js';
