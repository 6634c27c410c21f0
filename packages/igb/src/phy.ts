import { DeadlineTimer, type Clock, type EventOwner, type SnapshotValue } from '@vmloom/device';

// The integrated PHY (chapter 3.5.8 and IEEE 802.3 clause 22): register numbers and bits.
export const PHY_ADDRESS = 1;
const CONTROL = 0;
const STATUS = 1;
const ID1 = 2;
const ID2 = 3;
const ADVERTISE = 4;
const PARTNER = 5;
const EXPANSION = 6;
const NEXT_PAGE = 7;
const GIGABIT_CONTROL = 9;
const GIGABIT_STATUS = 10;
const EXTENDED_STATUS = 15;
const PORT_CONFIGURATION = 16;
const PORT_STATUS = 17;
const PORT_CONTROL = 18;
const LINK_HEALTH = 19;
const POWER_MANAGEMENT = 25;
const PAGE_SELECT = 31;

const CONTROL_RESET = 0x8000;
const CONTROL_LOOPBACK = 0x4000;
const CONTROL_SPEED_LOW = 0x2000;
const CONTROL_NEGOTIATE = 0x1000;
const CONTROL_POWER_DOWN = 0x0800;
const CONTROL_ISOLATE = 0x0400;
const CONTROL_RESTART = 0x0200;
const CONTROL_FULL_DUPLEX = 0x0100;
const CONTROL_SPEED_HIGH = 0x0040;
const STATUS_CAPABILITIES = 0x7949;
const STATUS_NEGOTIATED = 0x0020;
const STATUS_LINK = 0x0004;

/** Gain control of the four pairs, from which software tells the length of the cable: a short one. */
const GAIN_PAGES: readonly number[] = [0x11b1, 0x12b1, 0x14b1, 0x18b1];
const GAIN = 2 << 9;

/** Speeds by their code in CTRL and STATUS. */
export type SpeedCode = 0 | 1 | 2;

/** Writable bits of the registers that have any. */
const MASKS: Readonly<Record<number, number>> = {
  [CONTROL]: 0xffc0,
  [ADVERTISE]: 0xafff,
  [NEXT_PAGE]: 0xb7ff,
  [GIGABIT_CONTROL]: 0xff00,
  [PORT_CONFIGURATION]: 0xffff,
  [PORT_CONTROL]: 0xffff,
  [POWER_MANAGEMENT]: 0x01ef,
  [PAGE_SELECT]: 0xffff,
};

const DEFAULTS: Readonly<Record<number, number>> = {
  [CONTROL]: CONTROL_NEGOTIATE | CONTROL_FULL_DUPLEX | CONTROL_SPEED_HIGH,
  [ID1]: 0x02a8,
  [ID2]: 0x0391,
  [ADVERTISE]: 0x0de1,
  [EXPANSION]: 0x0004,
  [NEXT_PAGE]: 0x2001,
  [GIGABIT_CONTROL]: 0x0f00,
  [EXTENDED_STATUS]: 0x3000,
  [PORT_CONFIGURATION]: 0x0120,
  // Crossover by itself.
  [PORT_CONTROL]: 0x1000,
  [POWER_MANAGEMENT]: 0x008d,
};

export interface PhyOptions {
  /** Nanoseconds from the carrier to a negotiated link. */
  readonly negotiationTime: number;
  /** The partner understands PAUSE frames. */
  readonly partnerPauses: boolean;
  /** The link came or went, or its speed changed. */
  readonly onLinkChange: () => void;
}

/** The internal PHY: identity, control, autonegotiation with a partner that can do everything, loopback. */
export class Phy {
  readonly #registers = new Uint16Array(32);
  readonly #timer: DeadlineTimer;
  readonly #clock: Clock;
  readonly #options: PhyOptions;
  #carrier = false;
  /** The link to the partner is established. */
  #established = false;
  #linkLost = false;
  #held = false;

  constructor(clock: Clock, owner: EventOwner, options: PhyOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#timer = new DeadlineTimer(clock, owner, 'phy');
    this.#defaults();
  }

