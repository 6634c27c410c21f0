export * from './compressed.js';
export * from './elf.js';
export * from './image.js';
export * from './linux-image.js';
export * from './placement.js';
export { type LoadedImage, type Placement, type RamWindow } from './ram.js';
