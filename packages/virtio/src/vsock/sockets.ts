/** What arrives from the host's sockets, by kind. `connection` names a connection; see {@link HostSockets}. */
export interface SocketArrivals {
  /** A program of the host wants to reach a port of the guest; the number is even and new. */
  'socket-wanted': { connection: number; port: number };
  /** What {@link HostSockets.connect} asked for is there. */
  'socket-connected': { connection: number };
  /** It is not. */
  'socket-refused': { connection: number };
  'socket-data': { connection: number; bytes: Uint8Array };
  /** No more data will come. */
  'socket-end': { connection: number };
  /** So many bytes of what was written have left. */
  'socket-written': { connection: number; bytes: number };
  /** The connection is gone. Nothing follows. */
  'socket-closed': { connection: number };
}
export type SocketArrivalKind = keyof SocketArrivals;
export type SocketArrive = <Kind extends SocketArrivalKind>(kind: Kind, args: SocketArrivals[Kind]) => void;

/**
 * The host's side of a socket device: whoever listens there, and whoever wants to reach the guest. Nothing answers
 * by return value: everything arrives by the function given to {@link start}. Numbers of connections are odd where
 * the device chose them, even where the host did.
 */
export interface HostSockets {
  /** Called once, before anything else. */
  start(arrive: SocketArrive): void;
  /** The guest wants to reach this port of the host. */
  connect(connection: number, port: number): void;
  /** The guest took a connection that a program of the host wanted; `port` is what stands for that program. */
  accept(connection: number, port: number): void;
  /** The bytes belong to the host from here on. */
  write(connection: number, bytes: Uint8Array): void;
  /** So many bytes more may arrive (within one read). */
  grant(connection: number, bytes: number): void;
  /** No more is written. What was, still leaves. */
  end(connection: number): void;
  /** Nobody is interested any more: what was written still leaves, what arrives is lost. `closed` does not follow. */
  finish(connection: number): void;
  /** The connection is broken off. `closed` does not follow. */
  abort(connection: number): void;
}
