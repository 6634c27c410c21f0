import type { Clock, SnapshotValue } from '@vmloom/device';
import { formatIpv4, get16, get32, put16, put32, type Ipv4Address } from './bytes.js';
import { BROADCAST } from './arp.js';
import type { NatConfig } from './options.js';
import type { UdpNat } from './udp.js';

// Message types (RFC 2132 9.6).
export const DHCP_DISCOVER = 1;
export const DHCP_OFFER = 2;
export const DHCP_REQUEST = 3;
export const DHCP_DECLINE = 4;
export const DHCP_ACK = 5;
export const DHCP_NAK = 6;
export const DHCP_RELEASE = 7;
export const DHCP_INFORM = 8;

// Options (RFC 2132).
const SUBNET_MASK = 1;
const ROUTER = 3;
const DOMAIN_NAME_SERVER = 6;
const HOST_NAME = 12;
const DOMAIN_NAME = 15;
const INTERFACE_MTU = 26;
const BROADCAST_ADDRESS = 28;
const REQUESTED_ADDRESS = 50;
const LEASE_TIME = 51;
const MESSAGE_TYPE = 53;
const SERVER_IDENTIFIER = 54;
const RENEWAL_TIME = 58;
const REBINDING_TIME = 59;
const CLIENT_IDENTIFIER = 61;
const PAD = 0;
const END = 255;

const MAGIC_COOKIE = 0x6382_5363;
const FIXED = 236;
const BROADCAST_FLAG = 0x8000;
const SERVER_PORT = 67;
const CLIENT_PORT = 68;
const SECOND = 1e9;
/** An address that was offered, or found in use by its client (DECLINE), is set aside for so long. */
const OFFER_TIME = 60 * SECOND;
const DECLINE_TIME = 600 * SECOND;
/** Bytes of the smallest message that clients must take (RFC 2131 2). */
const MESSAGE_LENGTH = 548;

interface Lease {
  readonly client: string;
  readonly address: Ipv4Address;
  expires: number;
  bound: boolean;
}

/** A DHCP server (RFC 2131) for the guests of one network. */
export class DhcpServer {
  /** By address. */
  readonly #leases = new Map<Ipv4Address, Lease>();

  constructor(
    readonly config: NatConfig,
    readonly clock: Clock,
    readonly udp: UdpNat,
  ) {}

  /** The address that a client (MAC or identifier in hexadecimal) holds. */
  addressOf(client: string): string | undefined {
    for (const lease of this.#leases.values()) {
      if (lease.client === client && lease.bound && lease.expires > this.clock.now)
        return formatIpv4(lease.address);
    }
    return undefined;
  }

