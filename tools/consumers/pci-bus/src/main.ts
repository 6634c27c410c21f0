/**
 * A PCI Express fabric without a hart. The program itself is firmware and driver: it finds a function behind a root
 * port through the configuration window, places its BAR, and takes its interrupts by wire and by message.
 */
import { Clock } from '@vmloom/device';
import { AddressSpace, HostMemory, physical, type MmioHandler } from '@vmloom/memory';
import { MsixCapability, PciFunction, RootComplex, RootPort, registers as R } from '@vmloom/pci';

/** Rings when its register is written; reading the register says how often, and silences it. */
class Bell extends PciFunction {
  #rings = 0;

  constructor() {
    super({ vendor: 0x1b36, device: 0x00be, classCode: 0x00_ff_00, model: 'bell' });
    const handler: MmioHandler = {
      read: () => {
        this.interrupt.set(false);
        return this.#rings;
      },
      write: () => {
        this.#rings++;
        if (!this.interrupt.send(0)) this.interrupt.set(true);
      },
    };
    this.addBar(0, {
      kind: 'memory',
      size: 0x4000,
      regions: [{ name: 'bell', size: 4, widths: [4], handler }],
    });
    this.addCapability(new MsixCapability({ vectors: 1, bar: 0, tableOffset: 0x2000 }));
  }

  protected override onReset(): void {
    this.#rings = 0;
  }
}

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${what}`);
}

const RAM = 0x8000_0000;
const MAILBOX = RAM + 0x100;
const BAR = 0x4010_0000;

const clock = new Clock();
const memory = new HostMemory({ ram: 0x1_0000 });
const space = new AddressSpace(memory);
space.mapRam({ name: 'ram', base: RAM, size: memory.ramSize, offset: memory.ramOffset });
const root = new RootComplex({ space, clock });
const port = root.plug(new RootPort(), { slot: 2 });
port.secondaryBus.plug(new Bell());

const at = (bus: number, slot: number, offset: number) =>
  physical(root.ecam.base + bus * 0x10_0000 + slot * 0x8000 + offset);
const read = (bus: number, slot: number, offset: number, width: 1 | 2 | 4) =>
  space.load(at(bus, slot, offset), width);
const write = (bus: number, slot: number, offset: number, width: 1 | 2 | 4, value: number) =>
  void space.store(at(bus, slot, offset), width, value);

check('an empty slot reads as ones', read(0, 9, R.VENDOR_ID, 2) === 0xffff);
check('no bus is behind the port before it has a number', read(1, 0, R.VENDOR_ID, 2) === 0xffff);
write(0, 2, R.PRIMARY_BUS, 1, 0);
write(0, 2, R.SECONDARY_BUS, 1, 1);
write(0, 2, R.SUBORDINATE_BUS, 1, 1);
write(0, 2, R.MEMORY_BASE, 2, BAR >>> 16);
write(0, 2, R.MEMORY_LIMIT, 2, BAR >>> 16);
check('the bell answers behind the port', read(1, 0, R.DEVICE_ID, 2) === 0x00be);

write(1, 0, R.BAR0, 4, 0xffff_ffff);
check('BAR 0 asks for 16 KiB', read(1, 0, R.BAR0, 4) === 0xffff_c000);
write(1, 0, R.BAR0, 4, BAR);
check('nothing answers before memory is enabled', space.load(physical(BAR), 4) !== 0);
for (const [bus, slot] of [
  [0, 2],
  [1, 0],
] as const) {
  write(bus, slot, R.COMMAND, 2, R.COMMAND_MEMORY | R.COMMAND_BUS_MASTER);
}
check('the register answers', space.load(physical(BAR), 4) === 0);

const wires = () => root.intx.map((line) => (line.level ? 1 : 0)).join('');
space.store(physical(BAR), 4, 1);
clock.runUntil(1000);
check('one of the four wires is up', wires().replaceAll('0', '') === '1');
check('it rang once', space.load(physical(BAR), 4) === 1);
check('reading silences it', wires() === '0000');

let capability = read(1, 0, R.CAPABILITIES_POINTER, 1);
while (capability !== 0 && read(1, 0, capability, 1) !== R.CAPABILITY_MSIX)
  capability = read(1, 0, capability + 1, 1);
check('the capability list leads to MSI-X', capability !== 0);
const vector = BAR + 0x2000;
[MAILBOX, 0, 0x5eed, 0].forEach((word, index) => space.store(physical(vector + index * 4), 4, word));
write(1, 0, capability + 2, 2, 0x8000);
space.store(physical(BAR), 4, 1);
check('a register write never delivers', space.load(physical(MAILBOX), 4) === 0);
clock.runUntil(2000);
check('the message arrives in memory', space.load(physical(MAILBOX), 4) === 0x5eed);
check('and the wires stay down', wires() === '0000');
console.log('ok');
