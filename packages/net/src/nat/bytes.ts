import { NetError } from '../error.js';

export const get16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];

export const get32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** An IPv4 address as a number, 0 to 2^32 - 1. */
export type Ipv4Address = number;

/** @throws NetError bad-address */
export function parseIpv4(text: string): Ipv4Address {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const parts = match === null ? [] : match.slice(1).map(Number);
  if (parts.length !== 4 || parts.some((part) => part > 255)) {
    throw new NetError('bad-address', `${text} is no IPv4 address; write it as 10.0.2.2`);
  }
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export const formatIpv4 = (address: Ipv4Address): string =>
  `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
