import type { Clock, EventOwner, SnapshotValue } from '@vmloom/device';
import { ETHERTYPE_IPV4 } from '../../ethernet.js';
import type { Random } from '../../random.js';
import type { Arp } from '../arp.js';
import { put16, put32 } from '../bytes.js';
import type { Icmp } from '../icmp.js';
import { IPV4_HEADER, PROTOCOL_TCP, type Ipv4, type Ipv4Header } from '../ipv4.js';
import type { NatConfig } from '../options.js';
import type { Output } from '../output.js';
import type { Arrivals, Failure, OutsideNetwork } from '../outside-network.js';
import type { Routes } from '../routes.js';
import { Connection } from './connection.js';
import {
  ACK,
  DATA_AT,
  RST,
  SYN,
  TCP_HEADER,
  writeSegment,
  type Segment,
  type SegmentFields,
} from './segment.js';
import { advance, distance, type Sequence } from './sequence.js';
import { OUR_SHIFT, type ConnectionHost } from './state.js';

/** How long a closed connection's numbers stay known (twice the segment lifetime of RFC 9293 3.6.1, shortened as is common). */
const TIME_WAIT = 30e9;
const FIRST_EPHEMERAL = 49_152;

export interface TcpParts {
  readonly config: NatConfig;
  readonly clock: Clock;
  readonly owner: EventOwner;
  readonly arp: Arp;
  readonly ip: Ipv4;
  readonly icmp: Icmp;
  readonly routes: Routes;
  readonly output: Output;
  readonly random: Random;
  readonly outside: () => Omit<OutsideNetwork, 'start' | 'close' | 'settled'>;
  readonly newFlow: () => number;
}

/** What is kept of a connection in a snapshot: enough to reset it. */
interface Remains {
  readonly guest: number;
  readonly guestPort: number;
  readonly remote: number;
  readonly remotePort: number;
  readonly sequence: Sequence;
  readonly acknowledgment: Sequence;
}

