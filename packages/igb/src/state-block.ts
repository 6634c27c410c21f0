import type { HostMemory } from '@vmloom/memory';
import {
  CORE_STATE_CRC_TABLE,
  CORE_STATE_PAGE_FLAGS,
  CORE_STATE_RX_INPUT,
  CORE_STATE_PACKET_BUFFER,
  CORE_STATE_SIZE,
} from './layout-offsets.js';
import { REGISTER_BYTES } from './register-file.js';

/** The core's state in the reserve of a host's memory (`coreState` in layouts.ts), seen from TypeScript. */
export class StateBlock {
  readonly base: number;
  /** The whole memory of the host, by words. */
  readonly words: Uint32Array;
  readonly registers: Uint32Array;

  constructor(readonly memory: HostMemory) {
    this.base = memory.reserve(CORE_STATE_SIZE, 16);
    this.words = new Uint32Array(memory.wasm.buffer);
    this.registers = this.words.subarray(this.base >> 2, (this.base + REGISTER_BYTES) >> 2);
  }

  /** All zero, but for where the page flags are. */
  clear(): void {
    this.bytes(0, CORE_STATE_SIZE).fill(0);
    this.set(CORE_STATE_PAGE_FLAGS, this.memory.flags.offset);
  }

  get(field: number): number {
    return this.words[(this.base + field) >> 2];
  }

  set(field: number, value: number): void {
    this.words[(this.base + field) >> 2] = value;
  }

  /** The value, which becomes 0. */
  take(field: number): number {
    const index = (this.base + field) >> 2;
    const value = this.words[index];
    this.words[index] = 0;
    return value;
  }

  bytes(field: number, length: number): Uint8Array {
    return this.memory.bytes.subarray(this.base + field, this.base + field + length);
  }

  /** What differs from one moment to another: all but scratch areas and tables. */
  save(): { front: Uint8Array; packetBuffer: Uint8Array } {
    return {
      front: this.bytes(0, CORE_STATE_RX_INPUT).slice(),
      packetBuffer: this.bytes(
        CORE_STATE_PACKET_BUFFER,
        CORE_STATE_CRC_TABLE - CORE_STATE_PACKET_BUFFER,
      ).slice(),
    };
  }

  restore(saved: { front: Uint8Array; packetBuffer: Uint8Array }): void {
    this.bytes(0, CORE_STATE_RX_INPUT).set(saved.front);
    this.bytes(CORE_STATE_PACKET_BUFFER, CORE_STATE_CRC_TABLE - CORE_STATE_PACKET_BUFFER).set(
      saved.packetBuffer,
    );
    this.set(CORE_STATE_PAGE_FLAGS, this.memory.flags.offset);
  }
}
