import type { DmaPort } from '@vmloom/device';
import * as B from './register-bits.js';
import type { RegisterFile } from './register-file.js';
import * as R from './register-map.js';

/** The physical function, as owner of a queue. */
export const PF = -1;

/**
 * The 16 receive and 16 transmit queues (7.1.1, 7.2.1) and whose they are. Queue q belongs to pool q mod 8; a pool is a
 * virtual function's while that is enabled, and its DMA then goes by that function's port.
 */
export class Queues {
  readonly #registers: RegisterFile;
  /** The port of each queue. */
  readonly #ports: DmaPort[];
  readonly #owners = new Int8Array(R.QUEUES).fill(PF);
  readonly #own: DmaPort;
  /** The queue's ring is another: what was read ahead of it is to be forgotten. */
  onChange: (queue: number) => void = () => undefined;

  constructor(registers: RegisterFile, dma: DmaPort) {
    this.#registers = registers;
    this.#own = dma;
    this.#ports = new Array<DmaPort>(R.QUEUES).fill(dma);
  }

  /** Queues n and n + 8 are virtual function n's, or the physical function's again (undefined). */
  assign(pool: number, dma: DmaPort | undefined): void {
    for (const queue of [pool, pool + R.POOLS]) {
      this.#owners[queue] = dma === undefined ? PF : pool;
      this.#ports[queue] = dma ?? this.#own;
      this.onChange(queue);
    }
  }

  /** The virtual function that owns a queue, or {@link PF}. */
  ownerOf(queue: number): number {
    return this.#owners[queue];
  }

  portOf(queue: number): DmaPort {
    return this.#ports[queue];
  }

  /** 7.10.2.x: with VMDq the pool of a queue is its number mod 8. */
  poolOf(queue: number): number {
    return queue & (R.POOLS - 1);
  }

  /** Pools are in use: MRQC says VMDq. */
  get pooled(): boolean {
    const mode = this.#registers.get(R.REG_MRQC) & B.MRQC_MODE_MASK;
    return mode === B.MRQC_VMDQ || mode === B.MRQC_VMDQ_RSS;
  }

  /** The queue may receive: its own enable, and with pools VFRE of its pool. */
  receives(queue: number): boolean {
    if ((this.#registers.get(R.REG_RXDCTL + queue * R.QUEUE_STRIDE) & B.DCTL_ENABLE) === 0) return false;
    return !this.pooled || ((this.#registers.get(R.REG_VFRE) >> this.poolOf(queue)) & 1) !== 0;
  }

  /** The queue may transmit: its own enable, and with pools VFTE of its pool. */
  transmits(queue: number): boolean {
    if ((this.#registers.get(R.REG_TXDCTL + queue * R.QUEUE_STRIDE) & B.DCTL_ENABLE) === 0) return false;
    return !this.pooled || ((this.#registers.get(R.REG_VFTE) >> this.poolOf(queue)) & 1) !== 0;
  }

  /** A queue starts anew, as after power-on (8.10.x; VF FLR): ring, head, tail, control. */
  reset(queue: number): void {
    const registers = [
      R.REG_RDBAL,
      R.REG_RDBAH,
      R.REG_RDLEN,
      R.REG_SRRCTL,
      R.REG_RDH,
      R.REG_RDT,
      R.REG_RXDCTL,
      R.REG_TDBAL,
      R.REG_TDBAH,
      R.REG_TDLEN,
      R.REG_TDH,
      R.REG_TDT,
      R.REG_TXDCTL,
      R.REG_TDWBAL,
      R.REG_TDWBAH,
    ];
    for (const register of registers) {
      const at = register + queue * R.QUEUE_STRIDE;
      this.#registers.set(at, this.#registers.resetValue(at));
    }
    this.onChange(queue);
  }
}
