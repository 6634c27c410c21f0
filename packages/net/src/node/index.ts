export * from './file-sink.js';
