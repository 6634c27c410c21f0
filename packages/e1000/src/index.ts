export * from './error.js';
export * from './e1000.js';
export { EEPROM_WORDS, eepromImage } from './eeprom.js';
export * from './mac.js';
export { StateBlock } from './state-block.js';
