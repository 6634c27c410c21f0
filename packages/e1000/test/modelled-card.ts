import { Clock, Ledger } from '@vmloom/device';
import { AddressSpace, HostMemory, physical } from '@vmloom/memory';
import { registers as pci, RootComplex } from '@vmloom/pci';
import { E1000 } from '../src/index.js';
import { RAM, type Access, type ScriptedCard } from './register-script.js';

const DEVFN = 1 << 3;
/** Nanoseconds that an access takes: a short frame is on its way for less. */
const ACCESS_TIME = 1_000;

/** The model on a root complex; it has no wire, so no link comes up while the clock goes on. */
export class ModelledCard implements ScriptedCard {
  readonly #clock = new Clock();
  readonly #memory = new HostMemory({ ram: 2 * 1024 * 1024 });
  readonly #space = new AddressSpace(this.#memory);
  readonly #root = new RootComplex({
    space: this.#space,
    clock: this.#clock,
    ledger: new Ledger(),
    messages: { send: () => true },
  });

  constructor() {
    const { ramSize: size, ramOffset: offset } = this.#memory;
    this.#space.mapRam({ name: 'ram', base: RAM, size, offset });
    this.#root.plug(new E1000({ mac: '52:54:00:12:34:56' }), { slot: 1 });
  }

  async run(script: readonly Access[]): Promise<number[]> {
    const values: number[] = [];
    for (const access of script) {
      const value = this.#access(access);
      if (value !== undefined) values.push(value >>> 0);
      this.#clock.runUntil(this.#clock.now + ACCESS_TIME);
    }
    return values;
  }

  async close(): Promise<void> {}

  #access({ space, offset, value }: Access): number | undefined {
    if (space === 'config') {
      if (value === undefined) return this.#root.configRead(0, DEVFN, offset, 4);
      this.#root.configWrite(0, DEVFN, offset, 4, value);
      return undefined;
    }
    const base = space === 'memory' ? RAM : this.#root.configRead(0, DEVFN, pci.BAR0, 4) & ~15;
    const address = physical(base + offset);
    if (value === undefined) return this.#space.load(address, 4);
    if (!this.#space.store(address, 4, value)) throw new Error(`a write to ${address} is refused`);
    return undefined;
  }
}
