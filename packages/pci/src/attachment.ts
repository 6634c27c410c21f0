import {
  AT_UNTRANSLATED,
  DMA_ABORT,
  DMA_MESSAGE,
  DMA_MMIO,
  DMA_OK,
  DmaPort,
  type Clock,
  type DmaAnswer,
  type DmaRequest,
  type DmaTranslator,
  type Ledger,
} from '@vmloom/device';
import type { AddressSpace, HostMemory } from '@vmloom/memory';
import type { PciBridge } from './bridge.js';
import { AcsCapability } from './capabilities/acs.js';
import type { FunctionContext } from './context.js';
import type { PciFunction } from './function.js';
import type { Message } from './interrupts.js';
import { STATUS, STATUS_RECEIVED_MASTER_ABORT } from './registers.js';
import type { RootComplex } from './root-complex.js';

/** A function's place on a fabric: the context it was given, and the translator in front of its DMA port. */
export class Attachment implements FunctionContext, DmaTranslator {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly memory: HostMemory;
  readonly dma: DmaPort;
  /** Grows with each change of who asks. */
  #epoch = 0;
  readonly #word = new Uint8Array(4);
  readonly #view = new DataView(this.#word.buffer);

  constructor(
    private readonly root: RootComplex,
    private readonly fn: PciFunction,
  ) {
    this.clock = root.clock;
    this.ledger = root.ledger;
    this.memory = root.space.memory;
    this.dma = new DmaPort(this.memory, this, fn.requester);
    this.dma.enabled = false;
  }

  get space(): AddressSpace {
    return this.#translator.space;
  }

  /** Changes with the translator's, with the translator itself, and with the requester ID. */
  get generation(): number | undefined {
    const { generation } = this.#translator;
    if (generation === undefined) return undefined;
    return (this.root.translatorEpoch + this.#epoch) * 2 ** 32 + generation;
  }

  /** A failed read comes back as an unsupported request, which the status register keeps (PCIe 7.5.1.1.4). */
  translate(request: DmaRequest, answer: DmaAnswer): void {
    if (request.addressType !== AT_UNTRANSLATED && this.#blocksTranslated()) {
      answer.fail(DMA_ABORT);
      return;
    }
    if (request.requester !== (this.fn.requester & 0xffff) && this.#refusesSource(request.requester)) {
      return answer.fail(DMA_ABORT);
    }
    this.#translator.translate(request, answer);
    // The root complex makes configuration requests for the host alone; DMA into the window is nobody's.
    if (answer.status === DMA_MMIO && this.#isConfiguration(answer.mmio)) answer.fail(DMA_ABORT);
    if (request.write || answer.status === DMA_OK || answer.status === DMA_MMIO) return;
    if (answer.status !== DMA_MESSAGE) this.fn.config.setBits(STATUS, STATUS_RECEIVED_MASTER_ABORT);
  }

  message(request: DmaRequest, value: number): boolean {
    return this.#translator.message?.(request, value) ?? false;
  }

  interpose(translator: DmaTranslator | undefined): void {
    this.root.interpose(translator);
  }

  sendMessage({ addressLow, addressHigh, data }: Message): boolean {
    if (!this.dma.enabled) return false;
    const { messages } = this.root;
    if (messages !== undefined) return messages.send(this.dma.requester, addressLow, addressHigh, data);
    this.#view.setUint32(0, data, true);
    return this.dma.write(addressLow, addressHigh, this.#word) === DMA_OK;
  }

  scheduleMessages(): void {
    this.root.scheduleMessages(this.fn);
  }

  refresh(): void {
    this.root.refresh();
  }

  /**
   * Requester ID and enable after the registers of the function and of all bridges above it. A bridge passes up only
   * IDs of bus numbers that it claims: completions to others would not find their way, and ports with ACS source
   * validation refuse them (PCIe 2.2.9.1, 6.12.1.1).
   */
  update(): void {
    const { fn, dma } = this;
    const requester = fn.requester & 0xffff;
    if (dma.requester !== requester) this.#epoch++;
    dma.requester = requester;
    let enabled = fn.bus !== undefined && fn.mayMaster;
    for (const bridge of this.#bridges()) {
      enabled &&= bridge.mayMaster && bridge.claimsBus(fn.requester >> 8);
    }
    dma.enabled = enabled;
    fn.interrupt.update();
  }

  get #translator(): DmaTranslator {
    return this.fn.isTranslated ? this.root.translator : this.root.memoryTranslator;
  }

  /** From the function up to the root. */
  *#bridges(): Generator<PciBridge> {
    let bridge: PciBridge | undefined = this.fn.bus?.bridge;
    for (; bridge !== undefined; bridge = bridge.bus?.bridge) yield bridge;
  }

  /** ACS source validation: a port above does not claim the bus of the requester ID (PCIe 6.12.1.1). */
  #refusesSource(requester: number): boolean {
    for (const bridge of this.#bridges()) if (!bridge.claimsBus(requester >> 8)) return true;
    return false;
  }

  /** ACS translation blocking of a port above (PCIe 6.12.1.1): requests with an address type are refused. */
  #blocksTranslated(): boolean {
    for (const bridge of this.#bridges()) {
      if (bridge.capability(AcsCapability)?.blocksTranslated === true) return true;
    }
    return false;
  }

  #isConfiguration(address: number): boolean {
    const { base, size } = this.root.ecam;
    return address >= base && address < base + size;
  }
}
