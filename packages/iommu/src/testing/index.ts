export * from './ats-device.js';
export * from './bench.js';
export * from './driver.js';
export * as tables from './tables.js';
export { DeviceDirectory, PageTable, ProcessDirectory, TableMemory } from './tables.js';
