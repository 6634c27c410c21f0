import {
  expectSnapshot,
  type Clock,
  type Counter,
  type Device,
  type DmaPort,
  type EventOwner,
  type InterruptLine,
  type Ledger,
  type Snapshot,
} from '@vmloom/device';
import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import type { Frame, Port, PortOwner } from '@vmloom/net';
import { createCore, type Core } from './core.js';
import { Eeprom } from './eeprom.js';
import { FlowControl } from './flow-control.js';
import { Interrupts } from './interrupts.js';
import { CORE_STATE_PACKET_BUFFER } from './layout-offsets.js';
import { Phy, PHY_ADDRESS } from './phy.js';
import { Receiver } from './receiver.js';
import * as R from './register-map.js';
import { RegisterFile } from './register-file.js';
import { StateBlock } from './state-block.js';
import { Transmitter } from './transmitter.js';

export interface E1000MacOptions {
  /** Unique on the clock. */
  readonly name: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly dma: DmaPort;
  readonly line: InterruptLine;
  /** The words of the EEPROM (`eepromImage`); the station address is among them. Written by the guest. */
  readonly eeprom: Uint16Array;
  /** State in the reserve of the port's memory, cleared here. Taken anew unless given. */
  readonly state?: StateBlock;
  /** The wire; without one there is no carrier. */
  readonly port?: Port | undefined;
  /** Nanoseconds that autonegotiation takes. 10 ms unless told: the wait of a real one proves nothing here. */
  readonly negotiationTime?: number;
  /** The link partner says that it understands PAUSE frames. True unless told. */
  readonly partnerPauses?: boolean;
}

const SNAPSHOT = { type: 'e1000-mac', version: 1 } as const;
/** Nanoseconds per bit at 10, 100 and 1000 Mb/s. */
const BIT_TIMES = [100, 10, 1] as const;

/**
 * The controller without its bus: registers, EEPROM, PHY, transmitter, receiver, interrupts. Register accesses
 * come in by {@link read} and {@link write}; frames, DMA and interrupts go out by events of the clock only.
 */
export class E1000Mac implements Device, EventOwner, PortOwner, MmioHandler {
  readonly name: string;
  readonly eeprom: Eeprom;
  readonly phy: Phy;
  readonly registers: RegisterFile;
  readonly #clock: Clock;
  readonly #state: StateBlock;
  readonly #core: Core;
  readonly #interrupts: Interrupts;
  readonly #transmitter: Transmitter;
  readonly #receiver: Receiver;
  readonly #flowControl: FlowControl;
  readonly #port: Port | undefined;
  readonly #unheard: Counter;
  #plugged = true;

