import type { Clock, Ledger, OutsideIo } from '@vmloom/device';
import { NetError } from '../error.js';
import { parseMac } from '../ethernet.js';
import type { LinkOptions } from '../link.js';
import { formatIpv4, parseIpv4, type Ipv4Address } from './bytes.js';
import type { OutsideNetwork } from './outside-network.js';

/** A port of the host that leads to a guest. */
export interface HostForward {
  readonly protocol: 'tcp' | 'udp';
  /** Of the host; `0.0.0.0` (any) unless told. */
  readonly hostAddress?: string;
  /** 0 takes a free one. */
  readonly hostPort: number;
  /** The first address of the DHCP pool unless told. */
  readonly guestAddress?: string;
  readonly guestPort: number;
}

export interface UserNatOptions {
  /** Unique on the clock. `nat` unless told. */
  readonly name?: string;
  readonly clock: Clock;
  readonly io: OutsideIo;
  readonly outside: OutsideNetwork;
  readonly ledger?: Ledger;
  /** `10.0.2.0/24` unless told; a prefix of 8 to 29 bits. */
  readonly network?: string;
  /** The gateway, an alias of the host's loopback. The network's address + 2 unless told. */
  readonly gateway?: string;
  /** The name server. The network's address + 3 unless told. */
  readonly dns?: string;
  /** First address that DHCP gives. The network's address + 15 unless told. */
  readonly dhcpStart?: string;
  /** Addresses that DHCP gives, at most. 100 unless told. */
  readonly dhcpCount?: number;
  /** Seconds. 86400 unless told. */
  readonly leaseTime?: number;
  readonly hostname?: string;
  readonly domain?: string;
  /** Of the gateway, `52:55:0a:00:02:02` unless told. */
  readonly mac?: string;
  /** Bytes of an IP packet, 576 to 65535. 1500 unless told. */
  readonly mtu?: number;
  readonly forwards?: readonly HostForward[];
  /** Keeps the guest from the outside; forwarded ports still work. False unless told. */
  readonly restrict?: boolean;
  /** Connections and datagram flows, each. 1024 unless told. */
  readonly maxFlows?: number;
  /** Seconds after which an unused datagram flow ends (RFC 4787 REQ-5). 300 unless told. */
  readonly udpIdle?: number;
  /** Seconds after which an unused connection is reset (RFC 5382 REQ-5). 7440 unless told. */
  readonly tcpIdle?: number;
  /** Of initial sequence numbers and identifiers. 1 unless told. */
  readonly seed?: number;
  /**
   * Milliseconds of the host for which idle virtual time is not skipped after something went out, so that
   * an answer can come; of no use where a live source paces idle time anyway. 1000 unless told.
   */
  readonly hold?: number;
  /** Of the wire to the guest. */
  readonly link?: Omit<LinkOptions, 'name' | 'ends' | 'clock' | 'ledger'>;
}

/** The options, checked and in numbers. */
export interface NatConfig {
  readonly network: Ipv4Address;
  readonly mask: number;
  readonly broadcast: Ipv4Address;
  readonly gateway: Ipv4Address;
  readonly dns: Ipv4Address;
  readonly dhcpStart: Ipv4Address;
  readonly dhcpCount: number;
  readonly leaseTime: number;
  readonly hostname: string;
  readonly domain: string;
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly restrict: boolean;
  readonly maxFlows: number;
  readonly udpIdle: number;
  readonly tcpIdle: number;
  readonly forwards: readonly {
    readonly protocol: 'tcp' | 'udp';
    readonly hostAddress: string;
    readonly hostPort: number;
    readonly guestAddress: Ipv4Address;
    readonly guestPort: number;
  }[];
}

const SECOND = 1e9;

