export type { HostSockets, SocketArrivalKind, SocketArrivals, SocketArrive } from './sockets.js';
export { VirtioVsock, type VirtioVsockOptions } from './virtio-vsock.js';
