import { registers as P, RootPort } from '@vmloom/pci';
import { FakeHost, RAM_BASE } from '@vmloom/pci/testing';
import { SriovDriver } from '@vmloom/sriov/testing';
import { Igb, type IgbOptions } from '../igb.js';
import * as B from '../register-bits.js';
import * as R from '../register-map.js';
import * as V from '../vf/vf-register-map.js';
import { MailboxDriver } from './mailbox-driver.js';

/** A card below a root port, enumerated, with the hands of both drivers. Vector v of VF n is a message of 16 n + v. */
export class VirtualBench {
  readonly host = new FakeHost({ reserve: 0x10_0000 });
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
