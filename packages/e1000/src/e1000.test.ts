import { Clock, Ledger } from '@vmloom/device';
import { AddressSpace, HostMemory, physical, type MmioHandler } from '@vmloom/memory';
import { registers as pci, RootComplex } from '@vmloom/pci';
import { describe, expect, it } from 'vitest';
import { E1000, type E1000Options } from './e1000.js';
import * as R from './register-map.js';
import { ethernetFrame, FakeDriver, RAM_BASE, TestPort } from './testing/index.js';

const BAR0 = 0x4000_0000;
const IO_PORT = 0x1000;
const IO_WINDOW = 0x0300_0000;

/** The card in slot 1 of a root complex, its BARs placed as a firmware does, and a driver behind the bus. */
class Slot {
  readonly clock = new Clock();
  readonly ledger = new Ledger();
  readonly memory = new HostMemory({ ram: 2 * 1024 * 1024 });
  readonly space = new AddressSpace(this.memory);
  readonly port = new TestPort();
  readonly root: RootComplex;
  readonly nic: E1000;
  readonly driver: FakeDriver;
  readonly messages: number[] = [];

  constructor(options: E1000Options = {}) {
    const { clock, ledger, space } = this;
    space.mapRam({ name: 'ram', base: RAM_BASE, size: this.memory.ramSize, offset: this.memory.ramOffset });
    const messages = {
      send: (_r: number, _l: number, _h: number, data: number) => this.messages.push(data) > 0,
    };
    this.root = new RootComplex({ space, clock, ledger, messages });
    this.nic = new E1000({ port: this.port, ...options });
    this.root.plug(this.nic, { slot: 1 });
    this.configure(pci.BAR0, BAR0);
    this.configure(pci.BAR0 + 4, IO_PORT);
    this.configure(pci.COMMAND, pci.COMMAND_IO | pci.COMMAND_MEMORY | pci.COMMAND_BUS_MASTER, 2);
    const registers: MmioHandler = {
      read: (offset, width) => space.load(physical(BAR0 + offset), width),
      write: (offset, width, value) => void space.store(physical(BAR0 + offset), width, value),
    };
    this.driver = new FakeDriver(registers, space, RAM_BASE);
  }

  configure(offset: number, value: number, width: 2 | 4 = 4): void {
    this.root.configWrite(0, 1 << 3, offset, width, value);
  }

  config(offset: number, width: 1 | 2 | 4 = 4): number {
    return this.root.configRead(0, 1 << 3, offset, width);
  }

  run(time: number): void {
    this.clock.runUntil(this.clock.now + time);
  }

  start(): void {
    this.run(20_000_000);
    this.driver.start();
    this.run(1_000_000);
  }
}

