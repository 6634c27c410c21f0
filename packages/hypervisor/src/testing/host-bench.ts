import { Clock, Ledger } from '@vmloom/device';
import { HostMemory } from '@vmloom/memory';
import { Hypervisor } from '../hypervisor.js';
import type { CostPreset } from '../preset.js';
import type { ShareOptions } from '../scheduler.js';
import type { Vcpu } from '../vcpu.js';
import { FakeGuest } from './fake-guest.js';

/** Costs that are easy to tell apart: a cycle is a nanosecond. */
export const TEST_PRESET: CostPreset = {
  name: 'test',
  gigahertz: 1,
  perInstruction: 1,
  hypercall: 100,
  exitKernel: 200,
  exitUser: 400,
  exitDoorbell: 150,
  exitInterrupt: 120,
  inject: 50,
  contextSwitch: 300,
  wake: 80,
  backEndEvent: 10,
  emulatedPacket: 1000,
  virtioPacket: 700,
  vhostPacket: 500,
  hostPacket: 600,
  copyByte: 1,
  deviceRead: 60,
  deviceWrite: 20,
  pollInterval: 1000,
};

/** A host with fake guests, run by hand: the hart with the least time first, events in between. */
export class HostBench {
  readonly clock = new Clock();
  readonly ledger = new Ledger();
  readonly hypervisor: Hypervisor;
  readonly guests: FakeGuest[] = [];

  constructor(harts = 1) {
    const memory = new HostMemory({ ram: 1 << 20, reserve: 1 << 16 });
    const { clock, ledger } = this;
    this.hypervisor = new Hypervisor({ clock, ledger, memory, harts, preset: TEST_PRESET });
  }

  /** A virtual machine of one fake hart. */
  guest(name: string, share: ShareOptions = {}, native = false): { guest: FakeGuest; vcpu: Vcpu } {
    const guest = new FakeGuest();
    this.guests.push(guest);
    const vcpu = this.hypervisor.addVcpu(this.hypervisor.createVm({ name, native }), guest, share);
    return { guest, vcpu };
  }

  /** Runs up to a time, in slices of 100 us at most. */
  run(until: number): void {
    const { harts } = this.hypervisor;
    for (;;) {
      const awake = harts.filter((hart) => hart.localTime < until && hart.interruptPending);
      const least = Math.min(...awake.map(({ localTime }) => localTime), until);
      if (this.clock.nextEvent <= least) {
        this.clock.runUntil(this.clock.nextEvent);
        for (const hart of harts) if (!awake.includes(hart)) hart.skipTo(Math.min(this.clock.now, until));
        continue;
      }
      const hart = awake.find(({ localTime }) => localTime === least);
      if (hart === undefined) break;
      const end = Math.min(until, this.clock.nextEvent, least + 100_000);
      this.clock.now = least;
      this.clock.beginSlice(end, (when) => hart.shortenTo(when));
      hart.run(end - least);
      this.clock.endSlice();
    }
    for (const hart of harts) hart.skipTo(until);
  }

  count(owner: string, event: string, reason?: string): number {
    return this.ledger.total({ owner, event, ...(reason === undefined ? {} : { reason }) });
  }
}
