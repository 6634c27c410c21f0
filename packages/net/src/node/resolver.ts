import { getServers } from 'node:dns';
import { isIPv6 } from 'node:net';

export interface ResolverAddress {
  readonly host: string;
  readonly port: number;
}

const DNS_PORT = 53;

/** The host's name servers, as /etc/resolv.conf or the system's settings name them. */
export function systemResolvers(): ResolverAddress[] {
  return getServers().map((text) => {
    const bracketed = /^\[([^\]]+)\]:(\d+)$/.exec(text);
    if (bracketed !== null) return { host: bracketed[1], port: Number(bracketed[2]) };
    if (isIPv6(text)) return { host: text, port: DNS_PORT };
    const [host, port] = text.split(':');
    return { host, port: port === undefined ? DNS_PORT : Number(port) };
  });
}
