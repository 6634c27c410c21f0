export * from './frame.js';
export * from './port.js';
