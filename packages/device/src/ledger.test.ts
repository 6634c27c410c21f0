import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.js';

describe('Ledger', () => {
  it('contract Ledger: one counter for each owner, event and reason', () => {
    const ledger = new Ledger();
    const doorbells = ledger.counter('nic', 'exit', 'doorbell');
    doorbells.value += 2;
    ledger.counter('nic', 'exit', 'icr').value++;
    ledger.counter('nic|exit', 'doorbell').value = 100;
    expect(ledger.counter('nic', 'exit', 'doorbell')).toBe(doorbells);
    expect(ledger.total({ owner: 'nic', event: 'exit' })).toBe(3);
  });

  it("contract Ledger: the modelled structure's work and the emulator's are counted apart", () => {
    const ledger = new Ledger();
    ledger.counter('nic', 'copied-bytes').value = 1500;
    ledger.counter('nic', 'copied-bytes', '', 'emulator').value = 3000;
    expect(ledger.total({ event: 'copied-bytes', class: 'modelled' })).toBe(1500);
    expect(ledger.select({ class: 'emulator' }).map(({ value }) => value)).toEqual([3000]);
    ledger.reset();
    expect(ledger.total()).toBe(0);
  });
});
