import * as N from './codes.js';

/** Names of offers, as QEMU calls their properties. */
export const NET_FEATURES = {
  csum: N.F_CSUM,
  guest_csum: N.F_GUEST_CSUM,
  ctrl_guest_offloads: N.F_CTRL_GUEST_OFFLOADS,
  host_mtu: N.F_MTU,
  mac: N.F_MAC,
  guest_tso4: N.F_GUEST_TSO4,
  guest_tso6: N.F_GUEST_TSO6,
  guest_ecn: N.F_GUEST_ECN,
  host_tso4: N.F_HOST_TSO4,
  host_tso6: N.F_HOST_TSO6,
  host_ecn: N.F_HOST_ECN,
  mrg_rxbuf: N.F_MRG_RXBUF,
  status: N.F_STATUS,
  ctrl_vq: N.F_CTRL_VQ,
  ctrl_rx: N.F_CTRL_RX,
  ctrl_vlan: N.F_CTRL_VLAN,
  ctrl_rx_extra: N.F_CTRL_RX_EXTRA,
  guest_announce: N.F_GUEST_ANNOUNCE,
  mq: N.F_MQ,
  ctrl_mac_addr: N.F_CTRL_MAC_ADDR,
  vq_notf_coal: N.F_VQ_NOTF_COAL,
  notf_coal: N.F_NOTF_COAL,
  guest_uso4: N.F_GUEST_USO4,
  guest_uso6: N.F_GUEST_USO6,
  host_uso: N.F_HOST_USO,
  hash: N.F_HASH_REPORT,
  guest_hdrlen: N.F_GUEST_HDRLEN,
  rss: N.F_RSS,
  speed_duplex: N.F_SPEED_DUPLEX,
} as const;
export type NetFeature = keyof typeof NET_FEATURES;

const bit = (name: NetFeature): bigint => 1n << BigInt(NET_FEATURES[name]);

/** 5.1.3.1: each needs one of those beside it. */
const REQUIREMENTS: readonly (readonly [NetFeature, readonly NetFeature[]])[] = [
  ['guest_tso4', ['guest_csum']],
  ['guest_tso6', ['guest_csum']],
  ['guest_ecn', ['guest_tso4', 'guest_tso6']],
  ['guest_uso4', ['guest_csum']],
  ['guest_uso6', ['guest_csum']],
  ['host_tso4', ['csum']],
  ['host_tso6', ['csum']],
  ['host_ecn', ['host_tso4', 'host_tso6']],
  ['host_uso', ['csum']],
  ['ctrl_rx', ['ctrl_vq']],
  ['ctrl_vlan', ['ctrl_vq']],
  ['guest_announce', ['ctrl_vq']],
  ['mq', ['ctrl_vq']],
  ['ctrl_mac_addr', ['ctrl_vq']],
  ['notf_coal', ['ctrl_vq']],
  ['vq_notf_coal', ['ctrl_vq']],
  ['rss', ['ctrl_vq']],
];

/** 5.1.3.1, and the SHOULDs of 5.1.4: what is not offered without the control queue either. */
const OFFERED_WITH: readonly (readonly [NetFeature, readonly NetFeature[]])[] = [
  ...REQUIREMENTS,
  ['hash', ['ctrl_vq']],
  ['ctrl_rx_extra', ['ctrl_vq']],
  ['ctrl_guest_offloads', ['ctrl_vq']],
  ['guest_announce', ['status']],
];

/** True when whatever a feature needs is there too. */
export function requirementsMet(set: bigint): boolean {
  return REQUIREMENTS.every(
    ([name, needed]) => (set & bit(name)) === 0n || needed.some((one) => (set & bit(one)) !== 0n),
  );
}

/** The bits of everything but `without`, and but for what cannot be without that. */
export function offeredFeatures(without: Iterable<NetFeature>): bigint {
  let set = 0n;
  for (const name of Object.keys(NET_FEATURES) as NetFeature[]) set |= bit(name);
  for (const name of without) set &= ~bit(name);
  // In the order of the tables: what comes later may need what comes before.
  for (const [name, needed] of OFFERED_WITH) {
    if (!needed.some((one) => (set & bit(one)) !== 0n)) set &= ~bit(name);
  }
  return set;
}
