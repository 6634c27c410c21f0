import { createSocket, type Socket } from 'node:dgram';
import { isIPv6, type AddressInfo } from 'node:net';
import { NetError } from '../error.js';
import { RESOLVER, type Arrive } from '../nat/outside-network.js';
import { failureOf } from './host-tcp.js';
import type { ResolverAddress } from './resolver.js';

const DNS_PORT = 53;

interface Flow {
  readonly id: number;
  readonly socket: Socket;
  /** Asks the name server; opened when first needed. */
  resolver: Socket | undefined;
  /** Queries that wait for it to be connected; undefined once it is. */
  queries: Uint8Array[] | undefined;
}

/** Queries that wait at once; more are lost, as a full socket's are. */
const MAX_QUERIES = 64;

/** UDP sockets of the host for the NAT's flows. */
export class HostUdp {
  readonly #arrive: Arrive;
  readonly #resolvers: readonly ResolverAddress[];
  readonly #flows = new Map<number, Flow>();
  readonly #forwards = new Map<number, Socket>();
  /** Index of the name server in use: the next one after each failure. */
  #resolver = 0;

  constructor(arrive: Arrive, resolvers: readonly ResolverAddress[]) {
    this.#arrive = arrive;
    this.#resolvers = resolvers;
  }

  open(id: number, port = 0): void {
    this.#flows.get(id)?.socket.close();
    const socket = createSocket('udp4');
    const flow: Flow = { id, socket, resolver: undefined, queries: undefined };
    this.#flows.set(id, flow);
    socket.on('error', () => {
      // The port of an earlier life may be taken: any other will do.
      if (this.#flows.get(id) !== flow) return;
      this.#flows.delete(id);
      socket.close();
      if (port !== 0) this.open(id);
    });
    socket.on('message', (bytes, peer) => {
      if (this.#flows.get(id) !== flow) return;
      this.#arrive('udp-data', { flow: id, address: peer.address, port: peer.port, bytes: viewOf(bytes) });
    });
    socket.bind(port, () => {
      if (this.#flows.get(id) === flow) this.#arrive('udp-bound', { flow: id, port: socket.address().port });
    });
  }

  send(id: number, address: string, port: number, bytes: Uint8Array): void {
    const flow = this.#flows.get(id);
    if (flow === undefined) return;
    if (address === RESOLVER) {
      this.#ask(flow, bytes);
      return;
    }
    flow.socket.send(bytes, port, address, (error) => {
      if (error !== null && this.#flows.get(id) === flow) {
        this.#arrive('udp-failed', { flow: id, address, port, failure: failureOf(error) });
      }
    });
  }

  closeFlow(id: number): void {
    const flow = this.#flows.get(id);
    if (flow === undefined) return;
    this.#flows.delete(id);
    flow.socket.close();
    flow.resolver?.close();
  }

  /** Takes datagrams; resolves when it is bound. @throws NetError socket */
  listen(forward: number, host: string, port: number): Promise<AddressInfo> {
    const socket = createSocket('udp4');
    this.#forwards.set(forward, socket);
    socket.on('message', (bytes, peer) => {
      this.#arrive('forward-data', { forward, address: peer.address, port: peer.port, bytes: viewOf(bytes) });
    });
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        this.#forwards.delete(forward);
        reject(new NetError('socket', `cannot forward udp ${host}:${port}: ${error.message}`));
      });
      socket.bind(port, host, () => {
        socket.on('error', () => undefined);
        resolve(socket.address());
      });
    });
  }

  forwardSend(forward: number, address: string, port: number, bytes: Uint8Array): void {
    this.#forwards.get(forward)?.send(bytes, port, address, () => undefined);
  }

  close(): void {
    for (const id of [...this.#flows.keys()]) this.closeFlow(id);
    for (const socket of this.#forwards.values()) socket.close();
    this.#forwards.clear();
  }

  /** Forwards a query (RFC 1035 4.2.1) as it is; only the server that was asked may answer. */
  #ask(flow: Flow, bytes: Uint8Array): void {
    const fail = (): void => {
      this.#resolver++;
      flow.resolver?.close();
      flow.resolver = undefined;
      if (this.#flows.get(flow.id) !== flow) return;
      this.#arrive('udp-failed', { flow: flow.id, address: RESOLVER, port: DNS_PORT, failure: 'refused' });
    };
    if (flow.resolver !== undefined) {
      if (flow.queries === undefined) flow.resolver.send(bytes, () => undefined);
      else if (flow.queries.length < MAX_QUERIES) flow.queries.push(bytes);
      return;
    }
    const server = this.#resolvers[this.#resolver % Math.max(1, this.#resolvers.length)];
    if (server === undefined) {
      fail();
      return;
    }
    const socket = createSocket(isIPv6(server.host) ? 'udp6' : 'udp4');
    flow.resolver = socket;
    flow.queries = [bytes];
    socket.on('message', (answer) => {
      if (this.#flows.get(flow.id) !== flow) return;
      this.#arrive('udp-data', { flow: flow.id, address: RESOLVER, port: DNS_PORT, bytes: viewOf(answer) });
    });
    socket.once('error', () => {
      socket.on('error', () => undefined);
      if (flow.resolver === socket) fail();
    });
    socket.connect(server.port, server.host, () => {
      if (flow.resolver !== socket) return;
      for (const query of flow.queries ?? []) socket.send(query, () => undefined);
      flow.queries = undefined;
    });
  }
}

const viewOf = (bytes: Buffer): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
