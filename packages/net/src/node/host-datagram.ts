import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { NetError } from '../error.js';
import type { FrameTransport, TransportArrivals } from '../outside-port.js';

export interface HostDatagramOptions {
  /** Where frames come to; any address and a free port unless told. */
  readonly local?: { readonly host?: string; readonly port: number };
  /** Where frames go; a group address joins the group, as QEMU's `mcast` does. */
  readonly remote: { readonly host: string; readonly port: number };
}

type Arrive = <Kind extends keyof TransportArrivals>(kind: Kind, args: TransportArrivals[Kind]) => void;

/**
 * One frame per UDP datagram, as QEMU's `-netdev dgram` and `-netdev socket,udp=` send them. (Node has no
 * UNIX datagram sockets.)
 */
export class HostDatagram implements FrameTransport {
  readonly framing = 'datagram';
  readonly #options: HostDatagramOptions;
  readonly #socket: Socket;
  readonly #ready: Promise<AddressInfo>;
  #credit = 0;
  #closed = false;
  #arrive: Arrive | undefined;

  constructor(options: HostDatagramOptions) {
    this.#options = options;
    const { local, remote } = options;
    const group = /^2(2[4-9]|3\d)\./.test(remote.host);
    const socket = createSocket({ type: 'udp4', reuseAddr: group });
    this.#socket = socket;
    this.#ready = new Promise((resolve, reject) => {
      socket.once('error', (error) =>
        reject(new NetError('socket', `cannot open a datagram socket: ${error.message}`)),
      );
      socket.bind(local?.port ?? (group ? remote.port : 0), group ? undefined : local?.host, () => {
        if (group) socket.addMembership(remote.host, local?.host);
        socket.on('error', () => undefined);
        resolve(socket.address());
      });
    });
    this.#ready.catch(() => undefined);
  }

  /** The local address once it is bound. @throws NetError socket */
  ready(): Promise<AddressInfo> {
    return this.#ready;
  }

  start(arrive: Arrive): void {
    this.#arrive = arrive;
    this.#ready.then(
      () => {
        if (!this.#closed) this.#arrive?.('transport-open', {});
      },
      () => undefined,
    );
    this.#socket.on('message', (bytes: Buffer) => {
      // A datagram beyond what may arrive is lost, as in any full socket.
      if (this.#credit <= 0 || this.#closed) return;
      this.#credit -= bytes.length;
      arrive('transport-data', { bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) });
    });
  }

  write(bytes: Uint8Array): void {
    const { host, port } = this.#options.remote;
    this.#socket.send(bytes, port, host, () => {
      if (!this.#closed) this.#arrive?.('transport-drained', { bytes: bytes.length });
    });
  }

  grant(bytes: number): void {
    this.#credit += bytes;
  }

  hangUp(): void {
    // Datagrams have no connection to end.
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}
