// What a frame may leave to whoever hands it on (`Frame.needs`), and what a receiver takes undone
// (`PortOwner.offloads`). Nothing but constants: AssemblyScript and TypeScript share them.

/** The checksum of the transport layer is that of the pseudo header alone. */
export const OFFLOAD_CHECKSUM = 1;
/** A TCP segment over IPv4 that must be cut into segments. */
export const OFFLOAD_TCP4 = 2;
/** The same over IPv6. */
export const OFFLOAD_TCP6 = 4;
/** UDP datagrams of one flow over IPv4 as one, which must be cut. */
export const OFFLOAD_UDP4 = 8;
/** The same over IPv6. */
export const OFFLOAD_UDP6 = 16;
/** With TCP: CWR is set, which the first segment alone keeps. */
export const OFFLOAD_ECN = 32;
/** Whatever a frame may need. */
export const OFFLOAD_ALL = 63;
/** The frame must be cut. */
export const OFFLOAD_SEGMENTATION = 30;
