import { POOLS } from '../register-map.js';

// Registers of the embedded switch (82576 datasheet 8.14).

export const ALL_POOLS = 0xff;

/** VMOLR (8.10.20): what a pool accepts. */
export const VMOLR = {
  longPackets: 1 << 16,
  acceptUntagged: 1 << 24,
  /** Group addresses whose hash is in MTA. */
  acceptMulticastHash: 1 << 25,
  /** Addresses of single stations whose hash is in UTA. */
  acceptUnicastHash: 1 << 26,
  acceptBroadcast: 1 << 27,
  acceptAllMulticast: 1 << 28,
  lengthMask: 0x3fff,
} as const;

/** VT_CTL (8.14.2). */
export const VT_CTL = {
  defaultPoolShift: 7,
  ignoreMac: 1 << 28,
  disableDefaultPool: 1 << 29,
  replication: 1 << 30,
} as const;

/** VLVF (8.14.15): a VLAN and the pools in it. */
export const VLVF = { count: 32, vlanMask: 0xfff, poolShift: 12, enable: 0x8000_0000 } as const;

/** DTXSWC (8.14.13): which pools are kept from what, and whether pools hear each other. */
export const DTXSWC = { vlanSpoofShift: 8, localShift: 16, loopback: 0x8000_0000 } as const;

/** VMRCTL (8.14.17): what a mirror copies, and the pool that gets it. */
export const VMRCTL = {
  count: 4,
  pools: 1 << 0,
  uplink: 1 << 1,
  downlink: 1 << 2,
  poolShift: 8,
  poolMask: 7,
} as const;

/** DTXCTL: an interrupt tells of a frame that a pool may not send. */
export const DTXCTL_SPOOF_INTERRUPT = 1 << 6;

/** The mask of pools for which something holds. */
export function pools(holds: (pool: number) => boolean): number {
  let mask = 0;
  for (let pool = 0; pool < POOLS; pool++) if (holds(pool)) mask |= 1 << pool;
  return mask;
}
