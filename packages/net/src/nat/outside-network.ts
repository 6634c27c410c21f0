import type { EventArguments } from '@vmloom/device';

/** The host's resolver, whatever its address: where frames for the NAT's name server go. */
export const RESOLVER = 'resolver';

/** Why a connection or a datagram failed. */
export type Failure = 'refused' | 'host-unreachable' | 'net-unreachable' | 'prohibited' | 'timeout' | 'reset';

/** Each arrival from outside, by kind, with its arguments. Flows are numbers given by whoever opened them. */
export interface Arrivals {
  'tcp-connected': { flow: number };
  'tcp-failed': { flow: number; failure: Failure };
  /** A connection came to a forwarded port; its number is odd, given by the outside. */
  'tcp-accepted': { forward: number; flow: number; address: string; port: number };
  'tcp-data': { flow: number; bytes: Uint8Array };
  /** The peer sends no more. */
  'tcp-end': { flow: number };
  /** The connection broke. */
  'tcp-reset': { flow: number };
  /** So many written bytes have left. */
  'tcp-drained': { flow: number; bytes: number };
  /** The local port of a flow's socket, to open it there again after a restore. */
  'udp-bound': { flow: number; port: number };
  'udp-data': { flow: number; address: string; port: number; bytes: Uint8Array };
  'udp-failed': { flow: number; address: string; port: number; failure: Failure };
  /** A datagram came to a forwarded port. */
  'forward-data': { forward: number; address: string; port: number; bytes: Uint8Array };
  'ping-result': { request: number; failure: Failure | '' };
}
export type ArrivalKind = keyof Arrivals;

/** Takes what arrives; it becomes an event of the NAT. */
export type Arrive = <Kind extends ArrivalKind>(kind: Kind, args: Arrivals[Kind] & EventArguments) => void;

/**
 * The network outside, as the NAT uses it: sockets of the host, or a fake. Nothing is ever answered by
 * return value; addresses are dotted IPv4 or {@link RESOLVER}. Bytes handed over belong to the receiver.
 */
export interface OutsideNetwork {
  /** Called once, before anything else. */
  start(arrive: Arrive): void;
  /** Answered by `tcp-connected` or `tcp-failed`. */
  tcpConnect(flow: number, address: string, port: number): void;
  tcpWrite(flow: number, bytes: Uint8Array): void;
  /** No more writes follow; reading goes on. */
  tcpEnd(flow: number): void;
  /** Breaks the connection off; nothing more arrives for it. */
  tcpReset(flow: number): void;
  /** So many more bytes may arrive as `tcp-data` (within one read). None may before the first grant. */
  tcpGrant(flow: number, bytes: number): void;
  /** Opens a socket, at `port` if that is free. */
  udpOpen(flow: number, port?: number): void;
  udpSend(flow: number, address: string, port: number, bytes: Uint8Array): void;
  udpClose(flow: number): void;
  /** Takes connections or datagrams at a port of the host. */
  listen(forward: number, protocol: 'tcp' | 'udp', address: string, port: number): void;
  /** Answers a datagram that came to a forwarded port. */
  forwardSend(forward: number, address: string, port: number, bytes: Uint8Array): void;
  /** Asks for an echo, answered by `ping-result`. */
  ping(request: number, address: string, size: number): void;
  /** Resolves when something has arrived, or after so many milliseconds of the host. */
  settled(milliseconds: number): Promise<void>;
  close(): void;
}

/** What the NAT calls while a record is played back: nothing goes out. */
export const NOWHERE: Omit<OutsideNetwork, 'start' | 'close' | 'settled'> = {
  tcpConnect: () => undefined,
  tcpWrite: () => undefined,
  tcpEnd: () => undefined,
  tcpReset: () => undefined,
  tcpGrant: () => undefined,
  udpOpen: () => undefined,
  udpSend: () => undefined,
  udpClose: () => undefined,
  listen: () => undefined,
  forwardSend: () => undefined,
  ping: () => undefined,
};
