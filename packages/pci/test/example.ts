import { DMA_OK } from '@vmloom/device';
import { MsiCapability, PciFunction, type FunctionContext, type ResetKind } from '../src/index.js';
import { FakeHost, RAM_BASE } from '../src/testing/index.js';

const ADDRESS = 0x00; // of a word in memory
const ADD = 0x04; // writing a number adds it to the word
const ACKNOWLEDGE = 0x08;

/** Adds numbers to a word in memory, and interrupts when it is done. */
export class Adder extends PciFunction {
  #address = 0;

  constructor() {
    super({ vendor: 0x1b36, device: 0x00ad, classCode: 0x12_00_00, model: 'adder' });
    this.addBar(0, {
      kind: 'memory',
      size: 0x1000,
      regions: [
        {
          name: 'registers',
          size: 12,
          widths: [4],
          handler: {
            read: () => this.#address,
            write: (offset, _width, value) => this.#write(offset, value),
          },
        },
      ],
    });
    this.addCapability(new MsiCapability());
  }

  protected override attached({ ledger }: FunctionContext): void {
    ledger.counter(this.name, 'plugged').value++;
  }

  protected override onReset(_kind: ResetKind): void {
    this.#address = 0;
  }

  // A register write never delivers: DMA waits for the next event.
  #write(offset: number, value: number): void {
    if (offset === ADDRESS) this.#address = value;
    else if (offset === ADD) this.context?.clock.after(this, 'add', 500, { value });
    else if (offset === ACKNOWLEDGE) this.interrupt.set(false);
  }

  onEvent(_kind: string, { value }: { value?: number }): void {
    const word = new Uint32Array(1);
    const bytes = new Uint8Array(word.buffer);
    if (this.dma.read(this.#address, 0, bytes) !== DMA_OK) return;
    word[0] += value ?? 0;
    this.dma.write(this.#address, 0, bytes);
    if (!this.interrupt.send(0)) this.interrupt.set(true);
  }
}

export function run(): { sum: number; interrupt: boolean } {
  const host = new FakeHost();
  const adder = host.install(new Adder()); // plugged in, enumerated, enabled
  host.store(RAM_BASE, 40);
  host.write(adder, 0, ADDRESS, RAM_BASE);
  host.write(adder, 0, ADD, 2);
  host.run(1000); // nanoseconds
  return { sum: host.load(RAM_BASE), interrupt: host.lines.includes(true) };
}
