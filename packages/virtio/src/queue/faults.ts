import * as C from './codes.js';

/** Why a queue stopped: what the driver did wrong. */
export type QueueFault =
  | 'available index too far'
  | 'descriptor out of range'
  | 'loop'
  | 'chain too long'
  | 'readable after writable'
  | 'address'
  | 'length'
  | 'indirect not negotiated'
  | 'nested indirect'
  | 'indirect within a chain'
  | 'indirect table length'
  | 'over the ring'
  | 'too many chains'
  | 'partial chain'
  | 'queue size'
  | 'queue alignment'
  | 'queue address';

const NAMES: Readonly<Record<number, QueueFault>> = {
  [C.FAULT_INDEX]: 'available index too far',
  [C.FAULT_DESCRIPTOR]: 'descriptor out of range',
  [C.FAULT_LOOP]: 'loop',
  [C.FAULT_TOO_LONG]: 'chain too long',
  [C.FAULT_ORDER]: 'readable after writable',
  [C.FAULT_ADDRESS]: 'address',
  [C.FAULT_LENGTH]: 'length',
  [C.FAULT_INDIRECT]: 'indirect not negotiated',
  [C.FAULT_NESTED]: 'nested indirect',
  [C.FAULT_INDIRECT_NEXT]: 'indirect within a chain',
  [C.FAULT_TABLE_LENGTH]: 'indirect table length',
  [C.FAULT_OVER_RING]: 'over the ring',
  [C.FAULT_IN_FLIGHT]: 'too many chains',
  [C.FAULT_PARTIAL]: 'partial chain',
};

/** The fault that the core's answer means. */
export const faultOf = (answer: number): QueueFault => NAMES[answer] ?? 'address';
