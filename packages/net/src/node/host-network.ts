import type { AddressInfo } from 'node:net';
import type { Arrive, OutsideNetwork } from '../nat/outside-network.js';
import { RESOLVER } from '../nat/outside-network.js';
import { HostTcp } from './host-tcp.js';
import { HostUdp } from './host-udp.js';
import { systemPing } from './ping.js';
import { systemResolvers, type ResolverAddress } from './resolver.js';

export interface HostNetworkOptions {
  /** Name servers; the system's unless told. */
  readonly resolvers?: readonly ResolverAddress[];
}

/** The network outside by sockets of this host, for a {@link UserNat}. One for each NAT. */
export class HostNetwork implements OutsideNetwork {
  readonly #resolvers: readonly ResolverAddress[];
  readonly #listening: Promise<AddressInfo>[] = [];
  readonly #waiting = new Set<() => void>();
  #arrive: Arrive | undefined;
  #tcpSockets: HostTcp | undefined;
  #udpSockets: HostUdp | undefined;
  #closed = false;

  constructor(options: HostNetworkOptions = {}) {
    this.#resolvers = options.resolvers ?? systemResolvers();
  }

  start(arrive: Arrive): void {
    this.#arrive = (kind, args) => {
      if (this.#closed) return;
      arrive(kind, args);
      for (const wake of this.#waiting) wake();
    };
    this.#tcpSockets = new HostTcp(this.#arrive);
    this.#udpSockets = new HostUdp(this.#arrive, this.#resolvers);
  }

  /** The addresses of the forwarded ports, in the order of the rules, once all are open. @throws NetError socket */
  ready(): Promise<readonly AddressInfo[]> {
    return Promise.all(this.#listening);
  }

  tcpConnect(flow: number, address: string, port: number): void {
    const server = this.#resolvers[0];
    if (address !== RESOLVER) this.#tcp.connect(flow, address, port);
    else if (server !== undefined) this.#tcp.connect(flow, server.host, server.port);
    else this.#arrive?.('tcp-failed', { flow, failure: 'refused' });
  }

  tcpWrite(flow: number, bytes: Uint8Array): void {
    this.#tcp.write(flow, bytes);
  }

  tcpEnd(flow: number): void {
    this.#tcp.end(flow);
  }

  tcpReset(flow: number): void {
    this.#tcp.reset(flow);
  }

  tcpGrant(flow: number, bytes: number): void {
    this.#tcp.grant(flow, bytes);
  }

  udpOpen(flow: number, port?: number): void {
    this.#udp.open(flow, port);
  }

  udpSend(flow: number, address: string, port: number, bytes: Uint8Array): void {
    this.#udp.send(flow, address, port, bytes);
  }

  udpClose(flow: number): void {
    this.#udp.closeFlow(flow);
  }

  listen(forward: number, protocol: 'tcp' | 'udp', address: string, port: number): void {
    const sockets = protocol === 'tcp' ? this.#tcp : this.#udp;
    const listening = sockets.listen(forward, address, port);
    // Whoever does not ask for `ready` learns of no failure; the process must not end by it.
    listening.catch(() => undefined);
    this.#listening.push(listening);
  }

  forwardSend(forward: number, address: string, port: number, bytes: Uint8Array): void {
    this.#udp.forwardSend(forward, address, port, bytes);
  }

  ping(request: number, address: string, size: number): void {
    systemPing(address, size, (failure) => this.#arrive?.('ping-result', { request, failure }));
  }

  settled(milliseconds: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.#waiting.add(wake);
    });
  }

  close(): void {
    this.#closed = true;
    this.#tcpSockets?.close();
    this.#udpSockets?.close();
    for (const wake of this.#waiting) wake();
  }

  get #tcp(): HostTcp {
    return this.#tcpSockets!;
  }

  get #udp(): HostUdp {
    return this.#udpSockets!;
  }
}
