import { describe, expect, it } from 'vitest';
import { MsiCapability } from './capabilities/msi.js';
import type { PciFunction } from './function.js';
import { RootPort } from './port.js';
import * as R from './registers.js';
import type { SlotOptions } from './slot.js';
import { FakeFunction, FakeHost } from './testing/index.js';

const BUTTON = 1 << 0;
const PRESENCE = 1 << 3;
const COMPLETED = 1 << 4;
const PRESENT = 1 << 6;
const LINK_CHANGED = 1 << 8;
const INTERRUPT_ENABLE = 1 << 5;
const POWER_OFF = 1 << 10;
const LINK_ENABLE = 1 << 12;
const LINK_ACTIVE = 1 << 13;

/** The hot-plug driver of a slot: registers only. */
class SlotDriver {
  readonly host = new FakeHost();
  readonly port: RootPort;
  readonly at: number;

  constructor(options: Partial<SlotOptions> = {}, card?: PciFunction) {
    this.port = new RootPort({ slot: { number: 5, ...options } });
    if (card !== undefined) this.port.plug(card);
    this.host.root.plug(this.port);
    this.host.enumerate();
    this.host.enable(this.port);
    this.at = this.port.express.offset;
  }

  get slot() {
    return this.port.slot!;
  }

  get status(): number {
    return this.host.configRead(this.port, this.at + 0x1a, 2);
  }

  get linkActive(): boolean {
    return (this.host.configRead(this.port, this.at + 0x12, 2) & LINK_ACTIVE) !== 0;
  }

  control(value: number): void {
    this.host.configWrite(this.port, this.at + 0x18, 2, value);
  }

  acknowledge(bits = 0xffff): void {
    this.host.configWrite(this.port, this.at + 0x1a, 2, bits);
  }
}

describe('slot registers', () => {
  it('PCIe 7.5.3.2 and 7.5.3.9: a port with a slot says so, with its number and what the slot has', () => {
    const { host, port, at } = new SlotDriver();
    expect(host.configRead(port, at + 2, 2)).toBe(0x0142);
    expect(host.configRead(port, at + 0x14, 4)).toBe((5 << 19) | 0x7b);
  });

  it('PCIe 7.5.3.9: without hot-plug the slot has its number only, and a card in it', () => {
    const driver = new SlotDriver({ hotPlug: false }, new FakeFunction());
    expect(driver.host.configRead(driver.port, driver.at + 0x14, 4)).toBe(5 << 19);
    driver.control(0xffff);
    driver.acknowledge();
    expect(driver.status).toBe(PRESENT);
    expect(driver.linkActive).toBe(true);
    expect(() => driver.slot.remove()).toThrow(/has no hot-plug/);
  });

  it('PCIe 7.5.3.11: a card present from the start is shown, and is no event', () => {
    const full = new SlotDriver({}, new FakeFunction());
    const empty = new SlotDriver();
    expect([full.status, full.linkActive, full.slot.powered]).toEqual([PRESENT, true, true]);
    expect([empty.status, empty.linkActive, empty.slot.powered]).toEqual([0, false, false]);
  });

  it('PCIe 6.7.3.2: every write of slot control completes a command', () => {
    const driver = new SlotDriver();
    driver.control(0x7c0);
    expect(driver.status).toBe(COMPLETED);
    driver.acknowledge(COMPLETED);
    expect(driver.status).toBe(0);
  });
});

describe('a card comes', () => {
  it('PCIe 6.7: into a slot without power: presence changes; with the power the link comes up, and the card answers', () => {
    const driver = new SlotDriver();
    const card = new FakeFunction();
    driver.slot.insert(card);
    expect([driver.status, driver.linkActive]).toEqual([PRESENT | PRESENCE, false]);
    expect(driver.host.configRead(card, 0, 4)).toBe(0xffff_ffff);
    driver.acknowledge();
    driver.control(0);
    expect([driver.status, driver.linkActive]).toEqual([PRESENT | COMPLETED | LINK_CHANGED, true]);
    expect(driver.host.configRead(card, 0, 4)).toBe(0x0005_1b36);
    expect(card.told).toEqual(['attached at 0 ns', 'reset: power-on']);
  });

  it('PCIe 6.7: into a slot with power: presence and link change at once', () => {
    const driver = new SlotDriver({ powerController: false });
    const card = new FakeFunction();
    driver.slot.insert(card);
    expect([driver.status, driver.linkActive]).toEqual([PRESENT | PRESENCE | LINK_CHANGED, true]);
    expect(driver.host.configRead(card, 0, 4)).toBe(0x0005_1b36);
  });

  it('a card of several functions comes as one', () => {
    const driver = new SlotDriver({ powerController: false });
    driver.slot.insert(new FakeFunction(), new FakeFunction({ device: 6 }));
    expect(driver.host.root.configRead(1, 1, 0, 4)).toBe(0x0006_1b36);
    expect(driver.host.root.configRead(1, 0, R.HEADER_TYPE, 1)).toBe(0x80);
    expect(() => driver.slot.insert(new FakeFunction())).toThrow(/holds a card already/);
  });

  it('PCIe 6.7.3.4: the port interrupts by INTx while an enabled event is pending', () => {
    const driver = new SlotDriver();
    driver.slot.insert(new FakeFunction());
    expect(driver.host.lines).toEqual([false, false, false, false]);
    driver.control(INTERRUPT_ENABLE | PRESENCE | POWER_OFF);
    expect(driver.host.lines).toEqual([false, true, false, false]);
    driver.acknowledge(PRESENCE);
    expect(driver.host.lines).toEqual([false, false, false, false]);
  });

  it('PCIe 6.7.3.4: by MSI one message is sent when the first enabled event comes', () => {
    const driver = new SlotDriver({ powerController: false });
    const msi = driver.port.capability(MsiCapability)!;
    driver.host.configWrite(driver.port, msi.offset + 4, 4, 0x2800_0000);
    driver.host.configWrite(driver.port, msi.offset + 2, 2, 1);
    driver.control(INTERRUPT_ENABLE | PRESENCE | LINK_ENABLE);
    driver.acknowledge();
    driver.slot.insert(new FakeFunction());
    driver.host.run();
    expect(driver.host.messages).toHaveLength(1);
    driver.acknowledge();
    driver.slot.remove();
    driver.host.run();
    expect(driver.host.messages).toHaveLength(2);
  });
});

