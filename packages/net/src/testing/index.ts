export * from './fake-outside.js';
export * from './frames.js';
export * from './guest.js';
export * from './packets.js';
export * from './pcapng-reader.js';
export * from './station.js';
export * from './nat.js';
export * from './tcp-client.js';
