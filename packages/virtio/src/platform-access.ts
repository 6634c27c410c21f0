import {
  DMA_ABORT,
  DirectTranslator,
  DmaPort,
  type DmaAnswer,
  type DmaRequest,
  type DmaTranslator,
  type DmaWindow,
} from '@vmloom/device';
import type { AddressSpace } from '@vmloom/memory';

/**
 * 6.1 ACCESS_PLATFORM: without it a device reaches memory by physical addresses whatever IOMMU stands before its
 * function; with it, as the function does. {@link dma} is the device's port; enable and requester ID are those of
 * the function's port.
 */
export class PlatformAccess {
  readonly dma: DmaPort;
  readonly #through: Through;
  readonly #past: Through;

  constructor(port: DmaPort) {
    this.#through = new Through(port, () => port.translator);
    let direct = new DirectTranslator(port.translator.space);
    this.#past = new Through(port, () => {
      if (direct.space !== port.translator.space) direct = new DirectTranslator(port.translator.space);
      return port.translator instanceof DirectTranslator ? port.translator : direct;
    });
    this.dma = new DmaPort(port.memory, this.#past);
  }

  /** True: physical addresses. */
  bypass(past: boolean): void {
    this.dma.translator = past ? this.#past : this.#through;
  }
}

/** A translator that is asked in the name of another port. */
class Through implements DmaTranslator {
  #generation = 0;
  #known = NaN;
  #asked: DmaTranslator | undefined;

  constructor(
    private readonly port: DmaPort,
    private readonly translator: () => DmaTranslator,
  ) {}

  get space(): AddressSpace {
    return this.port.translator.space;
  }

  /** Negative while the function may not master the bus. */
  get generation(): number {
    if (!this.port.enabled) return -1;
    const translator = this.translator();
    const { generation } = translator;
    if (translator !== this.#asked || generation !== this.#known) {
      this.#asked = translator;
      this.#known = generation ?? NaN;
      this.#generation++;
    }
    return this.#generation;
  }

  translate(request: DmaRequest, answer: DmaAnswer): void {
    if (!this.port.enabled) return answer.fail(DMA_ABORT);
    request.requester = this.port.requester;
    this.translator().translate(request, answer);
  }

  window(address: number, write: boolean): DmaWindow | undefined {
    return this.translator().window?.(address, write);
  }
}
