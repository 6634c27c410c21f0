import {
  expectSnapshot,
  type Clock,
  type Counter,
  type Device,
  type DmaPort,
  type EventOwner,
  type Ledger,
  type Snapshot,
} from '@vmloom/device';
import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import type { Frame, Port, PortOwner } from '@vmloom/net';
import { createCore, type Core, type CorePort } from './core.js';
import { Eeprom } from './eeprom.js';
import { FlowControl } from './flow-control.js';
import { Interrupts, type InterruptSink } from './interrupts.js';
import { CORE_STATE_CAUSES, CORE_STATE_RX_QUEUES_DONE, CORE_STATE_TX_QUEUES_DONE } from './layout-offsets.js';
import { Phy, PHY_ADDRESS } from './phy.js';
import { Queues } from './queues.js';
import { ReceiveStamp } from './receive-stamp.js';
import { Receiver } from './receiver.js';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { RegisterFile, REGISTER_BYTES } from './register-file.js';
import { StateBlock } from './state-block.js';
import { Targets, type Egress, type Steering } from './steering.js';
import { TimeSync } from './time-sync.js';
import { Timers } from './timers.js';
import { Transmitter, type Sent } from './transmitter.js';
import { WorkCounters } from './work-counters.js';

export interface IgbMacOptions {
  /** Unique on the clock. */
  readonly name: string;
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** The physical function's way to memory. */
  readonly dma: DmaPort;
  readonly sink: InterruptSink;
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

const SNAPSHOT = { type: 'igb-mac', version: 1 } as const;
/** Nanoseconds per bit at 10, 100 and 1000 Mb/s. */
const BIT_TIMES = [100, 10, 1] as const;

/**
 * The controller without its bus: registers, EEPROM, PHY, queues, interrupts, clocks. Register accesses come in by
 * {@link read} and {@link write}; frames, DMA and interrupts go out by events of the clock only. What virtual
 * functions and the embedded switch need of it are {@link registers}, {@link queues}, {@link interrupts},
 * {@link steering} and {@link onReset}.
 */
export class IgbMac implements Device, EventOwner, PortOwner, MmioHandler {
  readonly name: string;
  readonly registers: RegisterFile;
  readonly queues: Queues;
  readonly interrupts: Interrupts;
  readonly eeprom: Eeprom;
  readonly phy: Phy;
  readonly time: TimeSync;
  readonly transmitter: Transmitter;
  readonly receiver: Receiver;
  readonly #clock: Clock;
  readonly #state: StateBlock;
  readonly #core: Core;
  readonly #corePort: CorePort;
  readonly #work: WorkCounters;
  readonly #timers: Timers;
  readonly #flowControl: FlowControl;
  readonly #targets = new Targets();
  readonly #egress: Egress = { allowed: true, wire: true };
  readonly #port: Port | undefined;
  readonly #unheard: Counter;
  readonly #resetListeners: (() => void)[] = [];
  readonly #readyListeners: (() => void)[] = [];
  /** The embedded switch; without one there are no pools. */
  steering: Steering | undefined;
  #plugged = true;

