export * from './capture.js';
export * from './counters.js';
export * from './error.js';
export * from './ethernet.js';
export * from './forwarding-table.js';
export * from './frame.js';
export * from './frame-queue.js';
export * from './hub.js';
export * from './link.js';
export * from './offload/codes.js';
export { eachPlainFrame, soundSegmentation } from './offload/segmenter.js';
export * from './pcapng.js';
export * from './port.js';
export * from './random.js';
export * from './sink.js';
export * from './switch.js';
export { NO_VLAN, VlanPort, type VlanMode } from './vlan.js';
export { formatIpv4, parseIpv4, type Ipv4Address } from './nat/bytes.js';
export { parseHostForward, type HostForward, type UserNatOptions } from './nat/options.js';
export {
  RESOLVER,
  type Arrivals,
  type ArrivalKind,
  type Arrive,
  type Failure,
  type OutsideNetwork,
} from './nat/outside-network.js';
export { UserNat } from './nat/user-nat.js';
export * from './outside-port.js';
export { FrameDecoder, framed } from './stream-framing.js';