/** All TCP connections of a NAT: finds, opens, times and ends them, and sends their segments. */
export class TcpNat implements ConnectionHost {
  readonly mss: number;
  readonly #byFlow = new Map<number, Connection>();
  /** By guest endpoint, then by remote endpoint. */
  readonly #byEndpoint = new Map<number, Map<number, Connection>>();
  #ready: Connection[] = [];
  #last: Connection | undefined;
  readonly #fields: SegmentFields = {
    source: 0,
    sourcePort: 0,
    destination: 0,
    destinationPort: 0,
    sequence: 0,
    acknowledgment: 0,
    flags: 0,
    window: 0,
  };

  constructor(readonly parts: TcpParts) {
    this.mss = parts.config.mtu - IPV4_HEADER - TCP_HEADER;
  }

  get now(): number {
    return this.parts.clock.now;
  }

  get count(): number {
    return this.#byFlow.size;
  }

  /** Every connection, for monitors. */
  connections(): readonly Connection[] {
    return [...this.#byFlow.values()];
  }

  /** A sound segment from a guest. */
  receive(header: Ipv4Header, segment: Segment): void {
    const { source, destination } = header;
    let connection = this.#find(source, segment.sourcePort, destination, segment.destinationPort);
    if (
      connection?.state === 'time-wait' &&
      segment.has(SYN) &&
      !segment.has(RST) &&
      distance(segment.sequence, connection.receiveNext) > 0
    ) {
      // RFC 9293 3.6.1: a new SYN with a higher number opens the connection anew.
      this.#remove(connection);
      connection = undefined;
    }
    if (connection === undefined) {
      if (segment.has(RST)) return;
      if (segment.has(SYN) && !segment.has(ACK)) this.#open(header, segment);
      else this.#refuse(header, segment);
      return;
    }
    if (!connection.receive(segment)) this.#refuse(header, segment);
    this.#wake(connection);
  }

  connected({ flow }: Arrivals['tcp-connected']): void {
    const connection = this.#byFlow.get(flow);
    if (connection === undefined) return;
    connection.connected();
    this.#wake(connection);
  }

  failed({ flow, failure }: Arrivals['tcp-failed']): void {
    const connection = this.#byFlow.get(flow);
    if (connection === undefined) return;
    this.#fail(connection, failure);
    this.#remove(connection);
  }

  accepted({ forward, flow, address, port }: Arrivals['tcp-accepted']): void {
    const { config, outside, routes } = this.parts;
    const rule = config.forwards[forward];
    if (rule === undefined) return;
    const remote = routes.inward(address);
    let remotePort = port;
    // Several outside peers may look like one address to the guest.
    for (
      let tries = 0;
      this.#find(rule.guestAddress, rule.guestPort, remote, remotePort) !== undefined;
      tries++
    ) {
      if (tries === config.maxFlows) {
        outside().tcpReset(flow);
        return;
      }
      remotePort = remotePort < FIRST_EPHEMERAL || remotePort >= 65_535 ? FIRST_EPHEMERAL : remotePort + 1;
    }
    this.#wake(this.#add(flow, rule.guestAddress, rule.guestPort, remote, remotePort, 'outside'));
  }

  data({ flow, bytes }: Arrivals['tcp-data']): void {
    const connection = this.#byFlow.get(flow);
    if (connection === undefined) return;
    connection.write(bytes);
    this.#wake(connection);
  }

  ended({ flow }: Arrivals['tcp-end']): void {
    const connection = this.#byFlow.get(flow);
    if (connection === undefined) return;
    connection.end();
    this.#wake(connection);
  }

  broken({ flow }: Arrivals['tcp-reset']): void {
    const connection = this.#byFlow.get(flow);
    if (connection === undefined) return;
    this.#reset(remainsOf(connection));
    this.#remove(connection);
  }

  drained({ flow, bytes }: Arrivals['tcp-drained']): void {
    const connection = this.#byFlow.get(flow);
    if (connection === undefined) return;
    connection.drained(bytes);
    if (connection.acknowledge) this.#wake(connection);
  }

  /** Sends what the connections have, in turns, until the port blocks. */
  output(): void {
    const ready = this.#ready;
    let next = 0;
    while (next < ready.length) {
      const connection = ready[next];
      const result = connection.output();
      this.#arm(connection);
      if (result === 'blocked') break;
      next++;
      if (result === 'again') ready.push(connection);
      else connection.ready = false;
      if (connection.closed) this.#remove(connection);
    }
    this.#ready = next === ready.length ? [] : ready.slice(next);
  }

  /** A connection's timer event. */
  timer(flow: number): void {
    const connection = this.#byFlow.get(flow);
    if (connection === undefined || connection.timerAt > this.now) return;
    connection.timerEvent = 0;
    connection.timerAt = Infinity;
    if (connection.deadline <= this.now) {
      connection.timeout();
      this.#wake(connection);
    }
    this.#arm(connection);
  }

  /** Ends what has been idle for long. */
  expire(): void {
    for (const connection of this.#byFlow.values()) {
      const idle = this.now - connection.used;
      if (connection.state === 'time-wait' ? idle >= TIME_WAIT : idle >= this.parts.config.tcpIdle) {
        this.#evict(connection);
      }
    }
  }

  transmit(
    connection: Connection,
    flags: number,
    sequence: Sequence,
    offset: number,
    length: number,
  ): boolean {
    const { output, arp, ip } = this.parts;
    if (!output.open) return false;
    const mac = arp.lookup(connection.guest);
    if (mac === undefined) {
      // As if lost on the way: by the time it is sent again the guest may have answered.
      arp.ask(connection.guest, this.now);
      return true;
    }
    const { buffer } = output;
    if (length > 0) connection.buffer.copyTo(buffer.bytes, DATA_AT, offset, length);
    const fields = this.#fields;
    fields.source = connection.remote;
    fields.sourcePort = connection.remotePort;
    fields.destination = connection.guest;
    fields.destinationPort = connection.guestPort;
    fields.sequence = sequence;
    fields.acknowledgment = flags & ACK ? connection.receiveNext : 0;
    fields.flags = flags;
    fields.window = connection.windowField(flags);
    const greeting = (flags & SYN) !== 0;
    // RFC 7323 2.2: our SYN offers scaling, our answer to a SYN carries it only if that SYN did.
    const shift = greeting && ((flags & ACK) === 0 || connection.scaled) ? OUR_SHIFT : -1;
    const size = writeSegment(buffer, fields, length, greeting ? this.mss : -1, shift);
    ip.writeHeader(PROTOCOL_TCP, connection.remote, connection.guest, size);
    if (!output.send(mac, ETHERTYPE_IPV4, IPV4_HEADER + size)) return false;
    connection.acknowledge = false;
    return true;
  }

  deliver(connection: Connection, bytes: Uint8Array): void {
    this.parts.outside().tcpWrite(connection.id, bytes);
  }

  deliverEnd(connection: Connection): void {
    this.parts.outside().tcpEnd(connection.id);
  }

  grant(connection: Connection, bytes: number): void {
    this.parts.outside().tcpGrant(connection.id, bytes);
  }

  abort(connection: Connection): void {
    this.parts.outside().tcpReset(connection.id);
  }

  save(): SnapshotValue {
    return this.connections()
      .filter(({ state }) => state !== 'time-wait' && state !== 'closed')
      .map((connection) => ({ ...remainsOf(connection) }));
  }

  /** The host's sockets are gone: every connection of the snapshot is reset. */
  restore(saved: SnapshotValue): void {
    for (const connection of this.#byFlow.values()) this.abort(connection);
    this.#byFlow.clear();
    this.#byEndpoint.clear();
    this.#ready = [];
    this.#last = undefined;
    for (const remains of saved as unknown as Remains[]) this.#reset(remains);
  }

  #open(header: Ipv4Header, segment: Segment): void {
    const { routes, outside, newFlow } = this.parts;
    const { source, destination } = header;
    const route = routes.outward(destination, segment.destinationPort);
    if ('failure' in route) {
      if (route.failure === 'refused') this.#refuse(header, segment);
      else
        this.#unreachable(
          route.failure,
          source,
          segment.sourcePort,
          destination,
          segment.destinationPort,
          segment.sequence,
        );
      return;
    }
    const flow = newFlow();
    const connection = this.#add(
      flow,
      source,
      segment.sourcePort,
      destination,
      segment.destinationPort,
      'guest',
    );
    connection.begin(segment);
    outside().tcpConnect(flow, route.address, segment.destinationPort);
  }

  #add(
    flow: number,
    guest: number,
    guestPort: number,
    remote: number,
    remotePort: number,
    opened: 'guest' | 'outside',
  ): Connection {
    if (this.#byFlow.size >= this.parts.config.maxFlows) this.#evictOldest();
    const initial = this.#initialSequence(guest, guestPort, remote, remotePort);
    const connection = new Connection(this, flow, guest, guestPort, remote, remotePort, initial, opened);
    this.#byFlow.set(flow, connection);
    const endpoint = guest * 0x1_0000 + guestPort;
    let remotes = this.#byEndpoint.get(endpoint);
    if (remotes === undefined) this.#byEndpoint.set(endpoint, (remotes = new Map<number, Connection>()));
    remotes.set(remote * 0x1_0000 + remotePort, connection);
    return connection;
  }

  #find(guest: number, guestPort: number, remote: number, remotePort: number): Connection | undefined {
    const last = this.#last;
    if (
      last !== undefined &&
      last.guestPort === guestPort &&
      last.remotePort === remotePort &&
      last.guest === guest &&
      last.remote === remote
    ) {
      return last;
    }
    const found = this.#byEndpoint.get(guest * 0x1_0000 + guestPort)?.get(remote * 0x1_0000 + remotePort);
    if (found !== undefined) this.#last = found;
    return found;
  }

  #remove(connection: Connection): void {
    connection.close();
    if (this.#last === connection) this.#last = undefined;
    if (connection.timerEvent !== 0) this.parts.clock.cancel(connection.timerEvent);
    connection.timerEvent = 0;
    this.#byFlow.delete(connection.id);
    const endpoint = connection.guest * 0x1_0000 + connection.guestPort;
    const remotes = this.#byEndpoint.get(endpoint);
    remotes?.delete(connection.remote * 0x1_0000 + connection.remotePort);
    if (remotes?.size === 0) this.#byEndpoint.delete(endpoint);
  }

  #evictOldest(): void {
    let oldest: Connection | undefined;
    for (const connection of this.#byFlow.values()) {
      if (connection.state === 'time-wait') {
        this.#remove(connection);
        return;
      }
      if (oldest === undefined || connection.used < oldest.used) oldest = connection;
    }
    if (oldest !== undefined) this.#evict(oldest);
  }

  #evict(connection: Connection): void {
    if (connection.state !== 'time-wait') {
      this.#reset(remainsOf(connection));
      this.abort(connection);
    }
    this.#remove(connection);
  }

  #wake(connection: Connection): void {
    if (connection.closed) {
      this.#remove(connection);
      return;
    }
    if (!connection.ready) {
      connection.ready = true;
      this.#ready.push(connection);
    }
    this.parts.output.request();
  }

  #arm(connection: Connection): void {
    const { deadline } = connection;
    if (connection.closed || deadline === Infinity || deadline >= connection.timerAt) return;
    const { clock, owner } = this.parts;
    if (connection.timerEvent !== 0) clock.cancel(connection.timerEvent);
    connection.timerAt = Math.max(clock.now, Math.ceil(deadline));
    connection.timerEvent = clock.schedule(owner, 'tcp-timer', connection.timerAt, connection.timerArgs);
  }

  /** RFC 9293 3.4.1: a clock of 4 us and a keyed hash of the endpoints. */
  #initialSequence(guest: number, guestPort: number, remote: number, remotePort: number): Sequence {
    let hash = this.parts.random.next();
    for (const part of [guest, guestPort, remote, remotePort]) {
      hash = Math.imul(hash ^ part, 0x85eb_ca6b);
      hash ^= hash >>> 13;
    }
    return advance(hash, Math.floor(this.now / 4000) % 0x1_0000_0000);
  }

  #fail(connection: Connection, failure: Failure): void {
    if (failure === 'refused' || failure === 'reset') this.#reset(remainsOf(connection));
    else {
      const { guest, guestPort, remote, remotePort, receiveNext } = connection;
      this.#unreachable(failure, guest, guestPort, remote, remotePort, advance(receiveNext, -1));
    }
  }

  #unreachable(
    failure: Failure,
    guest: number,
    guestPort: number,
    remote: number,
    remotePort: number,
    sequence: Sequence,
  ): void {
    const beginning = new Uint8Array(8);
    put16(beginning, 0, guestPort);
    put16(beginning, 2, remotePort);
    put32(beginning, 4, sequence);
    this.parts.icmp.unreachable(failure, PROTOCOL_TCP, guest, remote, beginning);
  }

  /** Answers a segment that belongs to no connection (RFC 9293 3.10.7.1). */
  #refuse(header: Ipv4Header, segment: Segment): void {
    if (segment.has(RST)) return;
    const acked = segment.has(ACK);
    this.#sendReset(
      {
        guest: header.source,
        guestPort: segment.sourcePort,
        remote: header.destination,
        remotePort: segment.destinationPort,
        sequence: acked ? segment.acknowledgment : 0,
        acknowledgment: acked ? 0 : advance(segment.sequence, segment.span),
      },
      acked ? RST : RST | ACK,
    );
  }

  #reset(remains: Remains): void {
    this.#sendReset(remains, RST | ACK);
  }

  #sendReset(remains: Remains, flags: number): void {
    const { output, arp, ip } = this.parts;
    const mac = arp.lookup(remains.guest);
    if (mac === undefined) return;
    const fields = this.#fields;
    fields.source = remains.remote;
    fields.sourcePort = remains.remotePort;
    fields.destination = remains.guest;
    fields.destinationPort = remains.guestPort;
    fields.sequence = remains.sequence;
    fields.acknowledgment = remains.acknowledgment;
    fields.flags = flags;
    fields.window = 0;
    const size = writeSegment(output.buffer, fields, 0);
    ip.writeHeader(PROTOCOL_TCP, remains.remote, remains.guest, size);
    output.queue(mac, ETHERTYPE_IPV4, IPV4_HEADER + size);
  }
}

function remainsOf(connection: Connection): Remains {
  const { guest, guestPort, remote, remotePort, receiveNext, state } = connection;
  // Before our SYN was sent the guest knows no number of ours.
  const sequence = state === 'connecting' ? 0 : connection.highest;
  return { guest, guestPort, remote, remotePort, sequence, acknowledgment: receiveNext };
}