  constructor(options: IgbMacOptions) {
    const { name, clock, ledger, dma, port } = options;
    this.name = name;
    this.#clock = clock;
    this.#port = port;
    this.#unheard = ledger.counter(name, 'rx-drop', 'no link');
    clock.register(this);
    this.#state = options.state ?? new StateBlock(dma.memory);
    this.#state.clear();
    this.registers = new RegisterFile(this.#state.registers, ledger, name);
    this.queues = new Queues(this.registers, dma);
    this.#corePort = { dma };
    this.#core = createCore(this.#corePort, this.#state);
    this.#core.initialize(this.#state.base);
    this.#work = new WorkCounters(ledger, name, this.#state);
    this.eeprom = new Eeprom(this.registers, clock, options.eeprom);
    this.interrupts = new Interrupts(this.registers, clock, this, ledger, options.sink);
    this.time = new TimeSync(this.registers, clock);
    this.#timers = new Timers(this.registers, clock, this, () => this.interrupts.tcpTimer());
    this.phy = new Phy(clock, this, {
      negotiationTime: options.negotiationTime ?? 10_000_000,
      partnerPauses: options.partnerPauses ?? true,
      onLinkChange: () => this.#updateLink(),
    });
    const parts = {
      registers: this.registers,
      state: this.#state,
      core: this.#core,
      port: this.#corePort,
      queues: this.queues,
      clock,
      ledger,
      owner: this,
      memory: dma.memory.bytes,
    };
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- getters of the hosts below read the device
    const mac = this;
    this.transmitter = new Transmitter({
      ...parts,
      host: {
        get mayTransmit() {
          return mac.#mayTransmit || mac.#switching;
        },
        get bitTime() {
          return BIT_TIMES[mac.#speed];
        },
        sendFrame: (frame, queue) => this.#sendFrame(frame, queue),
        stamp: () => this.time.stampTransmit(),
        settle: () => this.#settle(),
      },
    });
    this.receiver = new Receiver({
      ...parts,
      stamp: new ReceiveStamp(this.registers, this.#state, this.time),
      host: {
        get steering() {
          return mac.steering;
        },
        paused: (quanta) => this.transmitter.pause(quanta),
        fifoChanged: () => this.#flowControl.check(),
        ready: () => this.#port?.ready(),
        settle: () => this.#settle(),
      },
    });
    this.#flowControl = new FlowControl(this.registers, clock, this, {
      get fifoUsed() {
        return mac.receiver.fifoUsed;
      },
      get mayTransmit() {
        return mac.#mayTransmit;
      },
      sendFrame: (frame) => this.#toWire(frame),
    });
    this.queues.onChange = (queue) => {
      this.transmitter.forget(queue);
      this.receiver.forget(queue);
    };
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

  /** Called at the end of each reset of the registers (CTRL.RST, power-on). */
  onReset(listener: () => void): void {
    this.#resetListeners.push(listener);
  }

  /** Called when software says that the physical function is out of reset (CTRL_EXT.PFRSTD). */
  onReady(listener: () => void): void {
    this.#readyListeners.push(listener);
  }

  // Registers ---------------------------------------------------------------------------------------------

  /** 8.1.1: registers are 32 bits wide; a narrower read gets its part of one. */
  read(offset: number, width: HandlerWidth): number {
    const value = offset < REGISTER_BYTES ? this.registers.read(offset & ~3) : 0;
    if (width === 4) return value;
    return (value >>> ((offset & 3) * 8)) & (width === 1 ? 0xff : 0xffff);
  }

  /** A write narrower than 32 bits is ignored: the manual leaves it undefined. */
  write(offset: number, width: HandlerWidth, value: number): void {
    if (width !== 4 || (offset & 3) !== 0 || offset >= REGISTER_BYTES) return;
    this.registers.write(offset, value);
  }

  // The wire ----------------------------------------------------------------------------------------------

  receive(frame: Frame): boolean {
    // In loopback nothing from outside gets in.
    if (this.#loopback || !this.#linkUp) {
      this.#unheard.value++;
      return true;
    }
    const mayBlock = (this.registers.get(R.REG_CTRL) & B.CTRL_TFCE) !== 0;
    return this.receiver.receive(frame, mayBlock);
  }

  writable(): void {
    this.#flowControl.writable();
    this.transmitter.writable();
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
        return this.transmitter.onEvent();
      case 'receive':
        return this.receiver.onEvent();
      case 'flow-control':
        return this.#flowControl.onEvent();
      case 'phy':
        return this.phy.onEvent();
      case 'tcp-timer':
        return this.#timers.onEvent();
      default:
        this.interrupts.onEvent(kind);
    }
  }

  /** Power-on: the PHY and what no software reset changes start over too. The EEPROM keeps its words. */
  reset(): void {
    for (let vector = 0; vector < B.VECTORS; vector++) this.registers.set(R.REG_EITR + 4 * vector, 0);
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
      interrupts: this.interrupts.save(),
      transmitter: this.transmitter.save(),
      receiver: this.receiver.save(),
      flowControl: this.#flowControl.save(),
      status: this.#status,
      timers: this.#timers.save(),
      time: this.time.save(),
      steering: this.steering?.save() ?? null,
    };
  }

  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    this.#plugged = snapshot['plugged'] as boolean;
    this.#state.restore(snapshot['state'] as unknown as ReturnType<StateBlock['save']>);
    this.eeprom.restore(snapshot['eeprom']);
    this.phy.restore(snapshot['phy']);
    this.interrupts.restore(snapshot['interrupts']);
    this.transmitter.restore(snapshot['transmitter']);
    this.receiver.restore(snapshot['receiver']);
    this.#flowControl.restore(snapshot['flowControl']);
    this.#status = snapshot['status'] as number;
    this.#timers.restore(snapshot['timers']);
    this.time.restore(snapshot['time']);
    if (snapshot['steering'] !== null) this.steering?.restore(snapshot['steering']);
  }

