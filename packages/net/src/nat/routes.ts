import { formatIpv4, parseIpv4, type Ipv4Address } from './bytes.js';
import type { NatConfig } from './options.js';
import { RESOLVER, type Failure } from './outside-network.js';

const LOOPBACK = '127.0.0.1';

/** Translates addresses between the guest's network and the outside. */
export class Routes {
  constructor(readonly config: NatConfig) {}

  /** Where packets to an address of the guest's view go outside, or why nowhere. */
  outward(
    destination: Ipv4Address,
    port: number,
  ): { readonly address: string } | { readonly failure: Failure } {
    const { config } = this;
    if (config.restrict) return { failure: 'prohibited' };
    if (destination === config.gateway) return { address: LOOPBACK };
    if (destination === config.dns) return port === 53 ? { address: RESOLVER } : { failure: 'refused' };
    const first = destination >>> 24;
    // This network, the guest's own, loopback, multicast and reserved addresses lead nowhere from here.
    const inside = (destination & config.mask) >>> 0 === config.network;
    if (inside || first === 0 || first === 127 || first >= 224) return { failure: 'host-unreachable' };
    return { address: formatIpv4(destination) };
  }

  /** How the guest sees an outside address: the host's own loopback and everything that is not IPv4 as the gateway. */
  inward(address: string): Ipv4Address {
    if (address === RESOLVER) return this.config.dns;
    if (!/^\d+\.\d+\.\d+\.\d+$/.test(address)) return this.config.gateway;
    const parsed = parseIpv4(address);
    const inside = (parsed & this.config.mask) >>> 0 === this.config.network;
    return parsed >>> 24 === 127 || inside ? this.config.gateway : parsed;
  }
}
