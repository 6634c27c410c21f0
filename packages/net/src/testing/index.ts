export * from './frames.js';
export * from './pcapng-reader.js';
export * from './station.js';
