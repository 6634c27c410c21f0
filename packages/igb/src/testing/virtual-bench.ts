import type { MmioHandler } from '@vmloom/memory';
import { registers as P, RootPort } from '@vmloom/pci';
import { FakeHost, RAM_BASE } from '@vmloom/pci/testing';
import { SriovDriver } from '@vmloom/sriov/testing';
import { Igb, type IgbOptions } from '../igb.js';
import * as B from '../register-bits.js';
import * as R from '../register-map.js';
import * as V from '../vf/vf-register-map.js';
import { FakeDriver } from './fake-driver.js';
import { MailboxDriver } from './mailbox-driver.js';

const MEBIBYTE = 0x10_0000;

/** A card below a root port, enumerated, with the hands of both drivers. Vector v of VF n is a message of 16 n + v. */
export class VirtualBench {
  /** The physical function's mebibyte is the first of RAM, that of virtual function n number n + 1. */
  readonly host = new FakeHost({ ram: 0x100_0000, reserve: 0x10_0000 });
  readonly port = this.host.root.plug(new RootPort());
  readonly card: Igb;
  readonly sriov: SriovDriver;

  constructor(options: IgbOptions = {}) {
    this.card = this.port.plug(new Igb(options));
    this.host.enumerate();
    this.host.enable(this.card);
    this.sriov = new SriovDriver(this.host, this.card);
  }

  /** Lets virtual functions appear, each with MSI-X and a driver that listens to its mailbox by vector 2. */
  enable(count: number): void {
    this.sriov.enable(count);
    this.write(R.REG_GPIE, B.GPIE_MULTIPLE_MSIX);
    for (let vf = 0; vf < count; vf++) {
      const fn = this.card.functions[vf];
      this.host.enable(fn);
      for (let vector = 0; vector < 3; vector++) {
        this.host.write(fn, 3, 16 * vector, RAM_BASE);
        this.host.write(fn, 3, 16 * vector + 8, 16 * vf + vector);
        this.host.write(fn, 3, 16 * vector + 12, 0);
      }
      this.host.configWrite(fn, this.host.findCapability(fn, P.CAPABILITY_MSIX) + 2, 2, 0x8000);
      this.vfWrite(vf, V.VT_IVAR_MISC, B.IVAR_VALID | 2);
      this.vfWrite(vf, V.VT_EIMS, 7);
      this.vfWrite(vf, V.VT_EIAC, 7);
    }
  }

  read(offset: number): number {
    return this.host.read(this.card, 0, offset);
  }

  write(offset: number, value: number): void {
    this.host.write(this.card, 0, offset, value);
  }

  vfRead(vf: number, offset: number): number {
    return this.host.read(this.card.functions[vf], 0, offset);
  }

  vfWrite(vf: number, offset: number, value: number): void {
    this.host.write(this.card.functions[vf], 0, offset, value);
  }

  /** A driver of one queue, 0, of a virtual function. */
  vfDriver(vf: number): FakeDriver {
    const window = (offset: number): number => {
      if (offset >= R.REG_TDBAL) return offset - R.REG_TDBAL + R.REG_TX_QUEUE_ALIAS;
      return offset >= R.REG_RDBAL ? offset - R.REG_RDBAL + R.REG_RX_QUEUE_ALIAS : offset;
    };
    const registers: MmioHandler = {
      read: (offset) => this.vfRead(vf, window(offset)),
      write: (offset, _width, value) => this.vfWrite(vf, window(offset), value),
    };
    return new FakeDriver(registers, this.host.space, RAM_BASE + (vf + 1) * MEBIBYTE);
  }

  /** A driver of the physical function's queues. */
  pfDriver(): FakeDriver {
    const registers: MmioHandler = {
      read: (offset) => this.read(offset),
      write: (offset, _width, value) => this.write(offset, value),
    };
    return new FakeDriver(registers, this.host.space, RAM_BASE);
  }

  /** Both sides of a mailbox. */
  mailbox(vf: number): { physical: MailboxDriver; virtual: MailboxDriver } {
    return {
      physical: new MailboxDriver(this.host, this.card, 'physical', vf),
      virtual: new MailboxDriver(this.host, this.card, 'virtual', vf),
    };
  }

  /** What has been signalled since the last call, by the data of the messages. */
  messages(time = 0): number[] {
    this.host.run(time);
    return this.host.messages.splice(0).map(({ data }) => data);
  }
}