  get loopback(): boolean {
    return (
      (this.#registers[CONTROL] & (CONTROL_LOOPBACK | CONTROL_POWER_DOWN)) === CONTROL_LOOPBACK && !this.#held
    );
  }

  /** What the MAC sees of the link. */
  get link(): boolean {
    return this.loopback || this.#established;
  }

  get speed(): SpeedCode {
    const control = this.#registers[CONTROL];
    if ((control & CONTROL_NEGOTIATE) === 0) {
      if ((control & CONTROL_SPEED_HIGH) !== 0) return 2;
      return (control & CONTROL_SPEED_LOW) !== 0 ? 1 : 0;
    }
    if ((this.#registers[GIGABIT_CONTROL] & 0x0300) !== 0) return 2;
    return (this.#registers[ADVERTISE] & 0x0180) !== 0 ? 1 : 0;
  }

  get fullDuplex(): boolean {
    const control = this.#registers[CONTROL];
    if ((control & CONTROL_NEGOTIATE) === 0) return (control & CONTROL_FULL_DUPLEX) !== 0;
    const speed = this.speed;
    if (speed === 2) return (this.#registers[GIGABIT_CONTROL] & 0x0200) !== 0;
    return (this.#registers[ADVERTISE] & (speed === 1 ? 0x0100 : 0x0040)) !== 0;
  }

  /** The cable: a partner is there or not. */
  set carrier(present: boolean) {
    if (present === this.#carrier) return;
    this.#carrier = present;
    this.#establish();
  }

  /** CTRL.PHY_RST: held in reset while it is set. */
  hold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    if (held) this.#defaults();
    this.#establish();
  }

  reset(): void {
    this.#held = false;
    this.#defaults();
    this.#establish();
  }

  read(register: number): number {
    switch (register) {
      case STATUS: {
        const link = this.link && !this.#linkLost;
        // IEEE 802.3 22.2.4.2.13: a lost link is latched until it has been read.
        this.#linkLost = false;
        return STATUS_CAPABILITIES | (this.#negotiated ? STATUS_NEGOTIATED : 0) | (link ? STATUS_LINK : 0);
      }
      case PARTNER:
        return this.#negotiated ? 0xc1e1 | (this.#options.partnerPauses ? 0x0c00 : 0) : 0;
      case EXPANSION:
        return this.#negotiated ? 0x000f : 0x0004;
      case GIGABIT_STATUS:
        return this.#negotiated ? 0x3c00 : 0;
      case PORT_STATUS: {
        const page = this.#registers[PAGE_SELECT];
        if (GAIN_PAGES.includes(page)) return this.link ? GAIN : 0;
        if (page > 0x1f) return 0;
        // Bits 15:14: 1 is 10, 2 is 100, 3 is 1000 Mb/s.
        return this.link ? ((this.speed + 1) << 14) | (this.fullDuplex ? 0x0200 : 0) | 0x0400 : 0;
      }
      case PORT_CONFIGURATION:
      case PORT_CONTROL:
      case LINK_HEALTH:
      case POWER_MANAGEMENT:
        return this.#registers[PAGE_SELECT] > 0x1f ? 0 : this.#registers[register];
      default:
        // Registers from 16 on have pages, of which the first is modelled.
        if (register > 15 && register !== PAGE_SELECT && this.#registers[PAGE_SELECT] > 0x1f) return 0;
        return this.#registers[register & 31];
    }
  }

  write(register: number, value: number): void {
    const mask = MASKS[register];
    if (mask === undefined || this.#held) return;
    if (register > 15 && register !== PAGE_SELECT && this.#registers[PAGE_SELECT] > 0x1f) return;
    this.#registers[register] = (this.#registers[register] & ~mask) | (value & mask);
    if (register === CONTROL) this.#control(value);
  }

  onEvent(): void {
    if (!this.#timer.fired() || !this.#mayLink) return;
    this.#established = true;
    this.#options.onLinkChange();
  }

  save(): SnapshotValue {
    return {
      registers: [...this.#registers],
      timer: this.#timer.save(),
      carrier: this.#carrier,
      established: this.#established,
      linkLost: this.#linkLost,
      held: this.#held,
    };
  }

  restore(value: SnapshotValue): void {
    const saved = value as {
      registers: number[];
      timer: SnapshotValue;
      carrier: boolean;
      established: boolean;
      linkLost: boolean;
      held: boolean;
    };
    this.#registers.set(saved.registers);
    this.#timer.restore(saved.timer);
    this.#carrier = saved.carrier;
    this.#established = saved.established;
    this.#linkLost = saved.linkLost;
    this.#held = saved.held;
  }

  get #negotiates(): boolean {
    return (this.#registers[CONTROL] & CONTROL_NEGOTIATE) !== 0;
  }

  get #negotiated(): boolean {
    return this.#established && this.#negotiates;
  }

  get #mayLink(): boolean {
    const off = CONTROL_POWER_DOWN | CONTROL_ISOLATE | CONTROL_LOOPBACK;
    return this.#carrier && !this.#held && (this.#registers[CONTROL] & off) === 0;
  }

  #control(value: number): void {
    const selfClearing = CONTROL_RESET | CONTROL_RESTART;
    this.#registers[CONTROL] &= ~selfClearing;
    // Any change of mode takes the link down; a write that changes nothing but starts nothing keeps it.
    if ((value & selfClearing) !== 0 || !this.#mayLink || !this.#established) this.#establish();
    else if (!this.#negotiates) this.#establish();
  }

  /** Takes the link down and, where it may come up, starts to establish it. */
  #establish(): void {
    if (this.#established) {
      this.#established = false;
      this.#linkLost = true;
    }
    if (this.#mayLink) this.#timer.arm(this.#clock.now + this.#options.negotiationTime);
    else this.#timer.disarm();
    this.#options.onLinkChange();
  }

  #defaults(): void {
    this.#registers.fill(0);
    for (const [register, value] of Object.entries(DEFAULTS)) this.#registers[Number(register)] = value;
  }
}
