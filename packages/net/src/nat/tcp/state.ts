import type { Connection } from './connection.js';
import type { Sequence } from './sequence.js';

/** Bytes that may wait in each direction of one connection. */
export const SEND_LIMIT = 1024 * 1024;
export const RECEIVE_LIMIT = 1024 * 1024;
/** The shift that we offer: windows up to 65535 << 5, above {@link RECEIVE_LIMIT} (RFC 7323 2.3). */
export const OUR_SHIFT = 5;

export type State =
  /** The guest's SYN waits for the outside. */
  | 'connecting'
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'closed';

/** What a connection needs of the NAT around it. */
export interface ConnectionHost {
  readonly now: number;
  /** Largest data of a segment to the guest. */
  readonly mss: number;
  /** Sends `length` bytes of the connection's buffer from `offset` on. False: blocked. */
  transmit(
    connection: Connection,
    flags: number,
    sequence: Sequence,
    offset: number,
    length: number,
  ): boolean;
  /** Data for the outside. */
  deliver(connection: Connection, bytes: Uint8Array): void;
  /** The guest sends no more. */
  deliverEnd(connection: Connection): void;
  /** The outside may send so many more bytes. */
  grant(connection: Connection, bytes: number): void;
  /** The outside's connection is to be broken off. */
  abort(connection: Connection): void;
}
