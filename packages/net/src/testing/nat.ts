import { Clock, Ledger, OutsideIo } from '@vmloom/device';
import type { UserNatOptions } from '../nat/options.js';
import { UserNat } from '../nat/user-nat.js';
import { FakeOutside } from './fake-outside.js';
import { TestGuest } from './guest.js';
import type { Decoded } from './packets.js';

/** A NAT with a guest at its port and a fake outside, on a clock of its own. */
export function setUpNat(options: Partial<UserNatOptions> = {}): {
  clock: Clock;
  io: OutsideIo;
  outside: FakeOutside;
  ledger: Ledger;
  nat: UserNat;
  guest: TestGuest;
  /** Lets arrive what the outside posted; the guest's new frames. */
  settle: () => Decoded[];
} {
  const clock = new Clock();
  const io = new OutsideIo(clock);
  const outside = new FakeOutside();
  const ledger = new Ledger();
  const nat = new UserNat({ clock, io, outside, ledger, hold: 0, ...options });
  const guest = new TestGuest(nat.port, clock);
  const settle = (): Decoded[] => {
    io.deliver();
    return guest.take();
  };
  return { clock, io, outside, ledger, nat, guest, settle };
}