  // Behaviour of single registers ---------------------------------------------------------------------------

  #hook(): void {
    const { registers } = this;
    registers.onWrite(R.REG_CTRL, (value) => this.#control(value));
    registers.onWrite(R.REG_CTRL_EXT, (value) => {
      if ((value & B.CTRL_EXT_PFRSTD) !== 0) for (const listener of this.#readyListeners) listener();
      // 8.2.3: EE_RST reads the EEPROM again; it clears itself.
      if ((value & B.CTRL_EXT_EE_RST) === 0) return;
      registers.set(R.REG_CTRL_EXT, registers.get(R.REG_CTRL_EXT) & ~B.CTRL_EXT_EE_RST);
      this.#loadAddress();
    });
    registers.onRead(R.REG_STATUS, () => this.#updateStatus());
    registers.onWrite(R.REG_STATUS, (value) => {
      // 8.2.2: PHYRA is cleared by writing 0.
      if ((value & B.STATUS_PHYRA) === 0) this.#status &= ~B.STATUS_PHYRA;
    });
    registers.onWrite(R.REG_TCTL, () => this.transmitter.kick());
    for (const register of [R.REG_MRQC, R.REG_VFTE, R.REG_VFRE]) {
      registers.onWrite(register, () => {
        this.transmitter.kick();
        this.receiver.kick();
      });
    }
    registers.onWrite(R.REG_MDIC, (value) => this.#management(value));
    // 8.16.x: SMBI reads as it was and is set by the read: who reads 0 has it.
    registers.answerRead(R.REG_SWSM, () => {
      const value = registers.get(R.REG_SWSM);
      registers.set(R.REG_SWSM, value | B.SWSM_SMBI);
      return value;
    });
    registers.onWrite(R.REG_WUC, (value) => {
      if ((value & 4) !== 0) registers.set(R.REG_WUC, registers.get(R.REG_WUC) & ~4);
    });
  }

  /** Bits of STATUS that are kept, not derived. */
  #status = 0;

  #control(value: number): void {
    if ((value & B.CTRL_RST) !== 0) return this.#resetRegisters();
    if ((value & B.CTRL_PHY_RST) !== 0) this.#status |= B.STATUS_PHYRA;
    this.phy.hold((value & B.CTRL_PHY_RST) !== 0);
    this.#updateLink();
    this.transmitter.kick();
  }

  /** 8.2.4: MDIC. The access is over when the write is. */
  #management(value: number): void {
    const operation = value & B.MDIC_OP_MASK;
    const register = (value >>> 16) & 31;
    const known = ((value >>> 21) & 31) === PHY_ADDRESS;
    let result = (value & ~B.MDIC_ERROR) | B.MDIC_READY;
    if (!known || (operation !== B.MDIC_OP_READ && operation !== B.MDIC_OP_WRITE)) result |= B.MDIC_ERROR;
    else if (operation === B.MDIC_OP_READ) result = (result & ~0xffff) | this.phy.read(register);
    else this.phy.write(register, value & 0xffff);
    this.registers.set(R.REG_MDIC, result);
    if ((value & B.MDIC_INTERRUPT) !== 0) this.interrupts.post(B.ICR_MDAC);
  }

  /** CTRL.RST: all but the PHY, the EEPROM's words and configuration space. */
  #resetRegisters(): void {
    this.registers.reset();
    this.#status = B.STATUS_PHYRA;
    this.eeprom.reset();
    this.#loadAddress();
    this.interrupts.reset();
    this.#timers.reset();
    this.time.reset();
    this.transmitter.reset();
    this.receiver.reset();
    this.#flowControl.reset();
    this.steering?.reset();
    this.phy.hold(false);
    this.#updateStatus();
    for (const listener of this.#resetListeners) listener();
  }

  /** 8.10.x: the first receive address is the EEPROM's. */
  #loadAddress(): void {
    const { mac } = this.eeprom;
    this.registers.set(R.REG_RAL0, mac[0] | (mac[1] << 8) | (mac[2] << 16) | (mac[3] << 24));
    this.registers.set(R.REG_RAH0, mac[4] | (mac[5] << 8) | B.RAH_AV);
  }

  // Link ----------------------------------------------------------------------------------------------------

