import { expectSnapshot, type InterruptLine, type Snapshot } from '@vmloom/device';
import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import { parseMac, type Port } from '@vmloom/net';
import {
  MsiCapability,
  PciFunction,
  PowerCapability,
  type FunctionContext,
  type PciFunctionOptions,
} from '@vmloom/pci';
import { eepromImage } from './eeprom.js';
import { E1000Error } from './error.js';
import { IoWindow } from './io-window.js';
import { E1000Mac } from './mac.js';
import { StateBlock } from './state-block.js';

export interface E1000Options {
  /** The wire; without one there is no carrier. */
  readonly port?: Port;
  /** Station address, like `52:54:00:12:34:56`; that unless told. */
  readonly mac?: string;
  /** Unique in the machine. */
  readonly name?: string;
  /** Nanoseconds that autonegotiation takes. 10 ms unless told. */
  readonly negotiationTime?: number;
  /** The link partner says that it understands PAUSE frames. True unless told. */
  readonly partnerPauses?: boolean;
}

const IDENTITY: PciFunctionOptions = {
  vendor: 0x8086,
  device: 0x100e,
  classCode: 0x02_00_00,
  revision: 0x02,
  subsystemVendor: 0x8086,
  subsystem: 0x001e,
  pin: 'A',
  model: 'e1000',
  minGrant: 0xff,
};
const REGISTER_BAR = 0x2_0000;
const IO_BAR = 0x40;
const POWER_OFFSET = 0xdc;
const MSI_OFFSET = 0xf0;
const SNAPSHOT = { type: 'e1000', version: 1 } as const;

/**
 * Intel 82540EM: the controller on a PCI bus. BAR 0 holds the registers, BAR 1 the I/O window; it interrupts by
 * INTA, or by MSI where the guest enables that.
 */
export class E1000 extends PciFunction {
  readonly #options: E1000Options;
  /** The EEPROM belongs to the card: it survives unplugging. */
  readonly #eeprom: Uint16Array;
  readonly #io: IoWindow;
  #state: StateBlock | undefined;
  #mac: E1000Mac | undefined;
  #link = true;
  #restoring = false;

  /** @throws NetError bad-address; E1000Error group-address */
  constructor(options: E1000Options = {}) {
    super({ ...IDENTITY, ...(options.name === undefined ? {} : { name: options.name }) });
    this.#options = options;
    this.#eeprom = eepromImage(stationAddress(options.mac ?? '52:54:00:12:34:56'));
    const handler: MmioHandler = {
      read: (offset, width: HandlerWidth) => this.#mac?.read(offset, width) ?? 0,
      write: (offset, width: HandlerWidth, value) => this.#mac?.write(offset, width, value),
    };
    this.#io = new IoWindow(handler);
    this.addBar(0, {
      kind: 'memory',
      size: REGISTER_BAR,
      regions: [{ name: 'registers', handler }],
    });
    this.addBar(1, { kind: 'io', size: IO_BAR, regions: [{ name: 'io', handler: this.#io }] });
    this.addCapability(new PowerCapability(), POWER_OFFSET);
    this.addCapability(new MsiCapability({ vectors: 1, address64: true, masking: false }), MSI_OFFSET);
  }

  /** The controller behind the bus; undefined until the function is plugged in. */
  get controller(): E1000Mac | undefined {
    return this.#mac;
  }

  /** The cable: plugged or pulled. */
  get link(): boolean {
    return this.#link;
  }

  set link(up: boolean) {
    this.#link = up;
    if (this.#mac !== undefined) this.#mac.plugged = up;
  }

  protected override attached(context: FunctionContext): void {
    const { clock, ledger, dma } = context;
    if (this.#state?.memory !== dma.memory) this.#state = new StateBlock(dma.memory);
    const { port, negotiationTime, partnerPauses } = this.#options;
    this.#mac = new E1000Mac({
      name: this.name,
      clock,
      ledger,
      dma,
      line: this.#line,
      eeprom: this.#eeprom,
      state: this.#state,
      port,
      ...(negotiationTime === undefined ? {} : { negotiationTime }),
      ...(partnerPauses === undefined ? {} : { partnerPauses }),
    });
    this.#mac.plugged = this.#link;
  }

  protected override detached(): void {
    this.#mac?.dispose();
    this.#mac = undefined;
  }

  protected override onReset(): void {
    this.#io.reset();
    this.#mac?.reset();
  }

  protected override saveState(): Snapshot {
    return {
      ...SNAPSHOT,
      ioAddress: this.#io.address,
      link: this.#link,
      controller: this.#mac === undefined ? null : this.#mac.save(),
    };
  }

  protected override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    this.#io.address = snapshot['ioAddress'] as number;
    this.#link = snapshot['link'] as boolean;
    const controller = snapshot['controller'] as Snapshot | null;
    // The line comes back to the level it had, which is no rise.
    this.#restoring = true;
    try {
      if (controller !== null) this.#mac?.restore(controller);
    } finally {
      this.#restoring = false;
    }
  }

  /** INTx follows the level; with MSI enabled each rise is a message. */
  get #line(): InterruptLine {
    return {
      set: (level) => {
        this.interrupt.set(level);
        if (level && !this.#restoring) this.interrupt.send();
      },
    };
  }
}

function stationAddress(text: string): Uint8Array {
  const address = parseMac(text);
  if ((address[0] & 1) === 0) return address;
  throw new E1000Error('group-address', `${text} is a group address; the first octet of a station's is even`);
}
