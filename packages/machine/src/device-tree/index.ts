export * from './aia-nodes.js';
export * from './fdt-reader.js';
export * from './fdt-writer.js';
export * from './node.js';
export * from './rng-seed.js';
export * from './virt-tree.js';