  get #carrier(): boolean {
    return this.#plugged && this.#port !== undefined && this.#port.up;
  }

  /** 3.5.x: software must set SLU before the MAC recognizes the PHY's link. */
  get #linkUp(): boolean {
    return (this.registers.get(R.REG_CTRL) & B.CTRL_SLU) !== 0 && this.phy.link;
  }

  get #loopback(): boolean {
    const mode = this.registers.get(R.REG_RCTL) & B.RCTL_LBM_MASK;
    return mode === B.RCTL_LBM_MAC || this.phy.loopback;
  }

  get #mayTransmit(): boolean {
    return this.#linkUp || this.#loopback;
  }

  /** Frames find pools by the embedded switch. */
  get #switching(): boolean {
    return this.steering !== undefined && this.queues.pooled;
  }

  get #speed(): 0 | 1 | 2 {
    const control = this.registers.get(R.REG_CTRL);
    if ((control & B.CTRL_FRCSPD) === 0) return this.phy.speed;
    const forced = (control >> B.CTRL_SPEED_SHIFT) & 3;
    return forced >= 2 ? 2 : (forced as 0 | 1);
  }

  #updateStatus(): void {
    const { registers } = this;
    const control = registers.get(R.REG_CTRL);
    const forced = (control & B.CTRL_FRCDPLX) !== 0;
    const full = forced ? (control & B.CTRL_FD) !== 0 : this.phy.fullDuplex;
    const virtual = registers.get(R.REG_STATUS) & ((0xf << B.STATUS_NUMVF_SHIFT) | B.STATUS_IOV);
    const status =
      this.#status |
      virtual |
      (full ? B.STATUS_FD : 0) |
      (this.#linkUp ? B.STATUS_LU : 0) |
      (this.transmitter.paused ? B.STATUS_TXOFF : 0) |
      (this.#speed << B.STATUS_SPEED_SHIFT) |
      // 8.2.2: no request is ever outstanding when software looks.
      ((control & B.CTRL_MASTER_DISABLE) === 0 ? B.STATUS_MASTER_ENABLE : 0) |
      B.STATUS_DMA_CLOCK;
    registers.set(R.REG_STATUS, status);
  }

  #updateLink(): void {
    const before = this.registers.get(R.REG_STATUS) & B.STATUS_LU;
    this.#updateStatus();
    const after = this.registers.get(R.REG_STATUS) & B.STATUS_LU;
    if (before === after) return;
    this.interrupts.post(B.ICR_LSC);
    this.transmitter.kick();
  }

  // Frames --------------------------------------------------------------------------------------------------

  #toWire(frame: Frame): boolean {
    return this.#port === undefined || this.#port.send(frame);
  }

  /** A frame that a queue sends: into the loopback, or through the switch to the wire and to neighbours. */
  #sendFrame(frame: Frame, queue: number): Sent {
    const { base } = this.#state;
    if (this.#loopback) {
      this.#core.countSent(base);
      this.receiver.receive(frame, false);
      return 'wire';
    }
    const { steering } = this;
    if (steering === undefined || !this.queues.pooled) {
      if (!this.#toWire(frame)) return 'blocked';
      this.#core.countSent(base);
      return 'wire';
    }
    const targets = this.#targets;
    const egress = this.#egress;
    const pool = this.queues.poolOf(queue);
    targets.clear();
    egress.allowed = egress.wire = true;
    steering.egress(this.receiver.inspect(frame), pool, targets, egress);
    if (!egress.allowed) return 'dropped';
    const wire = egress.wire && this.#mayTransmit;
    if (wire) {
      if (!this.#toWire(frame)) return 'blocked';
      this.#core.countSent(base);
    }
    this.#countPool(pool, frame.length + B.FCS_BYTES, targets.count > 0);
    if (targets.count > 0) this.receiver.local(frame, pool, targets);
    return wire ? 'wire' : 'local';
  }

  /** 8.19: what a pool sends, and what of it neighbours get; the counters go round. */
  #countPool(pool: number, bytes: number, local: boolean): void {
    const add = (register: number, value: number): void => {
      const at = register + pool * R.VF_STRIDE;
      this.registers.set(at, this.registers.get(at) + value);
    };
    add(R.REG_VFGPTC, 1);
    add(R.REG_VFGOTC, bytes);
    if (!local) return;
    add(R.REG_VFGPTLBC, 1);
    add(R.REG_VFGOTLBC, bytes);
  }

  /** What the core did: causes of interrupts, counters of the ledger. */
  #settle(): void {
    const state = this.#state;
    this.#work.settle();
    const causes = state.take(CORE_STATE_CAUSES);
    if (causes !== 0) this.interrupts.post(causes);
    this.interrupts.queues(state.take(CORE_STATE_RX_QUEUES_DONE), state.take(CORE_STATE_TX_QUEUES_DONE));
  }
}