/** @throws NetError bad-option, bad-address */
export function readOptions(options: UserNatOptions): NatConfig {
  const text = options.network ?? '10.0.2.0/24';
  const [base, bits = '24'] = text.split('/');
  const prefix = Number(bits);
  demand(Number.isInteger(prefix) && prefix >= 8 && prefix <= 29, `${text} needs a prefix of 8 to 29 bits`);
  const mask = (0xffff_ffff << (32 - prefix)) >>> 0;
  const network = (parseIpv4(base) & mask) >>> 0;
  const broadcast = (network | ~mask) >>> 0;
  const size = broadcast - network + 1;
  const inside = (name: string, given: string | undefined, fallback: number): Ipv4Address => {
    const address = given === undefined ? network + fallback : parseIpv4(given);
    demand(
      address > network && address < broadcast,
      `${name} ${formatIpv4(address)} does not lie in the network ${formatIpv4(network)}/${prefix}`,
    );
    return address;
  };
  const gateway = inside('the gateway', options.gateway, 2);
  const dns = inside('the name server', options.dns, 3);
  demand(gateway !== dns, 'gateway and name server need different addresses');
  const dhcpStart = inside('the first DHCP address', options.dhcpStart, size > 16 ? 15 : 4);
  const { dhcpCount = 100, mtu = 1500, maxFlows = 1024, leaseTime = 86_400 } = options;
  demand(dhcpCount >= 1, `DHCP needs 1 address or more, not ${dhcpCount}`);
  demand(mtu >= 576 && mtu <= 65_535, `an MTU is from 576 to 65535 bytes, not ${mtu}`);
  demand(maxFlows >= 1, `the NAT needs 1 flow or more, not ${maxFlows}`);
  demand(leaseTime >= 60, `a lease lasts 60 s or more, not ${leaseTime}`);
  for (const name of [options.hostname ?? '', options.domain ?? '']) {
    demand(name.length <= 255, `a name has at most 255 characters: ${name}`);
  }
  const mac = parseMac(options.mac ?? '52:55:0a:00:02:02');
  demand((mac[0] & 1) === 0, 'the MAC address of the gateway is a group address');
  return {
    network,
    mask,
    broadcast,
    gateway,
    dns,
    dhcpStart,
    dhcpCount: Math.min(dhcpCount, broadcast - dhcpStart),
    leaseTime,
    hostname: options.hostname ?? '',
    domain: options.domain ?? '',
    mac,
    mtu,
    restrict: options.restrict ?? false,
    maxFlows,
    udpIdle: (options.udpIdle ?? 300) * SECOND,
    tcpIdle: (options.tcpIdle ?? 7440) * SECOND,
    forwards: (options.forwards ?? []).map((forward) => ({
      protocol: forward.protocol,
      hostAddress: formatIpv4(parseIpv4(forward.hostAddress ?? '0.0.0.0')),
      hostPort: port(forward.hostPort, 0),
      guestAddress: inside('a forwarded guest', forward.guestAddress, dhcpStart - network),
      guestPort: port(forward.guestPort, 1),
    })),
  };
}

/**
 * A forwarding rule in QEMU's spelling: `tcp:127.0.0.1:2222-10.0.2.15:22`, both addresses optional.
 * @throws NetError bad-option, bad-address
 */
export function parseHostForward(text: string): HostForward {
  const match = /^(tcp|udp)?:([\d.]*):(\d+)-([\d.]*):(\d+)$/.exec(text);
  if (match === null) {
    throw new NetError(
      'bad-option',
      `${text} is no forwarding rule; write it as tcp:127.0.0.1:2222-10.0.2.15:22`,
    );
  }
  const [, protocol, hostAddress, hostPort, guestAddress, guestPort] = match;
  for (const address of [hostAddress, guestAddress]) if (address !== '') parseIpv4(address);
  return {
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    hostPort: port(Number(hostPort), 0),
    guestPort: port(Number(guestPort), 1),
    ...(hostAddress !== '' && { hostAddress }),
    ...(guestAddress !== '' && { guestAddress }),
  };
}

function port(value: number, least: number): number {
  demand(
    Number.isInteger(value) && value >= least && value <= 65_535,
    `a port is from ${least} to 65535, not ${value}`,
  );
  return value;
}

function demand(valid: boolean, message: string): void {
  if (!valid) throw new NetError('bad-option', message);
}
