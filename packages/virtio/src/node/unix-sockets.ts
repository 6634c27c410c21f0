import { connect, createServer, type Server, type Socket } from 'node:net';
import { VirtioError } from '../error.js';
import type { HostSockets, SocketArrive } from '../vsock/sockets.js';

export interface UnixSocketsOptions {
  /**
   * Path of the UNIX socket at which programs of the host ask for ports of the guest; what listens for the guest at
   * `path_PORT` is reached by the guest's connections to that port of the host.
   */
  readonly path: string;
}

/** Bytes of the longest line by which a program asks. */
const LONGEST_REQUEST = 32;
/** Programs that may be connected at once. */
const MOST_PROGRAMS = 1024;

interface Stream {
  readonly socket: Socket;
  /** Bytes that may still arrive. */
  credit: number;
}

/**
 * The host's side of a socket device by UNIX sockets, in the manner of Firecracker: a program connects to `path`,
 * writes `CONNECT PORT\n` and reads `OK PORT\n` when the guest has accepted; a connection that the guest does not
 * take is closed.
 */
export class UnixSockets implements HostSockets {
  readonly #path: string;
  readonly #server: Server;
  readonly #ready: Promise<void>;
  readonly #streams = new Map<number, Stream>();
  /** All that are not closed, those that nobody is interested in any more too. */
  readonly #open = new Set<Socket>();
  #arrive: SocketArrive = () => undefined;
  #next = 2;

  constructor(options: UnixSocketsOptions) {
    this.#path = options.path;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#welcome(socket));
    this.#server.maxConnections = MOST_PROGRAMS;
    this.#ready = new Promise((resolve, reject) => {
      this.#server.once('listening', resolve);
      this.#server.once('error', (error) =>
        reject(new VirtioError('bad-option', `nobody can listen at ${options.path}: ${error.message}`)),
      );
    });
    this.#ready.catch(() => undefined);
    this.#server.listen(options.path);
  }

  /** When programs can connect. @throws VirtioError bad-option where the path cannot be had */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Ends everything; the path is gone then. */
  async close(): Promise<void> {
    this.#streams.clear();
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  start(arrive: SocketArrive): void {
    this.#arrive = arrive;
  }

  connect(connection: number, port: number): void {
    const socket = connect({ path: `${this.#path}_${port}`, allowHalfOpen: true });
    this.#keep(socket);
    let connected = false;
    socket.once('connect', () => {
      connected = true;
      this.#arrive('socket-connected', { connection });
    });
    const stream = this.#add(connection, socket);
    socket.once('close', () => {
      if (this.#streams.get(connection) !== stream) return;
      this.#streams.delete(connection);
      this.#arrive(connected ? 'socket-closed' : 'socket-refused', { connection });
    });
  }

  accept(connection: number, port: number): void {
    this.#streams.get(connection)?.socket.write(`OK ${port}\n`);
  }

  write(connection: number, bytes: Uint8Array): void {
    this.#streams.get(connection)?.socket.write(bytes, (error) => {
      if (error == null) this.#arrive('socket-written', { connection, bytes: bytes.length });
    });
  }

  grant(connection: number, bytes: number): void {
    const stream = this.#streams.get(connection);
    if (stream === undefined) return;
    stream.credit += bytes;
    if (stream.credit > 0) stream.socket.resume();
  }

  end(connection: number): void {
    this.#streams.get(connection)?.socket.end();
  }

  finish(connection: number): void {
    const stream = this.#streams.get(connection);
    this.#streams.delete(connection);
    stream?.socket.destroySoon();
  }

  abort(connection: number): void {
    const stream = this.#streams.get(connection);
    this.#streams.delete(connection);
    stream?.socket.destroy();
  }

  /** A program is there: what port does it want? */
  #welcome(socket: Socket): void {
    let line = Buffer.alloc(0);
    const leave = (): void => {
      socket.removeAllListeners('data');
      socket.removeAllListeners('end');
    };
    this.#keep(socket);
    socket.once('end', () => socket.destroy());
    socket.on('data', (bytes) => {
      line = Buffer.concat([line, bytes]);
      const end = line.indexOf('\n');
      if (end < 0 && line.length <= LONGEST_REQUEST) return;
      const port = portOf(line.toString('latin1', 0, Math.max(end, 0)));
      leave();
      if (port === undefined) {
        socket.destroy();
        return;
      }
      socket.pause();
      if (end + 1 < line.length) socket.unshift(line.subarray(end + 1));
      const connection = this.#next;
      this.#next += 2;
      const stream = this.#add(connection, socket);
      socket.once('close', () => {
        if (this.#streams.get(connection) !== stream) return;
        this.#streams.delete(connection);
        this.#arrive('socket-closed', { connection });
      });
      this.#arrive('socket-wanted', { connection, port });
    });
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    // What went wrong shows in the close that follows.
    socket.on('error', () => undefined);
  }

  #add(connection: number, socket: Socket): Stream {
    const stream = { socket, credit: 0 };
    this.#streams.set(connection, stream);
    socket.on('data', (bytes) => {
      stream.credit -= bytes.length;
      if (stream.credit <= 0) socket.pause();
      if (this.#streams.get(connection) === stream) {
        this.#arrive('socket-data', { connection, bytes: new Uint8Array(bytes) });
      }
    });
    socket.pause();
    socket.on('end', () => {
      if (this.#streams.get(connection) === stream) this.#arrive('socket-end', { connection });
    });
    return stream;
  }
}

/** The port of `CONNECT PORT`; undefined where the line says something else. */
function portOf(line: string): number | undefined {
  const match = /^connect (?<port>\d{1,10})\r?$/i.exec(line);
  const port = Number(match?.groups?.['port'] ?? NaN);
  return port <= 0xffff_ffff ? port : undefined;
}
