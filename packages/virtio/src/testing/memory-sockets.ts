import type { HostSockets, SocketArrive } from '../vsock/sockets.js';

/** One connection as a program of the host sees it. */
export class MemorySocket {
  /** What the guest sent, joined. */
  readonly received: number[] = [];
  /** What happened besides data. */
  readonly log: string[] = [];
  /** Bytes that may be sent to the guest. */
  credit = 0;
  /** Takes bytes at once; otherwise {@link take} does. */
  taking = true;
  #untaken = 0;

  constructor(
    readonly id: number,
    readonly port: number,
    private readonly arrive: SocketArrive,
  ) {}

  /** Sends to the guest, whatever credit there is. */
  send(bytes: Uint8Array | string): void {
    const data = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
    this.credit -= data.length;
    this.arrive('socket-data', { connection: this.id, bytes: data });
  }

  end(): void {
    this.arrive('socket-end', { connection: this.id });
  }

  close(): void {
    this.arrive('socket-closed', { connection: this.id });
  }

  /** The program reads everything that has come. */
  take(): void {
    const bytes = this.#untaken;
    this.#untaken = 0;
    if (bytes > 0) this.arrive('socket-written', { connection: this.id, bytes });
  }

  get text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.received));
  }

  /** By the device. */
  write(bytes: Uint8Array): void {
    for (const byte of bytes) this.received.push(byte);
    this.#untaken += bytes.length;
    if (this.taking) this.take();
  }
}

/** The host's side of a socket device in memory: listeners by port, and connections to the guest. */
export class MemorySockets implements HostSockets {
  /** Ports of the host that answer. */
  readonly listening = new Set<number>();
  readonly sockets = new Map<number, MemorySocket>();
  /** Connections, in the order in which they began. */
  readonly all: MemorySocket[] = [];
  #arrive: SocketArrive = () => undefined;
  #next = 2;

  start(arrive: SocketArrive): void {
    this.#arrive = arrive;
  }

  /** A program of the host wants to reach a port of the guest. */
  dial(port: number): MemorySocket {
    const socket = this.#make(this.#next, port);
    this.#next += 2;
    this.#arrive('socket-wanted', { connection: socket.id, port });
    return socket;
  }

  connect(connection: number, port: number): void {
    if (!this.listening.has(port)) return this.#arrive('socket-refused', { connection });
    this.#make(connection, port);
    this.#arrive('socket-connected', { connection });
  }

  accept(connection: number, port: number): void {
    this.sockets.get(connection)?.log.push(`accepted by ${port}`);
  }

  write(connection: number, bytes: Uint8Array): void {
    this.sockets.get(connection)?.write(bytes);
  }

  grant(connection: number, bytes: number): void {
    const socket = this.sockets.get(connection);
    if (socket !== undefined) socket.credit += bytes;
  }

  end(connection: number): void {
    this.sockets.get(connection)?.log.push('end');
  }

  finish(connection: number): void {
    this.#gone(connection, 'finish');
  }

  abort(connection: number): void {
    this.#gone(connection, 'abort');
  }

  #make(id: number, port: number): MemorySocket {
    const socket = new MemorySocket(id, port, (kind, args) => this.#arrive(kind, args));
    this.sockets.set(id, socket);
    this.all.push(socket);
    return socket;
  }

  #gone(connection: number, what: string): void {
    this.sockets.get(connection)?.log.push(what);
    this.sockets.delete(connection);
  }
}
