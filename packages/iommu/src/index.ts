export * as codes from './codes.js';
export * from './error.js';
export * from './iommu.js';
export * from './options.js';
export * from './pci-iommu.js';
export * as registers from './registers.js';
export * from './translator.js';
