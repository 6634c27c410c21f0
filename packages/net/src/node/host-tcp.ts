import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { NetError } from '../error.js';
import type { Arrive, Failure } from '../nat/outside-network.js';

/** Milliseconds that a connection may take to open. */
const CONNECT_TIMEOUT = 30_000;
/** Connections that a forwarded port holds at once. */
const MAX_ACCEPTED = 1024;

interface Flow {
  readonly id: number;
  readonly socket: Socket;
  /** Bytes that may still arrive. */
  credit: number;
  /** Written bytes that have left, not yet told. */
  drained: number;
  corked: boolean;
  connected: boolean;
}

/** TCP sockets of the host for the NAT's connections. */
export class HostTcp {
  readonly #arrive: Arrive;
  readonly #flows = new Map<number, Flow>();
  readonly #servers: Server[] = [];
  #nextAccepted = 1;

  constructor(arrive: Arrive) {
    this.#arrive = arrive;
  }

  connect(id: number, host: string, port: number): void {
    const socket = connect({ host, port, allowHalfOpen: true });
    const flow = this.#add(id, socket, false);
    const timer = setTimeout(() => fail('timeout'), CONNECT_TIMEOUT);
    const fail = (failure: Failure): void => {
      if (this.#flows.get(id) !== flow) return;
      this.#flows.delete(id);
      socket.destroy();
      this.#arrive('tcp-failed', { flow: id, failure });
    };
    socket.once('close', () => clearTimeout(timer));
    socket.once('connect', () => {
      clearTimeout(timer);
      flow.connected = true;
      if (this.#flows.get(id) === flow) this.#arrive('tcp-connected', { flow: id });
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!flow.connected) fail(failureOf(error));
    });
  }

  write(id: number, bytes: Uint8Array): void {
    const flow = this.#flows.get(id);
    if (flow === undefined) return;
    if (!flow.corked) {
      // Segments of one run of the machine leave in one system call.
      flow.corked = true;
      flow.socket.cork();
      setImmediate(() => {
        flow.corked = false;
        flow.socket.uncork();
      });
    }
    flow.socket.write(bytes, (error) => {
      if (error !== undefined && error !== null) return;
      if (flow.drained === 0) setImmediate(() => this.#tellDrained(flow));
      flow.drained += bytes.length;
    });
  }

  end(id: number): void {
    this.#flows.get(id)?.socket.end();
  }

  reset(id: number): void {
    const flow = this.#flows.get(id);
    if (flow === undefined) return;
    this.#flows.delete(id);
    if (flow.connected) flow.socket.resetAndDestroy();
    else flow.socket.destroy();
  }

  grant(id: number, bytes: number): void {
    const flow = this.#flows.get(id);
    if (flow === undefined) return;
    flow.credit += bytes;
    if (flow.credit > 0) flow.socket.resume();
  }

  /** Takes connections; resolves when it listens. @throws NetError socket */
  listen(forward: number, host: string, port: number): Promise<AddressInfo> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      const id = this.#nextAccepted;
      this.#nextAccepted += 2;
      this.#add(id, socket, true);
      socket.on('error', () => undefined);
      const { remoteAddress: address = '', remotePort = 0 } = socket;
      this.#arrive('tcp-accepted', { forward, flow: id, address, port: remotePort });
    });
    server.maxConnections = MAX_ACCEPTED;
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        reject(new NetError('socket', `cannot forward ${host}:${port}: ${error.message}`));
      });
      server.listen({ host, port }, () => {
        server.on('error', () => undefined);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const { socket } of this.#flows.values()) socket.destroy();
    this.#flows.clear();
  }

  #add(id: number, socket: Socket, connected: boolean): Flow {
    const flow: Flow = { id, socket, credit: 0, drained: 0, corked: false, connected };
    this.#flows.set(id, flow);
    socket.setNoDelay(true);
    socket.pause();
    socket.on('data', (bytes: Buffer) => {
      if (this.#flows.get(id) !== flow) return;
      flow.credit -= bytes.length;
      if (flow.credit <= 0) socket.pause();
      this.#arrive('tcp-data', {
        flow: id,
        bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
      });
    });
    // A listener for data lets the socket flow; nothing is granted yet.
    socket.pause();
    socket.on('end', () => {
      if (this.#flows.get(id) === flow) this.#arrive('tcp-end', { flow: id });
    });
    socket.on('close', (hadError: boolean) => {
      if (this.#flows.get(id) !== flow) return;
      this.#flows.delete(id);
      if (hadError && flow.connected) this.#arrive('tcp-reset', { flow: id });
    });
    return flow;
  }

  #tellDrained(flow: Flow): void {
    const bytes = flow.drained;
    flow.drained = 0;
    if (bytes > 0 && this.#flows.get(flow.id) === flow) this.#arrive('tcp-drained', { flow: flow.id, bytes });
  }
}

/** What an error of the host's means for the guest. */
export function failureOf(error: NodeJS.ErrnoException): Failure {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return 'net-unreachable';
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
      return 'host-unreachable';
    case 'ETIMEDOUT':
      return 'timeout';
    case 'EACCES':
    case 'EPERM':
      return 'prohibited';
    default:
      return 'reset';
  }
}
