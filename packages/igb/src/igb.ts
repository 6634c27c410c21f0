import { expectSnapshot, type Snapshot } from '@vmloom/device';
import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import { parseMac, type Port } from '@vmloom/net';
import {
  AerCapability,
  ExpressCapability,
  MsiCapability,
  MsixCapability,
  PciFunction,
  PowerCapability,
  SerialNumberCapability,
  type FunctionContext,
  type PciFunctionOptions,
} from '@vmloom/pci';
import { AriCapability, SriovCapability } from '@vmloom/sriov';
import { eepromImage } from './eeprom.js';
import { IgbError } from './error.js';
import type { InterruptSink } from './interrupts.js';
import { IoWindow } from './io-window.js';
import { IgbMac } from './mac.js';
import * as R from './register-map.js';
import { StateBlock } from './state-block.js';
import { EmbeddedSwitch } from './switch/embedded-switch.js';
import { IgbVf } from './vf/igb-vf.js';
import { VirtualFunctions } from './vf/virtual-functions.js';

export interface IgbOptions {
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
  device: 0x10c9,
  classCode: 0x02_00_00,
  revision: 0x01,
  subsystemVendor: 0x8086,
  subsystem: 0x0000,
  pin: 'A',
  model: 'igb',
};
// 9.4.11: registers, FLASH (none: the BAR is absent), I/O, MSI-X.
const REGISTER_BAR = 0x2_0000;
const IO_BAR = 0x20;
const MSIX_BAR = 0x4000;
/** 9.5.3: ten vectors, as the EEPROM says; pending bits at 2000h. */
export const PF_VECTORS = 10;
/** 9.6.4: where virtual functions are, below a port that forwards ARI and below one that does not. */
const VF_PLACING = { offset: 0x80, stride: 2 } as const;
const VF_PLACING_WITHOUT_ARI = { offset: 0x180, stride: 2 } as const;
const SNAPSHOT = { type: 'igb', version: 1 } as const;

/**
 * Intel 82576: the physical function on a PCI Express link. BAR 0 holds the registers, BAR 2 the I/O window, BAR 3 the
 * MSI-X table; it interrupts by MSI-X, MSI or INTA.
 */
export class Igb extends PciFunction {
  readonly #options: IgbOptions;
  /** The EEPROM belongs to the card: it survives unplugging. */
  readonly #eeprom: Uint16Array;
  readonly #io: IoWindow;
  #state: StateBlock | undefined;
  #mac: IgbMac | undefined;
  #virtual: VirtualFunctions | undefined;
  /** All that there can be. */
  readonly functions: readonly IgbVf[];
  readonly sriov: SriovCapability;
  #link = true;
  #restoring = false;

  /** @throws NetError bad-address; IgbError group-address */
  constructor(options: IgbOptions = {}) {
    super({ ...IDENTITY, ...(options.name === undefined ? {} : { name: options.name }) });
    this.#options = options;
    const address = stationAddress(options.mac ?? '52:54:00:12:34:56');
    this.#eeprom = eepromImage(address);
    const handler: MmioHandler = {
      read: (offset, width: HandlerWidth) => this.#mac?.read(offset, width) ?? 0,
      write: (offset, width: HandlerWidth, value) => this.#mac?.write(offset, width, value),
    };
    this.#io = new IoWindow(handler);
    this.addBar(0, { kind: 'memory', size: REGISTER_BAR, regions: [{ name: 'registers', handler }] });
    this.addBar(2, { kind: 'io', size: IO_BAR, regions: [{ name: 'io', handler: this.#io }] });
    this.addBar(3, { kind: 'memory', size: MSIX_BAR });
    this.addCapability(new PowerCapability(), 0x40);
    this.addCapability(new MsiCapability({ vectors: 1, address64: true, masking: true }), 0x50);
    this.addCapability(new MsixCapability({ vectors: PF_VECTORS, bar: 3, pendingOffset: 0x2000 }), 0x70);
    const express = this.addCapability(
      new ExpressCapability({ type: 'endpoint', functionReset: true, width: 4, maxPayload: 512 }),
      0xa0,
    );
    this.addCapability(new AerCapability(), 0x100);
    this.addCapability(SerialNumberCapability.fromMac(address), 0x140);
    this.addCapability(new AriCapability(), 0x150);
    this.functions = Array.from({ length: R.POOLS }, (_, index) => new IgbVf(this, index, express));
    this.sriov = this.addCapability(
      new SriovCapability({
        functions: this.functions,
        placing: VF_PLACING,
        placingWithoutAri: VF_PLACING_WITHOUT_ARI,
        onChange: (present) => this.#virtual?.setPresent(present),
      }),
      0x160,
    );
  }

  /** The controller behind the bus; undefined until the function is plugged in. */
  get controller(): IgbMac | undefined {
    return this.#mac;
  }

  /** The controller's side of its virtual functions; undefined until the function is plugged in. */
  get virtual(): VirtualFunctions | undefined {
    return this.#virtual;
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
    this.#mac = new IgbMac({
      name: this.name,
      clock,
      ledger,
      dma,
      sink: this.#sink,
      eeprom: this.#eeprom,
      state: this.#state,
      port,
      ...(negotiationTime === undefined ? {} : { negotiationTime }),
      ...(partnerPauses === undefined ? {} : { partnerPauses }),
    });
    this.#mac.plugged = this.#link;
    this.#share(this.#mac, context);
  }

  /** Virtual functions and the embedded switch join the controller. */
  #share(mac: IgbMac, { clock, ledger }: FunctionContext): void {
    const { registers, queues, interrupts } = mac;
    const { name } = this;
    const virtual = new VirtualFunctions({
      name,
      ledger,
      registers,
      queues,
      interrupts,
      dma: (vf) => this.functions[vf].dma,
    });
    this.#virtual = virtual;
    const embedded = new EmbeddedSwitch({
      name,
      clock,
      ledger,
      registers,
      interrupts,
      queues: mac.receiver,
      onRateChange: (queue) => mac.transmitter.kick(1 << queue),
    });
    mac.steering = embedded;
    mac.transmitter.pacer = embedded.rates;
    mac.transmitter.onMisbehaviour = (queue, reason) => virtual.misbehaved(queue, reason);
    mac.onReset(() => virtual.physicalReset());
    mac.onReady(() => virtual.physicalReady());
  }

  protected override detached(): void {
    this.#mac?.dispose();
    this.#mac = undefined;
    this.#virtual = undefined;
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
      virtual: this.#virtual === undefined ? null : this.#virtual.save(),
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
      if (snapshot['virtual'] !== null) this.#virtual?.restore(snapshot['virtual']);
    } finally {
      this.#restoring = false;
    }
  }

  /** INTx follows the level; with MSI, or MSI-X of one vector, each rise is a message. */
  get #sink(): InterruptSink {
    return {
      set: (level) => {
        this.interrupt.set(level);
        if (level && !this.#restoring) this.interrupt.send();
      },
      // 7.3.x: a vector that the table lacks has nowhere to go.
      send: (vector) => {
        if (vector < PF_VECTORS) this.interrupt.send(vector);
      },
      sendVf: (vf, vector) => this.functions[vf].interrupt.send(vector),
    };
  }
}

function stationAddress(text: string): Uint8Array {
  const address = parseMac(text);
  if ((address[0] & 1) === 0) return address;
  throw new IgbError('group-address', `${text} is a group address; the first octet of a station's is even`);
}
