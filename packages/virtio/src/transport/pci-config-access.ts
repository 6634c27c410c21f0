import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import { Capability, registers, type ConfigEffect, type ConfigRegister, type PciFunction } from '@vmloom/pci';
import * as L from '../layout-offsets.js';

const TYPE_PCI_CFG = 5;
const DATA = L.PCI_CAPABILITY_SIZE;

interface Target {
  readonly handler: MmioHandler;
  readonly at: number;
  readonly width: HandlerWidth;
}

/** Reaches the device's registers through configuration space: for firmware that maps no BAR (4.1.4.9). */
export class PciConfigAccess extends Capability {
  readonly id = registers.CAPABILITY_VENDOR;
  readonly name = 'VirtIO: PciCfg';
  readonly size = DATA + 4;

  registers(offset: number): readonly ConfigRegister[] {
    const at = (field: number): number => offset + field;
    const name = this.name;
    return [
      { name: `${name} length`, offset: at(L.PCI_CAPABILITY_LENGTH), size: 1, value: this.size },
      { name: `${name} type`, offset: at(L.PCI_CAPABILITY_TYPE), size: 1, value: TYPE_PCI_CFG },
      { name: `${name} bar`, offset: at(L.PCI_CAPABILITY_BAR), size: 1, write: 0xff },
      { name: `${name} offset`, offset: at(L.PCI_CAPABILITY_BAR_OFFSET), size: 4, write: 0xffff_ffff },
      { name: `${name} count`, offset: at(L.PCI_CAPABILITY_BAR_LENGTH), size: 4, write: 0xffff_ffff },
      {
        name: `${name} data`,
        offset: at(DATA),
        size: 4,
        write: 0xffff_ffff,
        effect: (): ConfigEffect => ({ kind: 'action', name: 'virtio access', run: () => this.#write() }),
      },
    ];
  }

  /** True when a read of configuration space touches the data field, which has to be filled first. */
  covers(offset: number, width: HandlerWidth): boolean {
    const data = this.offset + DATA;
    return offset < data + 4 && offset + width > data;
  }

  /** 4.1.4.9.1: the data field becomes what the selected register reads. */
  fill(fn: PciFunction): void {
    const target = this.#target(fn);
    if (target === undefined) return;
    const value = target.handler.read(target.at, target.width);
    fn.config.set(this.offset + DATA, target.width, value);
  }

  #write(): void {
    const target = this.#target(this.owner);
    if (target === undefined) return;
    target.handler.write(target.at, target.width, this.owner.config.read(this.offset + DATA, target.width));
  }

  /** What the driver selected; undefined when that is no register, or no access that it may make (4.1.4.9.2). */
  #target(fn: PciFunction): Target | undefined {
    const offset = this.read32(L.PCI_CAPABILITY_BAR_OFFSET);
    const width = this.read32(L.PCI_CAPABILITY_BAR_LENGTH);
    if ((width !== 1 && width !== 2 && width !== 4) || offset % width !== 0) return undefined;
    const index = fn.config.read(this.offset + L.PCI_CAPABILITY_BAR, 1);
    for (const [number, bar] of fn.bars()) {
      if (number !== index) continue;
      const region = bar.regions.find(
        (one) => offset >= one.offset && offset + width <= one.offset + one.size,
      );
      // Registers of MSI-X are not among those that this capability reaches.
      if (region === undefined || region.name.startsWith('msix')) return undefined;
      return { handler: region.handler, at: offset - region.offset, width };
    }
    return undefined;
  }
}