  constructor(options: E1000MacOptions) {
    const { name, clock, ledger, dma, port } = options;
    const { memory } = dma;
    this.name = name;
    this.#clock = clock;
    this.#port = port;
    this.#unheard = ledger.counter(name, 'rx-drop', 'no link');
    clock.register(this);
    this.#state = options.state ?? new StateBlock(memory);
    this.#state.clear();
    this.registers = new RegisterFile(this.#state.registers, ledger, name);
    this.#core = createCore(dma, this.#state);
    this.#core.initialize(this.#state.base);
    this.eeprom = new Eeprom(this.registers, clock, options.eeprom);
    this.#interrupts = new Interrupts(this.registers, clock, this, ledger, options.line);
    this.phy = new Phy(clock, this, {
      negotiationTime: options.negotiationTime ?? 10_000_000,
      partnerPauses: options.partnerPauses ?? true,
      onLinkChange: () => this.#updateLink(),
      onInterrupt: () => this.#interrupts.post(R.ICR_PHYINT),
    });
    const parts = {
      registers: this.registers,
      state: this.#state,
      core: this.#core,
      clock,
      ledger,
      interrupts: this.#interrupts,
      owner: this,
      memory: memory.bytes,
    };
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- getters of the hosts below read the device
    const mac = this;
    this.#transmitter = new Transmitter({
      ...parts,
      host: {
        get mayTransmit() {
          return mac.#mayTransmit;
        },
        get bitTime() {
          return BIT_TIMES[mac.#speed];
        },
        sendFrame: (frame) => this.#sendFrame(frame),
      },
    });
    this.#receiver = new Receiver({
      ...parts,
      host: {
        paused: (quanta) => this.#transmitter.pause(quanta),
        fifoChanged: () => this.#flowControl.check(),
        ready: () => this.#port?.ready(),
      },
    });
    this.#flowControl = new FlowControl(this.registers, clock, this, {
      get fifoUsed() {
        return mac.#receiver.fifoUsed;
      },
      get mayTransmit() {
        return mac.#mayTransmit;
      },
      sendFrame: (frame) => this.#sendFrame(frame),
    });
    this.#hook();
    port?.attach(this);
    this.#resetRegisters();
    this.phy.carrier = this.#carrier;
  }

  /** The cable, as a person pulls and plugs it. */
  get plugged(): boolean {
    return this.#plugged;
  }

  set plugged(plugged: boolean) {
    this.#plugged = plugged;
    this.phy.carrier = this.#carrier;
  }

  // Registers ---------------------------------------------------------------------------------------------

  /** 13.1: registers are 32 bits wide; a narrower read gets its part of one. */
  read(offset: number, width: HandlerWidth): number {
    const value = this.#read32(offset & ~3);
    if (width === 4) return value;
    return (value >>> ((offset & 3) * 8)) & (width === 1 ? 0xff : 0xffff);
  }

  /** A write narrower than 32 bits is ignored: the manual leaves it undefined. */
  write(offset: number, width: HandlerWidth, value: number): void {
    if (width !== 4 || (offset & 3) !== 0) return;
    if (offset >= R.PACKET_BUFFER_WINDOW) this.#state.set(packetBufferField(offset), value);
    else this.registers.write(offset, value);
  }

  #read32(offset: number): number {
    if (offset >= R.PACKET_BUFFER_WINDOW) return this.#state.get(packetBufferField(offset));
    return this.registers.read(offset);
  }

  // The wire ----------------------------------------------------------------------------------------------

  receive(frame: Frame): boolean {
    // In loopback nothing from outside gets in.
    if (this.#loopback || !this.#linkUp) {
      this.#unheard.value++;
      return true;
    }
    const mayBlock = (this.registers.get(R.REG_CTRL) & R.CTRL_TFCE) !== 0;
    return this.#receiver.receive(frame, mayBlock);
  }

  writable(): void {
    this.#flowControl.writable();
    this.#transmitter.writable();
  }

  linkChanged(): void {
    this.phy.carrier = this.#carrier;
    // What blocked the wire may have gone with it.
    this.writable();
  }

  // Events, reset, snapshot -------------------------------------------------------------------------------

  onEvent(kind: string): void {
    switch (kind) {
      case 'transmit':
        return this.#transmitter.onEvent();
      case 'receive':
        return this.#receiver.onEvent();
      case 'flow-control':
        return this.#flowControl.onEvent();
      case 'phy':
        return this.phy.onEvent();
      default:
        this.#interrupts.onEvent(kind);
    }
  }

  /** Power-on: the PHY starts over too. The EEPROM keeps its words. */
  reset(): void {
    this.#resetRegisters();
    this.phy.reset();
    this.phy.carrier = this.#carrier;
  }

  /** The device leaves its clock. */
  dispose(): void {
    this.#clock.unregister(this);
  }

  save(): Snapshot {
    return {
      ...SNAPSHOT,
      name: this.name,
      plugged: this.#plugged,
      state: this.#state.save(),
      eeprom: this.eeprom.save(),
      phy: this.phy.save(),
      interrupts: this.#interrupts.save(),
      transmitter: this.#transmitter.save(),
      receiver: this.#receiver.save(),
      flowControl: this.#flowControl.save(),
    };
  }

  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    this.#plugged = snapshot['plugged'] as boolean;
    this.#state.restore(snapshot['state'] as unknown as ReturnType<StateBlock['save']>);
    this.eeprom.restore(snapshot['eeprom']);
    this.phy.restore(snapshot['phy']);
    this.#interrupts.restore(snapshot['interrupts']);
    this.#transmitter.restore(snapshot['transmitter']);
    this.#receiver.restore(snapshot['receiver']);
    this.#flowControl.restore(snapshot['flowControl']);
  }

  // Behaviour of single registers ---------------------------------------------------------------------------

  #hook(): void {
    const { registers } = this;
    registers.onWrite(R.REG_CTRL, (value) => this.#control(value));
    registers.onWrite(R.REG_CTRL_EXT, (value) => {
      // 13.4.6: EE_RST reads the EEPROM again, as CTRL.RST does; it clears itself.
      if ((value & R.CTRL_EXT_EE_RST) !== 0) this.#resetRegisters();
    });
    registers.onRead(R.REG_STATUS, () => this.#updateStatus());
    registers.onWrite(R.REG_MDIC, (value) => this.#management(value));
    registers.onWrite(R.REG_TCTL, (value) => {
      registers.set(R.REG_TCTL, registers.get(R.REG_TCTL) & ~R.TCTL_SWXOFF);
      if ((value & R.TCTL_SWXOFF) !== 0) this.#flowControl.requestXoff();
      this.#transmitter.kick();
    });
    registers.onWrite(R.REG_PBA, (value) => {
      const rx = value & 0x7f;
      registers.set(R.REG_PBA, (((64 - rx) & 0x7f) << 16) | rx);
      this.#receiver.resizeFifo();
    });
    registers.onWrite(R.REG_WUC, (value) => {
      // 13.6.1: PME_STATUS is cleared by writing 1.
      if ((value & 4) !== 0) registers.set(R.REG_WUC, registers.get(R.REG_WUC) & ~4);
    });
  }

  #control(value: number): void {
    if ((value & R.CTRL_RST) !== 0) return this.#resetRegisters();
    this.phy.hold((value & R.CTRL_PHY_RST) !== 0);
    this.#updateLink();
    this.#transmitter.kick();
  }

  /** 13.4.7: MDIC. The access is over when the write is. */
  #management(value: number): void {
    const operation = value & R.MDIC_OP_MASK;
    const register = (value >>> 16) & 31;
    const known = ((value >>> 21) & 31) === PHY_ADDRESS;
    let result = (value & ~R.MDIC_ERROR) | R.MDIC_READY;
    if (!known || (operation !== R.MDIC_OP_READ && operation !== R.MDIC_OP_WRITE)) result |= R.MDIC_ERROR;
    else if (operation === R.MDIC_OP_READ) result = (result & ~0xffff) | this.phy.read(register);
    else this.phy.write(register, value & 0xffff);
    this.registers.set(R.REG_MDIC, result);
    if ((value & R.MDIC_INTERRUPT) !== 0) this.#interrupts.post(R.ICR_MDAC);
  }

  /** CTRL.RST: all but the PHY and the EEPROM's words. */
  #resetRegisters(): void {
    const { registers } = this;
    registers.reset();
    this.eeprom.reset();
    const { mac } = this.eeprom;
    registers.set(R.REG_RAL0, mac[0] | (mac[1] << 8) | (mac[2] << 16) | (mac[3] << 24));
    registers.set(R.REG_RAH0, mac[4] | (mac[5] << 8) | R.RAH_AV);
    this.#interrupts.reset();
    this.#transmitter.reset();
    this.#receiver.reset();
    this.#flowControl.reset();
    this.phy.hold(false);
    this.#updateStatus();
  }

  // Link ----------------------------------------------------------------------------------------------------

  get #carrier(): boolean {
    return this.#plugged && this.#port !== undefined && this.#port.up;
  }

  /** 8.6.2.1: software must set SLU before the MAC recognizes the PHY's link. */
  get #linkUp(): boolean {
    return (this.registers.get(R.REG_CTRL) & R.CTRL_SLU) !== 0 && this.phy.link;
  }

  get #loopback(): boolean {
    const mode = this.registers.get(R.REG_RCTL) & R.RCTL_LBM_PHY;
    return mode === R.RCTL_LBM_MAC || this.phy.loopback;
  }

  get #mayTransmit(): boolean {
    return this.#linkUp || this.#loopback;
  }

  get #speed(): 0 | 1 | 2 {
    const control = this.registers.get(R.REG_CTRL);
    if ((control & R.CTRL_FRCSPD) === 0) return this.phy.speed;
    const forced = (control >> R.CTRL_SPEED_SHIFT) & 3;
    return forced >= 2 ? 2 : (forced as 0 | 1);
  }

  #updateStatus(): void {
    const control = this.registers.get(R.REG_CTRL);
    const forced = (control & R.CTRL_FRCDPLX) !== 0;
    const full = forced ? (control & R.CTRL_FD) !== 0 : this.phy.fullDuplex;
    const status =
      (full ? R.STATUS_FD : 0) |
      (this.#linkUp ? R.STATUS_LU : 0) |
      (this.#transmitter.paused ? R.STATUS_TXOFF : 0) |
      (this.#speed << R.STATUS_SPEED_SHIFT) |
      (this.phy.speed << R.STATUS_ASDV_SHIFT);
    this.registers.set(R.REG_STATUS, status);
  }

  #updateLink(): void {
    const before = this.registers.get(R.REG_STATUS) & R.STATUS_LU;
    this.#updateStatus();
    const after = this.registers.get(R.REG_STATUS) & R.STATUS_LU;
    if (before === after) return;
    this.#interrupts.post(R.ICR_LSC);
    this.#transmitter.kick();
  }

  #sendFrame(frame: Frame): boolean {
    if (this.#loopback) {
      this.#receiver.receive(frame, false);
      return true;
    }
    return this.#port === undefined || this.#port.send(frame);
  }
}

const packetBufferField = (offset: number): number =>
  CORE_STATE_PACKET_BUFFER + ((offset - R.PACKET_BUFFER_WINDOW) & (R.PACKET_BUFFER_BYTES - 4));
