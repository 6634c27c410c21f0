import type { Clock, Device, Ledger, WiredOr } from '@vmloom/device';
import { joinAddress, type AddressSpace, type MmioHandler, type Width } from '@vmloom/memory';
import { APLIC, Aplic, Imsic, Plic, type ExternalSignal } from '@vmloom/platform';
import type { HartInputs } from './board.js';
import { AIA, guestBits, VIRT, type Aia } from './device-tree/index.js';

export interface InterruptControllersOptions {
  readonly aia: Aia;
  /** Guest interrupt files of each hart. */
  readonly guests: number;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly space: AddressSpace;
  readonly harts: readonly HartInputs[];
  /** Before the names of the devices. */
  readonly prefix: string;
}

/** Registers that the board has at an address. */
export interface BoardRegisters {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  readonly handler: MmioHandler;
  readonly widths: readonly Width[];
  /** Hardware of the hart itself, no device that somebody emulates: accesses are no exits. */
  readonly direct?: boolean;
}

const MACHINE_EXTERNAL = 11;
const SUPERVISOR_EXTERNAL = 9;
/** Where there is no hypervisor extension, lines of guest interrupt files lead nowhere. */
const NOWHERE: ExternalSignal = { set: () => undefined };

/** What brings interrupts to the harts: the PLIC, an APLIC, or an APLIC and an IMSIC for each hart. */
export class InterruptControllers {
  readonly plic: Plic | undefined;
  readonly aplic: Aplic | undefined;
  /** One for each hart, or none. */
  readonly imsics: readonly Imsic[];
  readonly registers: readonly BoardRegisters[];
  readonly #guestBits: number;

  constructor(options: InterruptControllersOptions) {
    const { aia, harts, clock, ledger, prefix, space } = options;
    const signals = harts.map((hart) => ({
      machine: external(hart, MACHINE_EXTERNAL),
      supervisor: external(hart, SUPERVISOR_EXTERNAL),
    }));
    this.#guestBits = guestBits(options.guests);
    this.imsics = [];
    if (aia === 'none') {
      this.plic = new Plic({
        name: `${prefix}plic`,
        sources: VIRT.plicSources,
        ledger,
        contexts: signals.flatMap(({ machine, supervisor }) => [machine, supervisor]).map(asLine),
      });
      this.registers = [{ name: 'plic', ...VIRT.plic, handler: this.plic, widths: Plic.WIDTHS }];
      return;
    }
    const { sources } = AIA;
    this.aplic = new Aplic({
      clock,
      ledger,
      sources,
      name: `${prefix}aplic`,
      harts: signals,
      guests: options.guests,
      ...(aia === 'aplic-imsic'
        ? { send: (low, high, data) => void space.store(joinAddress(low, high), 4, data) }
        : {}),
    });
    const widths = Aplic.WIDTHS;
    const { machine, supervisor } = this.aplic;
    const domains = [
      { name: 'aplic-m', ...AIA.aplicMachine, handler: machine, widths },
      { name: 'aplic-s', ...AIA.aplicSupervisor, handler: supervisor, widths },
    ];
    if (aia === 'aplic-imsic') {
      this.imsics = signals.map((signal, hart) => {
        const guests = Array.from({ length: options.guests }, () => NOWHERE);
        const name = `${prefix}imsic${hart}`;
        const imsic = new Imsic({ name, identities: AIA.identities, ledger, ...signal, guests });
        harts[hart].connectImsic(imsic);
        return imsic;
      });
    }
    this.registers = [...domains, ...this.imsics.flatMap((imsic, hart) => this.#pages(imsic, hart))];
  }

  /** Joins a wire to a source of the board. */
  connect(source: number, wire: WiredOr): void {
    (this.plic ?? this.aplic!).connect(source, wire);
  }

  /** By the name that each has in a snapshot. */
  get devices(): Readonly<Record<string, Device>> {
    return {
      ...(this.plic === undefined ? {} : { plic: this.plic }),
      ...(this.aplic === undefined ? {} : { aplic: this.aplic }),
      ...Object.fromEntries(this.imsics.map((imsic, hart) => [`imsic${hart}`, imsic])),
    };
  }

  /**
   * What firmware does at the machine level before S-mode software begins: all sources are delegated to the
   * supervisor's domain, and the APLIC is told where the IMSICs are, for good.
   */
  handToSupervisor(): void {
    const domain = this.aplic?.machine;
    if (domain === undefined) return;
    const write = (offset: number, value: number): void => domain.write(offset, 4, value >>> 0);
    for (let source = 1; source <= AIA.sources; source++) {
      write(APLIC.SOURCECFG + source * 4, APLIC.SOURCECFG_D);
    }
    if (this.imsics.length === 0) return;
    const page = Math.log2(AIA.page);
    const hartIndexWidth = Math.ceil(Math.log2(this.imsics.length));
    write(APLIC.SMSIADDRCFG, AIA.imsicSupervisor.base >>> page);
    write(APLIC.SMSIADDRCFGH, this.#guestBits << APLIC.LHXS_SHIFT);
    write(APLIC.MMSIADDRCFG, AIA.imsicMachine.base >>> page);
    write(APLIC.MMSIADDRCFGH, APLIC.MSIADDRCFGH_L | (hartIndexWidth << APLIC.LHXW_SHIFT));
  }

  #pages(imsic: Imsic, hart: number): BoardRegisters[] {
    const widths = Imsic.WIDTHS;
    const size = AIA.page << this.#guestBits;
    return [
      {
        name: `imsic-m.${hart}`,
        base: AIA.imsicMachine.base + hart * AIA.page,
        size: AIA.page,
        handler: imsic.machinePage,
        widths,
        direct: true,
      },
      {
        name: `imsic-s.${hart}`,
        base: AIA.imsicSupervisor.base + hart * size,
        size,
        handler: imsic.supervisorPages,
        widths,
        direct: true,
      },
    ];
  }
}

function external(hart: HartInputs, bit: 9 | 11): ExternalSignal {
  return { set: (level, priority) => hart.setInterrupt(bit, level, priority) };
}

/** A PLIC has priorities of another meaning, which no CSR shows. */
function asLine(signal: ExternalSignal): { set(level: boolean): void } {
  return { set: (level) => signal.set(level, 0) };
}