describe('a card goes', () => {
  it('PCIe 6.7.1.5: the button is pressed, software cuts the power, the card leaves', () => {
    const card = new FakeFunction();
    const driver = new SlotDriver({}, card);
    const removed: (readonly PciFunction[])[] = [];
    driver.slot.onRemoved = (functions) => removed.push(functions);
    driver.slot.requestRemoval();
    expect([driver.status, driver.slot.removing]).toEqual([PRESENT | BUTTON, true]);
    expect(driver.host.configRead(card, 0, 4)).toBe(0x0005_1b36);
    driver.acknowledge();
    driver.control(POWER_OFF);
    expect(driver.status).toBe(PRESENCE | LINK_CHANGED | COMPLETED);
    expect([driver.slot.present, driver.slot.removing, driver.linkActive]).toEqual([false, false, false]);
    expect(removed).toEqual([[card]]);
    expect(card.told.slice(-2)).toEqual(['reset: bus', 'detached']);
    expect(() => driver.slot.requestRemoval()).toThrow(/holds no card/);
  });

  it('power cut without a removal asked for: the card is reset, stays, and comes back with the power', () => {
    const card = new FakeFunction();
    const driver = new SlotDriver({}, card);
    driver.control(POWER_OFF);
    expect([driver.slot.present, driver.linkActive]).toEqual([true, false]);
    expect(driver.host.configRead(card, 0, 4)).toBe(0xffff_ffff);
    driver.control(0);
    expect(driver.linkActive).toBe(true);
    expect(driver.host.configRead(card, R.BAR0, 4)).toBe(0);
  });

  it('PCIe 6.7.2.6 surprise removal: the card is gone at once, with its memory and its interrupt', () => {
    const card = new FakeFunction();
    const driver = new SlotDriver({}, card);
    const { host } = driver;
    host.enable(card);
    const at = host.barAddress(card, 0);
    card.interrupt.set(true);
    expect(host.load(at)).toBe(0);
    driver.slot.remove();
    expect(host.load(at)).toBe(0xffff_ffff);
    expect(host.lines).toEqual([false, false, false, false]);
    expect(driver.status).toBe(PRESENCE | LINK_CHANGED);
    driver.slot.insert(card);
    expect(card.name).toBe('fake-0');
    expect(host.configRead(card, R.BAR0, 4)).toBe(0);
  });

  it('a card that signals while it is out of its slot sends nothing, and sends again when it is back', () => {
    const card = new FakeFunction();
    const msi = card.addCapability(new MsiCapability());
    const driver = new SlotDriver({ powerController: false }, card);
    const enable = (): void => {
      driver.host.enumerate();
      driver.host.enable(card);
      driver.host.configWrite(card, msi.offset + 2, 2, 1);
    };
    enable();
    driver.slot.remove();
    card.interrupt.send();
    driver.slot.insert(card);
    enable();
    driver.host.run();
    expect(driver.host.messages).toEqual([]);
    card.interrupt.send();
    driver.host.run();
    expect(driver.host.messages).toHaveLength(1);
  });

  it('PCIe 7.5.3.7: link disable takes the card away until it is cleared', () => {
    const card = new FakeFunction();
    const driver = new SlotDriver({}, card);
    const { host, port, at } = driver;
    host.configWrite(port, at + 0x10, 2, 0x10);
    expect([driver.linkActive, host.configRead(card, 0, 4)]).toEqual([false, 0xffff_ffff]);
    expect(driver.status).toBe(PRESENT | LINK_CHANGED);
    host.configWrite(port, at + 0x10, 2, 0);
    expect([driver.linkActive, host.configRead(card, 0, 4)]).toEqual([true, 0x0005_1b36]);
  });

  it('a slot number that cannot be is refused', () => {
    expect(() => new RootPort({ slot: { number: 8192 } })).toThrow(/0 to 8191/);
  });
});
