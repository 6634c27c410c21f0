import type { Arrive, Failure, OutsideNetwork } from '../nat/outside-network.js';

/** One call of the NAT to the outside. */
export interface OutsideCall {
  readonly call: string;
  readonly flow?: number;
  readonly forward?: number;
  readonly address?: string;
  readonly port?: number;
  readonly bytes?: Uint8Array;
  readonly amount?: number;
}

/** A network outside without sockets: notes what the NAT does; the test lets things arrive. */
export class FakeOutside implements OutsideNetwork {
  readonly calls: OutsideCall[] = [];
  arrive!: Arrive;
  closed = false;

  /** Calls of one kind. */
  of(call: string): OutsideCall[] {
    return this.calls.filter((entry) => entry.call === call);
  }

  /** Everything written to a flow. */
  written(flow: number): Uint8Array {
    return Uint8Array.from(
      this.of('tcpWrite').flatMap((entry) => (entry.flow === flow ? [...(entry.bytes ?? [])] : [])),
    );
  }

  start(arrive: Arrive): void {
    this.arrive = arrive;
  }
  tcpConnect(flow: number, address: string, port: number): void {
    this.calls.push({ call: 'tcpConnect', flow, address, port });
  }
  tcpWrite(flow: number, bytes: Uint8Array): void {
    this.calls.push({ call: 'tcpWrite', flow, bytes });
  }
  tcpEnd(flow: number): void {
    this.calls.push({ call: 'tcpEnd', flow });
  }
  tcpReset(flow: number): void {
    this.calls.push({ call: 'tcpReset', flow });
  }
  tcpGrant(flow: number, bytes: number): void {
    this.calls.push({ call: 'tcpGrant', flow, amount: bytes });
  }
  udpOpen(flow: number, port?: number): void {
    this.calls.push({ call: 'udpOpen', flow, ...(port !== undefined && { port }) });
  }
  udpSend(flow: number, address: string, port: number, bytes: Uint8Array): void {
    this.calls.push({ call: 'udpSend', flow, address, port, bytes });
  }
  udpClose(flow: number): void {
    this.calls.push({ call: 'udpClose', flow });
  }
  listen(forward: number, protocol: 'tcp' | 'udp', address: string, port: number): void {
    this.calls.push({ call: `listen-${protocol}`, forward, address, port });
  }
  forwardSend(forward: number, address: string, port: number, bytes: Uint8Array): void {
    this.calls.push({ call: 'forwardSend', forward, address, port, bytes });
  }
  ping(request: number, address: string, size: number): void {
    this.calls.push({ call: 'ping', flow: request, address, amount: size });
  }
  settled(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    this.closed = true;
  }

  /** A connection that the NAT asked for fails. */
  fail(flow: number, failure: Failure): void {
    this.arrive('tcp-failed', { flow, failure });
  }
}