  /** The payload of a datagram to port 67. What is not sound is ignored. */
  receive(message: Uint8Array): void {
    if (message.length < FIXED + 4 || message[0] !== 1 || message[1] !== 1 || message[2] !== 6) return;
    if (get32(message, FIXED) !== MAGIC_COOKIE) return;
    const options = readOptions(message);
    const type = options.get(MESSAGE_TYPE)?.[0];
    const server = addressOption(options.get(SERVER_IDENTIFIER));
    const forUs = server === undefined || server === this.config.gateway;
    const identifier = options.get(CLIENT_IDENTIFIER);
    const client = hex(
      identifier !== undefined && identifier.length > 1 ? identifier : message.subarray(28, 34),
    );
    const clientAddress = get32(message, 12);
    const requested = addressOption(options.get(REQUESTED_ADDRESS));
    switch (type) {
      case DHCP_DISCOVER:
        this.#discover(message, client, requested);
        break;
      case DHCP_REQUEST:
        this.#request(message, client, server, requested, clientAddress);
        break;
      case DHCP_DECLINE: {
        const lease = requested === undefined ? undefined : this.#leases.get(requested);
        if (!forUs || lease?.client !== client) break;
        this.#leases.set(lease.address, {
          client: '',
          address: lease.address,
          expires: this.clock.now + DECLINE_TIME,
          bound: false,
        });
        break;
      }
      case DHCP_RELEASE: {
        const lease = this.#leases.get(clientAddress);
        if (forUs && lease?.client === client) lease.expires = this.clock.now;
        break;
      }
      case DHCP_INFORM:
        // RFC 2131 4.3.5: parameters only, to the address that the client already has.
        this.#reply(message, DHCP_ACK, 0);
        break;
      default:
    }
  }

  save(): SnapshotValue {
    return [...this.#leases.values()].map((lease) => ({ ...lease }));
  }

  restore(saved: SnapshotValue): void {
    this.#leases.clear();
    for (const lease of saved as unknown as Lease[]) this.#leases.set(lease.address, { ...lease });
  }

  /** RFC 2131 4.3.1: the client's own address, else the one it asks for if free, else any free one. */
  #discover(message: Uint8Array, client: string, requested: Ipv4Address | undefined): void {
    const address = this.#choose(client, requested);
    if (address === undefined) return;
    const lease = this.#leases.get(address);
    if (lease?.client !== client || lease.expires <= this.clock.now)
      this.#bind(client, address, OFFER_TIME, false);
    this.#reply(message, DHCP_OFFER, address);
  }

  /** RFC 2131 4.3.2. */
  #request(
    message: Uint8Array,
    client: string,
    server: Ipv4Address | undefined,
    requested: Ipv4Address | undefined,
    clientAddress: Ipv4Address,
  ): void {
    if (server !== undefined && server !== this.config.gateway) {
      // The client took another server's offer.
      for (const lease of this.#leases.values()) {
        if (lease.client === client && !lease.bound) lease.expires = this.clock.now;
      }
      return;
    }
    const address = requested ?? clientAddress;
    const lease = this.#leases.get(address);
    const held = lease !== undefined && lease.expires > this.clock.now;
    const own = held && lease.client === client;
    // A client that remembers its lease from before a restart of the NAT is served; one on another network is told off.
    const free =
      server === undefined && !held && this.#inPool(address) && this.#leaseOf(client) === undefined;
    if (!own && !free) {
      this.#reply(message, DHCP_NAK, 0);
      return;
    }
    for (const other of this.#leases.values()) {
      if (other.client === client && other.address !== address) other.expires = this.clock.now;
    }
    this.#bind(client, address, this.config.leaseTime * SECOND, true);
    this.#reply(message, DHCP_ACK, address);
  }

  #bind(client: string, address: Ipv4Address, time: number, bound: boolean): void {
    this.#leases.set(address, { client, address, expires: this.clock.now + time, bound });
  }

  #leaseOf(client: string): Lease | undefined {
    for (const lease of this.#leases.values()) {
      if (lease.client === client && lease.expires > this.clock.now) return lease;
    }
    return undefined;
  }

  #choose(client: string, requested: Ipv4Address | undefined): Ipv4Address | undefined {
    const own = this.#leaseOf(client);
    if (own !== undefined) return own.address;
    const free = (address: Ipv4Address): boolean =>
      this.#inPool(address) && !((this.#leases.get(address)?.expires ?? 0) > this.clock.now);
    // An expired lease of the client's comes before a new address.
    for (const lease of this.#leases.values())
      if (lease.client === client && free(lease.address)) return lease.address;
    if (requested !== undefined && free(requested)) return requested;
    const { dhcpStart, dhcpCount } = this.config;
    let stale: Ipv4Address | undefined;
    for (let address = dhcpStart; address < dhcpStart + dhcpCount; address++) {
      if (!free(address)) continue;
      if (!this.#leases.has(address)) return address;
      stale ??= address;
    }
    return stale;
  }

  #inPool(address: Ipv4Address): boolean {
    const { dhcpStart, dhcpCount, gateway, dns } = this.config;
    return address >= dhcpStart && address < dhcpStart + dhcpCount && address !== gateway && address !== dns;
  }

  #reply(message: Uint8Array, type: number, address: Ipv4Address): void {
    const { config } = this;
    const reply = new Uint8Array(MESSAGE_LENGTH);
    const clientAddress = type === DHCP_NAK ? 0 : get32(message, 12);
    reply[0] = 2;
    reply[1] = 1;
    reply[2] = 6;
    reply.set(message.subarray(4, 8), 4);
    const broadcast = (get16(message, 10) & BROADCAST_FLAG) !== 0 || type === DHCP_NAK;
    put16(reply, 10, broadcast ? BROADCAST_FLAG : 0);
    put32(reply, 12, type === DHCP_OFFER ? 0 : clientAddress);
    put32(reply, 16, address);
    reply.set(message.subarray(28, 44), 28);
    put32(reply, FIXED, MAGIC_COOKIE);
    let at = FIXED + 4;
    const option = (code: number, value: Uint8Array): void => {
      if (at + 3 + value.length > MESSAGE_LENGTH) return;
      reply[at] = code;
      reply[at + 1] = value.length;
      reply.set(value, at + 2);
      at += 2 + value.length;
    };
    const number = (code: number, value: number): void => {
      const bytes = new Uint8Array(4);
      put32(bytes, 0, value);
      option(code, bytes);
    };
    option(MESSAGE_TYPE, Uint8Array.of(type));
    number(SERVER_IDENTIFIER, config.gateway);
    if (type !== DHCP_NAK) {
      // RFC 2131 4.3.5: an answer to INFORM has no lease.
      if (address !== 0) {
        number(LEASE_TIME, config.leaseTime);
        number(RENEWAL_TIME, Math.floor(config.leaseTime / 2));
        number(REBINDING_TIME, Math.floor((config.leaseTime * 7) / 8));
      }
      number(SUBNET_MASK, config.mask);
      number(BROADCAST_ADDRESS, config.broadcast);
      if (!config.restrict) {
        number(ROUTER, config.gateway);
        number(DOMAIN_NAME_SERVER, config.dns);
      }
      if (config.mtu !== 1500) option(INTERFACE_MTU, Uint8Array.of(config.mtu >> 8, config.mtu & 0xff));
      const text = new TextEncoder();
      if (config.hostname !== '') option(HOST_NAME, text.encode(config.hostname));
      if (config.domain !== '') option(DOMAIN_NAME, text.encode(config.domain));
    }
    reply[at] = END;
    // RFC 2131 4.1: to the address the client has, else by broadcast where it asks for that, else to the offered one.
    const hardware = message.slice(28, 34);
    if (clientAddress !== 0) {
      this.udp.send(config.gateway, SERVER_PORT, clientAddress, CLIENT_PORT, reply, hardware);
    } else if (broadcast || address === 0 || (hardware[0] & 1) !== 0) {
      this.udp.send(config.gateway, SERVER_PORT, 0xffff_ffff, CLIENT_PORT, reply, BROADCAST);
    } else this.udp.send(config.gateway, SERVER_PORT, address, CLIENT_PORT, reply, hardware);
  }
}

/** The options of a message (RFC 2132 2); one that runs over the end is left out, and so is what follows. */
function readOptions(message: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = FIXED + 4; at < message.length;) {
    const code = message[at];
    if (code === END) break;
    if (code === PAD) {
      at++;
      continue;
    }
    const length = message[at + 1];
    if (length === undefined || at + 2 + length > message.length) break;
    options.set(code, message.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

const addressOption = (value: Uint8Array | undefined): Ipv4Address | undefined =>
  value?.length === 4 ? get32(value, 0) : undefined;

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
