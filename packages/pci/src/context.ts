import type { Clock, DmaPort, DmaTranslator, Ledger } from '@vmloom/device';
import type { HostMemory } from '@vmloom/memory';
import type { Message } from './interrupts.js';

/** What the fabric gives a function when it is plugged in, until it is unplugged. */
export interface FunctionContext {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly memory: HostMemory;
  /** The function's way to memory. The fabric keeps its requester ID and its enable in step. */
  readonly dma: DmaPort;
  /** Writes a message to memory in the function's name; false when nothing took it, or it may not master the bus. */
  sendMessage(message: Message): boolean;
  /** Has the function's messages delivered by the next event of the clock. */
  scheduleMessages(): void;
  /** Puts an IOMMU between the DMA of all other functions and memory; undefined takes it away again. */
  interpose(translator: DmaTranslator | undefined): void;
  /** Brings the memory map, DMA enables, requester IDs and interrupt wires in line with the registers. */
  refresh(): void;
}
