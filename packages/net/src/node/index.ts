export * from './file-sink.js';
export * from './host-datagram.js';
export * from './host-network.js';
export * from './host-stream.js';
export { systemResolvers, type ResolverAddress } from './resolver.js';
