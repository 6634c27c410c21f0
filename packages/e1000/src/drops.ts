import type { Counter, Ledger } from '@vmloom/device';
import * as R from './register-map.js';

const NAMES: Readonly<Record<number, string>> = {
  [R.DROP_FILTER]: 'address filter',
  [R.DROP_DISABLED]: 'receiver off',
  [R.DROP_OVERSIZE]: 'oversize',
  [R.DROP_FIFO_FULL]: 'fifo full',
  [R.DROP_DMA]: 'dma refused',
  [R.DROP_PAUSE]: 'pause frame',
  [R.DROP_MAC_CONTROL]: 'mac control frame',
  [R.DROP_TSO]: 'bad segmentation context',
  [R.DROP_FCS]: 'bad fcs',
  [R.DROP_EMPTY]: 'empty packet',
  [R.DROP_VLAN]: 'vlan filter',
};

/** Counters of dropped packets by DROP_* reason. */
export function dropCounters(ledger: Ledger, owner: string, event: 'tx-drop' | 'rx-drop'): Counter[] {
  const counters: Counter[] = [];
  for (const [reason, name] of Object.entries(NAMES))
    counters[Number(reason)] = ledger.counter(owner, event, name);
  return counters;
}
