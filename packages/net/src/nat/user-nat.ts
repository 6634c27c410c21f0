import {
  expectSnapshot,
  Ledger,
  type Clock,
  type EventArguments,
  type EventOwner,
  type OutsideIo,
  type Snapshot,
  type Snapshotable,
} from '@vmloom/device';
import { ETHERNET_HEADER, ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../ethernet.js';
import type { Frame } from '../frame.js';
import { Link, type LinkPort } from '../link.js';
import type { PortOwner } from '../port.js';
import { Random } from '../random.js';
import { Arp, SOURCE_MAC_AT } from './arp.js';
import { get16 } from './bytes.js';
import { FRAME_AT, IP_AT, PacketBuffer } from './buffer.js';
import { DhcpServer } from './dhcp.js';
import { Icmp } from './icmp.js';
import { Ipv4, Ipv4Header, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from './ipv4.js';
import { readOptions, type NatConfig, type UserNatOptions } from './options.js';
import { Output } from './output.js';
import { NOWHERE, type ArrivalKind, type Arrivals, type OutsideNetwork } from './outside-network.js';
import { Reassembly } from './reassembly.js';
import { Routes } from './routes.js';
import { Segment } from './tcp/segment.js';
import { TcpNat } from './tcp/table.js';
import { readDatagram, UdpNat } from './udp.js';

const SWEEP = 5e9;
const DHCP_PORT = 67;

/**
 * A network of its own for guests, behind an address translator in the manner of QEMU's `-netdev user`: DHCP,
 * a gateway that is the host's loopback, a name server, and the world outside through sockets of the host.
 * Whatever comes from outside arrives as an event through the machine's {@link OutsideIo}.
 */
export class UserNat implements PortOwner, EventOwner, Snapshotable {
  readonly name: string;
  readonly config: NatConfig;
  /** The end of the wire for a guest's NIC or a switch. */
  readonly port: LinkPort;
  readonly link: Link;
  readonly dhcp: DhcpServer;
  readonly udp: UdpNat;
  readonly tcp: TcpNat;
  readonly #clock: Clock;
  readonly #io: OutsideIo;
  readonly #outside: OutsideNetwork;
  readonly #hold: number;
  readonly #output: Output;
  readonly #arp: Arp;
  readonly #ip: Ipv4;
  readonly #icmp: Icmp;
  readonly #reassembly: Reassembly;
  readonly #random: Random;
  readonly #received = new PacketBuffer();
  readonly #header = new Ipv4Header();
  readonly #segment = new Segment();
  readonly #refused;
  #nextFlow = 2;
  #sweeping = false;
  #holding = false;

  /** @throws NetError bad-option, bad-address */
  constructor(options: UserNatOptions) {
    const { name = 'nat', clock, io, outside, ledger = new Ledger() } = options;
    this.name = name;
    this.config = readOptions(options);
    this.#clock = clock;
    this.#io = io;
    this.#outside = outside;
    this.#hold = options.hold ?? 1000;
    this.#random = new Random(options.seed ?? 1);
    this.#refused = ledger.counter(name, 'drop', 'malformed');
    clock.register(this);
    this.link = new Link({
      ...options.link,
      name: `${name}.wire`,
      ends: [name, `${name}.peer`],
      clock,
      ledger,
    });
    this.port = this.link.b;
    this.link.a.attach(this);
    const { config } = this;
    const reach = (): Omit<OutsideNetwork, 'start' | 'close' | 'settled'> => this.#reach();
    const newFlow = (): number => (this.#nextFlow += 2);
    this.#output = new Output(
      this,
      clock,
      this.link.a,
      config.mac,
      ledger.counter(name, 'drop', 'output-full'),
    );
    this.#arp = new Arp(config, this.#output);
    this.#ip = new Ipv4(config, clock, this.#arp, this.#output);
    this.#icmp = new Icmp(config, clock, this.#ip, reach);
    this.#reassembly = new Reassembly(clock);
    const routes = new Routes(config);
    this.udp = new UdpNat(config, clock, this.#ip, this.#icmp, routes, reach, newFlow);
    this.dhcp = new DhcpServer(config, clock, this.udp);
    this.tcp = new TcpNat({
      config,
      clock,
      owner: this,
      arp: this.#arp,
      ip: this.#ip,
      icmp: this.#icmp,
      routes,
      output: this.#output,
      random: this.#random,
      outside: reach,
      newFlow,
    });
    outside.start((kind, args) => io.post(this, kind, args));
    config.forwards.forEach(({ protocol, hostAddress, hostPort }, index) => {
      outside.listen(index, protocol, hostAddress, hostPort);
    });
  }

  /** Closes every socket outside. */
  close(): void {
    this.#outside.close();
    this.#clock.unregister(this);
    this.link.close();
  }

  receive(frame: Frame): boolean {
    const { length } = frame;
    const limit = this.config.mtu + ETHERNET_HEADER;
    if (length < ETHERNET_HEADER || length > Math.max(limit, 1518)) {
      this.#refused.value++;
      return true;
    }
    const { bytes } = this.#received;
    frame.copyTo(bytes, FRAME_AT);
    const type = get16(bytes, FRAME_AT + 12);
    const packet = length - ETHERNET_HEADER;
    if (type === ETHERTYPE_IPV4) this.#receiveIp(packet);
    else if (type === ETHERTYPE_ARP) this.#arp.receive(bytes, IP_AT, packet);
    this.#sweepLater();
    return true;
  }

  writable(): void {
    this.#output.writable();
  }

  linkChanged(up: boolean): void {
    if (up) this.#output.writable();
  }

  onEvent(kind: string, args: EventArguments): void {
    switch (kind) {
      case 'output':
        if (this.#output.drain()) this.tcp.output();
        break;
      case 'tcp-timer':
        this.tcp.timer(args['flow'] as number);
        break;
      case 'sweep':
        this.#sweep();
        break;
      case 'hold-over':
        break;
      default:
        this.#arrived(kind as ArrivalKind, args);
    }
  }

  save(): Snapshot {
    return {
      type: 'user-nat',
      version: 1,
      nextFlow: this.#nextFlow,
      sweeping: this.#sweeping,
      random: this.#random.save(),
      link: this.link.save(),
      output: this.#output.save(),
      arp: this.#arp.save(),
      ip: this.#ip.save(),
      nextRequest: this.#icmp.nextRequest,
      dhcp: this.dhcp.save(),
      udp: this.udp.save(),
      tcp: this.tcp.save(),
    };
  }

  /** Sockets of UDP flows are opened again; every TCP connection is reset towards the guest. */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'user-nat', 1);
    this.#nextFlow = snapshot['nextFlow'] as number;
    this.#sweeping = snapshot['sweeping'] as boolean;
    this.#random.restore(snapshot['random'] as number[]);
    this.link.restore(snapshot['link'] as Snapshot);
    this.#output.restore(snapshot['output'] as ReturnType<Output['save']>);
    this.#arp.restore(snapshot['arp'] ?? []);
    this.#ip.restore(snapshot['ip'] ?? 1);
    this.#icmp.reset();
    this.#icmp.nextRequest = snapshot['nextRequest'] as number;
    this.dhcp.restore(snapshot['dhcp'] ?? []);
    this.udp.restore(snapshot['udp'] ?? {});
    this.#output.hold(() => this.tcp.restore(snapshot['tcp'] ?? []));
    // By the outside's gate, for the clock may be restored after this.
    this.#io.post(this, 'output', {});
  }

  #receiveIp(length: number): void {
    const { bytes } = this.#received;
    const header = this.#header;
    if (!header.read(this.#received, length)) {
      this.#refused.value++;
      return;
    }
    const { source } = header;
    const { network, mask } = this.config;
    const inside = (source & mask) >>> 0 === network;
    // A client without an address may speak DHCP and nothing else; other foreign sources are lies.
    if (inside && !this.#arp.own(source)) this.#arp.learn(source, bytes, SOURCE_MAC_AT);
    else if (source !== 0) {
      this.#refused.value++;
      return;
    }
    const at = IP_AT + header.headerLength;
    const payload = header.totalLength - header.headerLength;
    if (!header.moreFragments && header.fragmentOffset === 0) {
      this.#receivePayload(this.#received, at, payload);
      return;
    }
    const whole = this.#reassembly.add(header, bytes, at, payload);
    if (whole === undefined) return;
    bytes.set(whole, IP_AT);
    this.#receivePayload(this.#received, IP_AT, whole.length);
  }

  #receivePayload(buffer: PacketBuffer, at: number, length: number): void {
    const header = this.#header;
    const { source, destination, protocol } = header;
    const { gateway, dns, broadcast } = this.config;
    if (protocol === PROTOCOL_UDP) {
      const datagram = readDatagram(header, buffer, at, length);
      if (datagram === undefined) {
        this.#refused.value++;
        return;
      }
      const toAll = destination === 0xffff_ffff || destination === broadcast;
      if (get16(datagram, 2) === DHCP_PORT && (toAll || destination === gateway)) {
        this.dhcp.receive(datagram.slice(8));
        return;
      }
      if (source === 0 || toAll || this.#dying(buffer)) return;
      this.udp.receive(header, datagram);
    } else if (source === 0 || destination === broadcast || destination >>> 28 >= 14) {
      // Groups have no members here.
    } else if (protocol === PROTOCOL_TCP) {
      if (!this.#segment.read(header, buffer, at, length)) this.#refused.value++;
      else if (!this.#dying(buffer)) this.tcp.receive(header, this.#segment);
    } else if (protocol === PROTOCOL_ICMP) {
      this.#icmp.receive(header, buffer.bytes.slice(at, at + length));
    } else if (destination !== gateway && destination !== dns && !this.#dying(buffer)) {
      this.#icmp.unreachable(
        'host-unreachable',
        protocol,
        source,
        destination,
        buffer.bytes.slice(at, at + length),
      );
    }
  }

  /** True when the packet's time to live ends here, on its way out (RFC 1812 5.3.1). */
  #dying(buffer: PacketBuffer): boolean {
    const header = this.#header;
    if (header.ttl > 1 || this.#arp.own(header.destination)) return false;
    this.#icmp.timeExceeded(header, buffer);
    return true;
  }

  #arrived(kind: ArrivalKind, args: unknown): void {
    const is = <Kind extends ArrivalKind>(_kind: Kind): Arrivals[Kind] => args as Arrivals[Kind];
    switch (kind) {
      case 'tcp-connected':
        return this.tcp.connected(is(kind));
      case 'tcp-failed':
        return this.tcp.failed(is(kind));
      case 'tcp-accepted':
        this.#sweepLater();
        return this.tcp.accepted(is(kind));
      case 'tcp-data':
        return this.tcp.data(is(kind));
      case 'tcp-end':
        return this.tcp.ended(is(kind));
      case 'tcp-reset':
        return this.tcp.broken(is(kind));
      case 'tcp-drained':
        return this.tcp.drained(is(kind));
      case 'udp-bound':
        return this.udp.bound(is(kind));
      case 'udp-data':
        return this.udp.data(is(kind));
      case 'udp-failed':
        return this.udp.failed(is(kind));
      case 'forward-data':
        this.#sweepLater();
        return this.udp.forwardData(is(kind));
      case 'ping-result': {
        const { request, failure } = is(kind);
        return this.#icmp.pingResult(request, failure);
      }
    }
  }

  /** The outside, unless a record speaks for it. Something goes out: an answer may come before idle time is skipped. */
  #reach(): Omit<OutsideNetwork, 'start' | 'close' | 'settled'> {
    if (this.#io.replaying) return NOWHERE;
    if (!this.#holding && this.#hold > 0 && !this.#io.live) {
      this.#holding = true;
      this.#io.submit(this, 'hold-over', async () => {
        await this.#outside.settled(this.#hold);
        this.#holding = false;
        return {};
      });
    }
    return this.#outside;
  }

  #sweepLater(): void {
    if (this.#sweeping || this.tcp.count + this.udp.count + this.#reassembly.count === 0) return;
    this.#sweeping = true;
    this.#clock.after(this, 'sweep', SWEEP);
  }

  #sweep(): void {
    this.#sweeping = false;
    this.tcp.expire();
    this.udp.expire();
    this.#reassembly.expire();
    this.#sweepLater();
  }
}
