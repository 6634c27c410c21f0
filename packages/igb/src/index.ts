export * from './error.js';
export * from './igb.js';
export { EEPROM_WORDS, eepromImage } from './eeprom.js';
export * from './interrupts.js';
export * from './mac.js';
export * from './queues.js';
export { RegisterFile } from './register-file.js';
export { StateBlock } from './state-block.js';
export * from './steering.js';
