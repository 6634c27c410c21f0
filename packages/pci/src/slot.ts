import type { ConfigRegister, RegisterWrite } from './config-space.js';
import type { ConfigEffect, ResetKind } from './effects.js';
import { EXPRESS } from './capabilities/express.js';
import { PciError } from './error.js';
import type { PciFunction } from './function.js';
import type { ExpressPort } from './port.js';

export interface SlotOptions {
  /** What is printed beside the slot: 0 to 8191, unique in the machine. */
  readonly number: number;
  /** Cards come and go while the machine runs. True unless told. */
  readonly hotPlug?: boolean;
  /** Software can cut the power of the slot. True unless told. */
  readonly powerController?: boolean;
}

// Slot capabilities (PCIe 7.5.3.9).
const HAS_BUTTON = 1 << 0;
const HAS_POWER_CONTROLLER = 1 << 1;
const HAS_INDICATORS = (1 << 3) | (1 << 4);
const HOT_PLUG_SURPRISE = 1 << 5;
const HOT_PLUG = 1 << 6;
const NUMBER_SHIFT = 19;

// Slot control (7.5.3.10). Bits 4:0 enable the events of the same bits of slot status.
const EVENT_ENABLES = 0x1f;
const INTERRUPT_ENABLE = 1 << 5;
const ATTENTION_OFF = 3 << 6;
const POWER_INDICATOR_ON = 1 << 8;
const POWER_INDICATOR_OFF = 3 << 8;
const POWER_OFF = 1 << 10;
const LINK_CHANGE_ENABLE = 1 << 12;
const CONTROL_WRITABLE =
  EVENT_ENABLES | INTERRUPT_ENABLE | (3 << 6) | (3 << 8) | POWER_OFF | LINK_CHANGE_ENABLE;

// Slot status (7.5.3.11).
const BUTTON_PRESSED = 1 << 0;
const PRESENCE_CHANGED = 1 << 3;
const COMMAND_COMPLETED = 1 << 4;
const PRESENT = 1 << 6;
const LINK_CHANGED = 1 << 8;
const EVENTS = 0x1f | LINK_CHANGED;

/** The slot of a port: presence, power, attention button, and the interrupt that tells software (PCIe 6.7). */
export class Slot {
  readonly number: number;
  readonly hotPlug: boolean;
  readonly powerController: boolean;
  /** Called with the card when it has left the slot. */
  onRemoved: ((functions: readonly PciFunction[]) => void) | undefined;
  #removing = false;
  #notified = false;

  /** @throws PciError bad-option */
  constructor(
    private readonly port: ExpressPort,
    options: SlotOptions,
  ) {
    const { number } = options;
    if (!Number.isInteger(number) || number < 0 || number > 8191) {
      throw new PciError('bad-option', `a slot has a number from 0 to 8191, not ${number}`);
    }
    this.number = number;
    this.hotPlug = options.hotPlug ?? true;
    this.powerController = options.powerController ?? true;
  }

  get present(): boolean {
    return this.port.secondaryBus.functions.length > 0;
  }

