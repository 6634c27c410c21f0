import type { Counter, Ledger } from '@vmloom/device';
import * as B from './register-bits.js';

const NAMES: Readonly<Record<number, string>> = {
  [B.DROP_FILTER]: 'address filter',
  [B.DROP_DISABLED]: 'receiver off',
  [B.DROP_OVERSIZE]: 'oversize',
  [B.DROP_FIFO_FULL]: 'fifo full',
  [B.DROP_DMA]: 'dma refused',
  [B.DROP_PAUSE]: 'pause frame',
  [B.DROP_MAC_CONTROL]: 'mac control frame',
  [B.DROP_TSO]: 'bad segmentation context',
  [B.DROP_FCS]: 'bad fcs',
  [B.DROP_EMPTY]: 'empty packet',
  [B.DROP_VLAN]: 'vlan filter',
  [B.DROP_NO_DESCRIPTOR]: 'no descriptor',
  [B.DROP_TOO_MANY]: 'too many descriptors',
  [B.DROP_QUEUE_OFF]: 'queue off',
  [B.DROP_SWITCH]: 'no pool',
};

/** Counters of dropped packets by DROP_* reason. */
export function dropCounters(ledger: Ledger, owner: string, event: 'tx-drop' | 'rx-drop'): Counter[] {
  const counters: Counter[] = [];
  for (const [reason, name] of Object.entries(NAMES))
    counters[Number(reason)] = ledger.counter(owner, event, name);
  return counters;
}
