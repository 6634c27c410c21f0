import { Clock, Ledger } from '@vmloom/device';
import { AddressSpace, HostMemory, physical } from '@vmloom/memory';
import { registers as pci, RootComplex } from '@vmloom/pci';
import { Igb } from '../src/index.js';
import type { Access, ScriptedCard } from './register-script.js';

const DEVFN = 1 << 3;

/** The model on a root complex; it has no wire, so no link comes up. */
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
    this.#space.mapRam({ name: 'ram', base: 0x8000_0000, size, offset });
    this.#root.plug(new Igb({ mac: '52:54:00:12:34:56' }), { slot: 1 });
  }

  async run(script: readonly Access[]): Promise<number[]> {
    const values: number[] = [];
    for (const access of script) {
      const value = this.#access(access);
      if (value !== undefined) values.push(value >>> 0);
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
    const base = this.#root.configRead(0, DEVFN, pci.BAR0, 4) & ~15;
    const address = physical(base + offset);
    if (value === undefined) return this.#space.load(address, 4);
    this.#space.store(address, 4, value);
    return undefined;
  }
}