  get powered(): boolean {
    return !this.powerController || (this.#control & POWER_OFF) === 0;
  }

  /** A removal was asked for, and software has not let go of the card yet. */
  get removing(): boolean {
    return this.#removing;
  }

  /**
   * Puts a card (one function, or several that become functions 0, 1, ...) into the slot of a running machine.
   * @throws PciError bad-slot, slot-occupied, and as PciBus.plug
   */
  insert(...functions: readonly PciFunction[]): void {
    this.#needHotPlug();
    if (this.present) throw new PciError('slot-occupied', `slot ${this.number} holds a card already`);
    for (const [index, fn] of functions.entries()) this.port.secondaryBus.plug(fn, { function: index });
    for (const fn of functions) fn.reset('power-on');
    this.#raise(PRESENCE_CHANGED);
    this.linkMayHaveChanged();
  }

  /**
   * Presses the attention button beside a card, as somebody does who wants to take it out: software is told, lets
   * go of the card and cuts the power; then the card leaves. @throws PciError bad-slot, slot-empty
   */
  requestRemoval(): void {
    this.#needHotPlug();
    this.#needCard();
    this.#removing = true;
    this.#raise(BUTTON_PRESSED);
    if (!this.powered) this.#eject();
  }

  /** Presses the attention button, whatever the slot holds. @throws PciError bad-slot */
  pressButton(): void {
    this.#needHotPlug();
    this.#raise(BUTTON_PRESSED);
  }

  /** Pulls the card out at once, without asking software. @throws PciError bad-slot, slot-empty */
  remove(): void {
    this.#needHotPlug();
    this.#needCard();
    this.#eject();
  }

  // What follows belongs to the port.

  registers(offset: number): readonly ConfigRegister[] {
    const capable = this.hotPlug
      ? HAS_BUTTON |
        HAS_INDICATORS |
        HOT_PLUG |
        HOT_PLUG_SURPRISE |
        (this.powerController ? HAS_POWER_CONTROLLER : 0)
      : 0;
    const written = ({ before, after }: RegisterWrite): ConfigEffect => ({
      kind: 'action',
      name: 'slot-control',
      run: () => this.#controlWritten(before, after),
    });
    const acknowledged = (): ConfigEffect => ({
      kind: 'action',
      name: 'slot-status',
      run: () => this.notify(),
    });
    const writable = this.powerController ? CONTROL_WRITABLE : CONTROL_WRITABLE & ~POWER_OFF;
    return [
      {
        name: 'slot capabilities',
        offset: offset + EXPRESS.slotCapabilities,
        size: 4,
        value: (capable | (this.number << NUMBER_SHIFT)) >>> 0,
      },
      {
        name: 'slot control',
        offset: offset + EXPRESS.slotControl,
        size: 2,
        value: ATTENTION_OFF | POWER_INDICATOR_OFF,
        write: this.hotPlug ? writable : 0,
        ...(this.hotPlug && { effect: written }),
      },
      {
        name: 'slot status',
        offset: offset + EXPRESS.slotStatus,
        size: 2,
        clear: this.hotPlug ? EVENTS : 0,
        live: PRESENT,
        effect: acknowledged,
      },
    ];
  }

  /** After a reset of the port: a slot with a card has power, an empty one has not. */
  reset(kind: ResetKind): void {
    const { present } = this;
    if (kind === 'power-on') this.#removing = false;
    const power = this.powerController && this.hotPlug && !present ? POWER_OFF : 0;
    this.#setControl(ATTENTION_OFF | (present ? POWER_INDICATOR_ON : POWER_INDICATOR_OFF) | power);
    this.#notified = false;
    this.showPresence();
  }

  /** Shows in the registers whether a card is there, without telling anybody. */
  showPresence(): void {
    const at = this.#at(EXPRESS.slotStatus);
    if (this.present) this.port.config.setBits(at, PRESENT);
    else this.port.config.clearBits(at, PRESENT);
  }

  linkMayHaveChanged(): void {
    if (this.port.updateLink()) this.#raise(LINK_CHANGED);
  }

  /** Brings the port's interrupt in line with the status bits: a level, or one message when it rises (6.7.3.4). */
  notify(): void {
    const control = this.#control;
    const status = this.port.config.read(this.#at(EXPRESS.slotStatus), 2);
    const enabled = (control & EVENT_ENABLES) | ((control & LINK_CHANGE_ENABLE) !== 0 ? LINK_CHANGED : 0);
    const wanted = (control & INTERRUPT_ENABLE) !== 0 && (status & enabled) !== 0;
    const rises = wanted && !this.#notified;
    this.#notified = wanted;
    this.port.interrupt.set(wanted);
    if (rises) this.port.interrupt.send(0);
  }

  save(): { removing: boolean; notified: boolean } {
    return { removing: this.#removing, notified: this.#notified };
  }

  restore(saved: { removing: boolean; notified: boolean }): void {
    this.#removing = saved.removing;
    this.#notified = saved.notified;
  }

  #controlWritten(before: number, after: number): void {
    if (((before ^ after) & POWER_OFF) !== 0) {
      this.linkMayHaveChanged();
      if (!this.powered && this.#removing) this.#eject();
    }
    this.#raise(COMMAND_COMPLETED);
  }

  #eject(): void {
    this.#removing = false;
    const { secondaryBus } = this.port;
    const card = secondaryBus.plugged;
    for (const fn of card) secondaryBus.unplug(fn);
    this.#raise(PRESENCE_CHANGED);
    this.linkMayHaveChanged();
    this.onRemoved?.(card);
  }

  #raise(event: number): void {
    this.showPresence();
    this.port.config.setBits(this.#at(EXPRESS.slotStatus), event);
    this.notify();
  }

  get #control(): number {
    return this.port.config.read(this.#at(EXPRESS.slotControl), 2);
  }

  #setControl(value: number): void {
    this.port.config.set(this.#at(EXPRESS.slotControl), 2, value);
  }

  #at(register: number): number {
    return this.port.express.offset + register;
  }

  #needHotPlug(): void {
    if (!this.hotPlug)
      throw new PciError('bad-slot', `slot ${this.number} has no hot-plug: its card is there for good`);
  }

  #needCard(): void {
    if (!this.present) throw new PciError('slot-empty', `slot ${this.number} holds no card`);
  }
}
