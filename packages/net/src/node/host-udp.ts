import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { NetError } from '../error.js';
import { RESOLVER, type Arrive, type Failure } from '../nat/outside-network.js';
import type { ResolverAddress } from './resolver.js';
import { MAX_WAITING, UdpPeer, viewOf } from './udp-peer.js';

const DNS_PORT = 53;

/** Sockets connected to peers of all flows; the one unused for longest gives way to the next. */
const MAX_PEERS = 256;

interface Datagram {
  readonly address: string;
  readonly port: number;
  readonly bytes: Uint8Array;
}

interface Flow {
  readonly id: number;
  /** Hears everybody to whom no socket of its own is connected; undefined until its port is found. */
  socket: Socket | undefined;
  /** What waits for the port; undefined once there is one. */
  waiting: Datagram[] | undefined;
  /** Asks the name server; opened when first needed. */
  resolver: UdpPeer | undefined;
}

/**
 * UDP sockets of the host for the NAT's flows. Whatever a guest sends from one port leaves by one port of the
 * host, and anybody may answer there (RFC 4787 4.1, 5); but only connected sockets learn of refusals. So a flow
 * is one socket for everybody and, on the same port, one connected to each peer to which it sent.
 */
export class HostUdp {
  readonly #arrive: Arrive;
  readonly #resolvers: readonly ResolverAddress[];
  readonly #flows = new Map<number, Flow>();
  /** By flow, address and port; the latest used comes last. */
  readonly #peers = new Map<string, UdpPeer>();
  readonly #forwards = new Map<number, Socket>();
  /** Index of the name server in use: the next one after each failure. */
  #resolver = 0;

  constructor(arrive: Arrive, resolvers: readonly ResolverAddress[]) {
    this.#arrive = arrive;
    this.#resolvers = resolvers;
  }

  open(id: number, port = 0): void {
    this.closeFlow(id);
    const flow: Flow = { id, socket: undefined, waiting: [], resolver: undefined };
    this.#flows.set(id, flow);
    this.#findPort(flow, port);
  }

  send(id: number, address: string, port: number, bytes: Uint8Array): void {
    const flow = this.#flows.get(id);
    if (flow === undefined) return;
    if (address === RESOLVER) this.#ask(flow, bytes);
    else if (flow.waiting === undefined) this.#send(flow, { address, port, bytes });
    else if (flow.waiting.length < MAX_WAITING) flow.waiting.push({ address, port, bytes });
  }

  closeFlow(id: number): void {
    const flow = this.#flows.get(id);
    if (flow === undefined) return;
    this.#flows.delete(id);
    flow.socket?.close();
    flow.resolver?.close();
    for (const [key, peer] of this.#peers) {
      if (!key.startsWith(`${id},`)) continue;
      this.#peers.delete(key);
      peer.close();
    }
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

  /**
   * A port that no other socket has, as only one that shares with nobody can tell: then the flow's own, which
   * shares it with its connected ones.
   */
  #findPort(flow: Flow, port: number): void {
    const probe = createSocket('udp4');
    probe.on('error', () => {
      probe.close();
      if (!this.#alive(flow)) return;
      // The port of an earlier life may be taken: any other will do.
      if (port !== 0) this.#findPort(flow, 0);
      else this.#flows.delete(flow.id);
    });
    probe.bind(port, () => {
      const found = probe.address().port;
      probe.close(() => {
        if (this.#alive(flow)) this.#bind(flow, found);
      });
    });
  }

  #bind(flow: Flow, port: number): void {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('error', () => undefined);
    flow.socket = socket;
    socket.on('message', (bytes, { address, port: from }) => this.#data(flow, address, from, viewOf(bytes)));
    socket.bind(port, () => {
      if (!this.#alive(flow)) return;
      this.#arrive('udp-bound', { flow: flow.id, port });
      const waiting = flow.waiting ?? [];
      flow.waiting = undefined;
      for (const datagram of waiting) this.#send(flow, datagram);
    });
  }

  #send(flow: Flow, { address, port, bytes }: Datagram): void {
    const key = `${flow.id},${address},${port}`;
    const peer = this.#peers.get(key) ?? this.#connect(flow, address, port, key);
    this.#peers.delete(key);
    this.#peers.set(key, peer);
    peer.send(bytes);
  }

  #connect(flow: Flow, address: string, port: number, key: string): UdpPeer {
    for (const [oldest, peer] of this.#peers) {
      if (this.#peers.size < MAX_PEERS) break;
      this.#peers.delete(oldest);
      peer.close();
    }
    const failed = (failure: Failure): void => {
      if (this.#alive(flow)) this.#arrive('udp-failed', { flow: flow.id, address, port, failure });
    };
    const peer: UdpPeer = new UdpPeer({
      host: address,
      port,
      from: flow.socket!.address().port,
      onData: (bytes) => this.#data(flow, address, port, bytes),
      onFailure: failed,
      onDead: (failure) => {
        if (this.#peers.get(key) === peer) this.#peers.delete(key);
        failed(failure);
      },
    });
    return peer;
  }

  /** Forwards a query (RFC 1035 4.2.1) as it is; only the server that was asked may answer. */
  #ask(flow: Flow, bytes: Uint8Array): void {
    const server = this.#resolvers[this.#resolver % Math.max(1, this.#resolvers.length)];
    if (flow.resolver === undefined && server !== undefined) {
      const failed = (): void => {
        if (flow.resolver !== resolver) return;
        resolver.close();
        this.#resolverFailed(flow);
      };
      const resolver = new UdpPeer({
        ...server,
        onData: (answer) => this.#data(flow, RESOLVER, DNS_PORT, answer),
        onFailure: failed,
        onDead: failed,
      });
      flow.resolver = resolver;
    }
    if (flow.resolver === undefined) this.#resolverFailed(flow);
    else flow.resolver.send(bytes);
  }

  #resolverFailed(flow: Flow): void {
    this.#resolver++;
    flow.resolver = undefined;
    if (!this.#alive(flow)) return;
    this.#arrive('udp-failed', { flow: flow.id, address: RESOLVER, port: DNS_PORT, failure: 'refused' });
  }

  #data(flow: Flow, address: string, port: number, bytes: Uint8Array): void {
    if (this.#alive(flow)) this.#arrive('udp-data', { flow: flow.id, address, port, bytes });
  }

  #alive(flow: Flow): boolean {
    return this.#flows.get(flow.id) === flow;
  }
}
