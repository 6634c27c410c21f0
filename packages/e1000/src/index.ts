export * from './error.js';
export * from './mac-address.js';
export * from './mac.js';
