import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { NetError } from '../error.js';
import type { FrameTransport, TransportArrivals } from '../outside-port.js';

/** A TCP address, or the path of a UNIX socket. */
export type StreamAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface HostStreamOptions {
  readonly address: StreamAddress;
  /** Waits for the peer, one at a time, instead of connecting to it. False unless told. */
  readonly server?: boolean;
  /** Of a client: milliseconds until it tries again after a failure; never unless told. */
  readonly reconnect?: number;
}

type Arrive = <Kind extends keyof TransportArrivals>(kind: Kind, args: TransportArrivals[Kind]) => void;

/** The byte stream of QEMU's `-netdev stream` and `-netdev socket`, over TCP or a UNIX socket. */
export class HostStream implements FrameTransport {
  readonly framing = 'stream';
  readonly #options: HostStreamOptions;
  readonly #ready: Promise<AddressInfo | string | undefined>;
  #settle!: { resolve: (address: AddressInfo | string | undefined) => void; reject: (error: Error) => void };
  #arrive: Arrive | undefined;
  #server: Server | undefined;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #credit = 0;
  #drained = 0;
  #corked = false;
  #closed = false;

  constructor(options: HostStreamOptions) {
    this.#options = options;
    this.#ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#ready.catch(() => undefined);
  }

  /** A server: its address once it listens. A client: when it has first connected. @throws NetError socket */
  ready(): Promise<AddressInfo | string | undefined> {
    return this.#ready;
  }

  start(arrive: Arrive): void {
    this.#arrive = arrive;
    if (this.#options.server === true) this.#listen();
    else this.#connect();
  }

  write(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      setImmediate(() => {
        this.#corked = false;
        socket.uncork();
      });
    }
    socket.write(bytes, () => {
      if (this.#socket !== socket) return;
      if (this.#drained === 0) {
        setImmediate(() => {
          const drained = this.#drained;
          this.#drained = 0;
          if (this.#socket === socket) this.#arrive?.('transport-drained', { bytes: drained });
        });
      }
      this.#drained += bytes.length;
    });
  }

  grant(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > 0) this.#socket?.resume();
  }

  hangUp(): void {
    this.#socket?.destroy();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#server?.close();
  }

  #listen(): void {
    const { address } = this.#options;
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      // One peer at a time, as QEMU has it.
      if (this.#socket !== undefined) socket.destroy();
      else this.#open(socket);
    });
    this.#server = server;
    server.once('error', (error) =>
      this.#settle.reject(new NetError('socket', `cannot listen at ${nameOf(address)}: ${error.message}`)),
    );
    server.listen(address, () => this.#settle.resolve(server.address() ?? undefined));
  }

  #connect(): void {
    const { address, reconnect } = this.#options;
    const socket = connect(address);
    let failure = 'closed';
    socket.once('connect', () => {
      this.#settle.resolve(undefined);
      this.#open(socket);
    });
    socket.on('error', (error) => (failure = error.message));
    socket.once('close', () => {
      if (this.#closed) return;
      if (reconnect !== undefined) this.#timer = setTimeout(() => this.#connect(), reconnect);
      else this.#settle.reject(new NetError('socket', `cannot connect to ${nameOf(address)}: ${failure}`));
    });
  }

  #open(socket: Socket): void {
    this.#socket = socket;
    this.#corked = false;
    this.#drained = 0;
    socket.setNoDelay(true);
    this.#arrive?.('transport-open', {});
    socket.on('data', (bytes: Buffer) => {
      this.#credit -= bytes.length;
      if (this.#credit <= 0) socket.pause();
      this.#arrive?.('transport-data', {
        bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
      });
    });
    if (this.#credit <= 0) socket.pause();
    else socket.resume();
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      if (!this.#closed) this.#arrive?.('transport-closed', {});
    });
  }
}

const nameOf = (address: StreamAddress): string =>
  'path' in address ? address.path : `${address.host}:${address.port}`;