describe('the card on its bus', () => {
  it('8254x 4.1: identifies itself as 8086:100e, an Ethernet controller, INTA', () => {
    const slot = new Slot();
    expect(slot.config(pci.VENDOR_ID)).toBe(0x100e_8086);
    expect(slot.config(pci.REVISION_ID) >>> 8).toBe(0x02_00_00);
    expect(slot.config(pci.SUBSYSTEM_VENDOR_ID)).toBe(0x001e_8086);
    expect(slot.config(pci.INTERRUPT_PIN, 1)).toBe(1);
  });

  it('8254x 4.1: BAR 0 is 128 KiB of memory, BAR 1 is 64 bytes of I/O, there is no flash BAR', () => {
    const slot = new Slot();
    for (let index = 0; index < 6; index++) slot.configure(pci.BAR0 + 4 * index, 0xffff_ffff);
    const sizes = [0, 1, 2, 3, 4, 5].map((index) => slot.config(pci.BAR0 + 4 * index));
    expect(sizes).toEqual([0xfffe_0000, 0xffff_ffc1, 0, 0, 0, 0]);
  });

  it('8254x 13.3: IOADDR and IODATA reach the registers, and reset the controller', () => {
    const slot = new Slot();
    const port = (offset: number): ReturnType<typeof physical> => physical(IO_WINDOW + IO_PORT + offset);
    slot.space.store(port(0), 4, R.REG_FCTTV);
    slot.space.store(port(4), 4, 0x1234);
    expect(slot.driver.read(R.REG_FCTTV)).toBe(0x1234);
    expect(slot.space.load(port(4), 4)).toBe(0x1234);
    expect(slot.space.load(port(0), 4)).toBe(R.REG_FCTTV);
    slot.space.store(port(0), 4, R.REG_CTRL);
    slot.space.store(port(4), 4, R.CTRL_RST);
    expect(slot.driver.read(R.REG_FCTTV)).toBe(0);
  });

  it('sends and receives through the bus, with DMA by its function', () => {
    const slot = new Slot();
    slot.start();
    const frame = ethernetFrame({ length: 128 });
    slot.driver.send(frame);
    slot.run(10_000);
    expect(slot.port.sent).toEqual([frame]);
    slot.port.deliver(frame);
    expect(slot.driver.poll()?.bytes).toEqual(frame);
  });

  it('8254x 2.8: interrupts by INTA, rotated by its slot, until ICR is read', () => {
    const slot = new Slot();
    slot.start();
    slot.driver.write(R.REG_IMS, R.ICR_RXT0);
    slot.port.deliver(ethernetFrame());
    expect(slot.root.intx.map((line) => line.level)).toEqual([false, true, false, false]);
    expect(slot.driver.read(R.REG_ICR)).toBe(R.ICR_RXT0);
    expect(slot.root.intx.map((line) => line.level)).toEqual([false, false, false, false]);
  });

  it('PCI 6.8: with MSI enabled an interrupt is a message and INTA stays silent', () => {
    const slot = new Slot();
    slot.start();
    const msi = 0xf0;
    expect(slot.config(msi, 1)).toBe(pci.CAPABILITY_MSI);
    slot.configure(msi + 4, 0xfee0_0000);
    slot.configure(msi + 12, 0x41, 2);
    slot.configure(msi + 2, 1, 2);
    slot.driver.write(R.REG_IMS, R.ICR_RXT0);
    slot.port.deliver(ethernetFrame());
    slot.run(1000);
    expect(slot.messages).toEqual([0x41]);
    expect(slot.root.intx.some((line) => line.level)).toBe(false);
  });

  it('PCI 6.8: a restored interrupt is not sent a second time', () => {
    const slot = new Slot();
    slot.start();
    slot.configure(0xf0 + 4, 0xfee0_0000);
    slot.configure(0xf0 + 2, 1, 2);
    slot.driver.write(R.REG_IMS, R.ICR_RXT0);
    slot.port.deliver(ethernetFrame());
    slot.run(1000);
    const saved = slot.nic.save();
    slot.nic.reset();
    slot.nic.restore(saved);
    slot.run(1000);
    expect(slot.messages.length).toBe(1);
    expect(slot.driver.read(R.REG_ICR)).toBe(R.ICR_RXT0);
  });

  it('PCI 6.2.3: DMA to where nothing answers sets Received Master Abort and sends nothing', () => {
    const slot = new Slot();
    slot.start();
    slot.driver.queueLegacy(0x10, 64, R.TXD_EOP | R.TXD_IFCS | R.TXD_RS);
    slot.driver.ringTransmit();
    slot.run(10_000);
    expect(slot.port.sent).toEqual([]);
    expect(slot.config(pci.STATUS, 2) & pci.STATUS_RECEIVED_MASTER_ABORT).not.toBe(0);
  });

  it('PCI 6.2.2: with Bus Master off no descriptor is fetched', () => {
    const slot = new Slot();
    slot.start();
    slot.configure(pci.COMMAND, pci.COMMAND_MEMORY, 2);
    slot.driver.send(ethernetFrame());
    slot.run(10_000);
    expect(slot.port.sent).toEqual([]);
    expect(slot.driver.read(R.REG_TDH)).toBe(0);
  });

  it('8254x 8.6.5.2: pulling the cable takes the link down and raises LSC', () => {
    const slot = new Slot();
    slot.start();
    slot.driver.write(R.REG_IMS, R.ICR_LSC);
    slot.nic.link = false;
    expect(slot.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(0);
    slot.run(1000);
    expect(slot.driver.read(R.REG_ICR)).toBe(R.ICR_LSC);
    slot.nic.link = true;
    slot.run(20_000_000);
    expect(slot.driver.read(R.REG_STATUS) & R.STATUS_LU).toBe(R.STATUS_LU);
  });

  it('8254x 6: the way from D3hot to D0 resets the controller; in D3hot its registers do not answer', () => {
    const slot = new Slot();
    slot.start();
    slot.driver.write(R.REG_FCTTV, 0x77);
    slot.configure(0xdc + 4, 3, 2);
    expect(slot.driver.read(R.REG_FCTTV)).not.toBe(0x77);
    slot.configure(0xdc + 4, 0, 2);
    slot.configure(pci.BAR0, BAR0);
    slot.configure(pci.COMMAND, pci.COMMAND_MEMORY | pci.COMMAND_BUS_MASTER, 2);
    expect(slot.driver.read(R.REG_FCTTV)).toBe(0);
    expect(slot.driver.read(R.REG_VET)).toBe(0x8100);
  });

  it('refuses a station address that is none', () => {
    expect(() => new E1000({ mac: '01:00:5e:00:00:01' })).toThrowError(/group address/);
    expect(() => new E1000({ mac: '52:54:00:12:34' })).toThrowError(/52:54:00:12:34/);
  });

  it('keeps its EEPROM and its reserve over unplugging', () => {
    const slot = new Slot({ mac: '02:11:22:33:44:55' });
    slot.root.rootBus.unplug(slot.nic);
    expect(slot.nic.controller).toBeUndefined();
    slot.root.plug(slot.nic, { slot: 1 });
    expect(slot.nic.controller!.read(R.REG_RAL0, 4)).toBe(0x3322_1102);
  });

  it('saves and restores, configuration space included', () => {
    const slot = new Slot();
    slot.start();
    slot.driver.write(R.REG_FCTTV, 0x55);
    const saved = slot.nic.save();
    slot.nic.reset();
    expect(slot.nic.controller!.read(R.REG_FCTTV, 4)).toBe(0);
    slot.nic.restore(saved);
    expect(slot.driver.read(R.REG_FCTTV)).toBe(0x55);
  });
});
