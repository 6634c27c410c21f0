import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Failure } from '../nat/outside-network.js';
import { failureOf } from './host-tcp.js';

/** Datagrams that wait at once for a socket to be ready; more are lost, as a full socket's are. */
export const MAX_WAITING = 64;

export interface UdpPeerOptions {
  readonly host: string;
  readonly port: number;
  /** Port of the host to send from, shared with other sockets that allow it; any unless told. */
  readonly from?: number;
  readonly onData: (bytes: Uint8Array) => void;
  /** The peer, or a router on the way, says that a datagram did not get there. The socket stays. */
  readonly onFailure: (failure: Failure) => void;
  /** The socket could not be made or connected: what waited for it was not sent, and nothing will be. */
  readonly onDead: (failure: Failure) => void;
}

/**
 * A socket connected to one peer: only such a one is told that its datagrams are refused (RFC 1122 4.1.3.3).
 * It hears nobody but its peer.
 */
export class UdpPeer {
  readonly #socket: Socket;
  readonly #options: UdpPeerOptions;
  /** Undefined once connected. */
  #waiting: Uint8Array[] | undefined = [];
  #closed = false;

  constructor(options: UdpPeerOptions) {
    this.#options = options;
    const { host, port, from } = options;
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', reuseAddr: from !== undefined });
    this.#socket = socket;
    socket.on('error', (error) => this.#failed(error));
    socket.on('message', (bytes) => {
      if (!this.#closed) options.onData(viewOf(bytes));
    });
    const connect = (): void => {
      if (!this.#closed) socket.connect(port, host, () => this.#connected());
    };
    if (from === undefined) connect();
    else socket.bind(from, connect);
  }

  send(bytes: Uint8Array): void {
    if (this.#waiting === undefined) this.#send(bytes, true);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(bytes);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  #connected(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    if (this.#closed) return;
    for (const bytes of waiting) this.#send(bytes, true);
  }

  #send(bytes: Uint8Array, again: boolean): void {
    this.#socket.send(bytes, (error) => {
      if (error === null || this.#closed) return;
      this.#options.onFailure(failureOf(error));
      // What failed is an earlier datagram: this one has not been sent.
      if (again) this.#send(bytes, false);
    });
  }

  #failed(error: Error): void {
    if (this.#closed) return;
    const failure = failureOf(error);
    if (this.#waiting === undefined) {
      this.#options.onFailure(failure);
      return;
    }
    this.close();
    this.#options.onDead(failure);
  }
}

export const viewOf = (bytes: Buffer): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
