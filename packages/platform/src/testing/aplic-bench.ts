import { Clock, WiredOr, type Ledger } from '@vmloom/device';
import { Aplic } from '../aplic.js';
import { AplicDriver } from './aplic-driver.js';
import { FakeSignal } from './fake-signal.js';

/** How a source listens to its wire (AIA 1.0, 4.5.2). */
export const DETACHED = 1;
export const EDGE1 = 4;
export const EDGE0 = 5;
export const LEVEL1 = 6;
export const LEVEL0 = 7;

/** An APLIC with harts that only remember, drivers of both domains, wires, and what it sent. */
export function aplicBench(
  delivery: 'direct' | 'msi',
  options: { harts?: number; guests?: number; ledger?: Ledger } = {},
) {
  const clock = new Clock();
  const sent: [address: number, data: number][] = [];
  const harts = Array.from({ length: options.harts ?? 2 }, () => ({
    machine: new FakeSignal(),
    supervisor: new FakeSignal(),
  }));
  const aplic = new Aplic({
    clock,
    harts,
    guests: options.guests ?? 0,
    ...(options.ledger === undefined ? {} : { ledger: options.ledger }),
    ...(delivery === 'msi'
      ? { send: (low, high, data) => void sent.push([high * 2 ** 32 + low, data]) }
      : {}),
  });
  const [machine, supervisor] = [new AplicDriver(aplic.machine), new AplicDriver(aplic.supervisor)];
  const wires = new Map<number, (level: boolean) => void>();
  /** The wire of a source, joined at first use. */
  const wire = (source: number) => {
    let set = wires.get(source);
    if (set === undefined) {
      const line = new WiredOr();
      aplic.connect(source, line);
      const input = line.input();
      wires.set(source, (set = (level) => input.set(level)));
    }
    return set;
  };
  /** All that is under way arrives. */
  const arrived = (): [number, number][] => {
    clock.runUntil(clock.now + 1000);
    return sent.splice(0);
  };
  return { aplic, clock, harts, machine, supervisor, wire, arrived };
}

/** The same with source 3 of the root domain that leads to hart 0 with priority or identity 5. */
export function rootedBench(delivery: 'direct' | 'msi', mode: number) {
  const all = aplicBench(delivery);
  const { machine } = all;
  machine.enabled = true;
  machine.setDelivery(0, true);
  machine.configure(3, mode);
  machine.setTarget(3, 0, 5);
  return { ...all, set: all.wire(3), pending: () => machine.isPending(3) };
}
