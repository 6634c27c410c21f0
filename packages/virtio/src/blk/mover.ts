import type { HostMemory } from '@vmloom/memory';
import type { Chain } from '../queue/chain.js';
import { SECTOR, type BlockStore } from './block-store.js';
import { ID_LENGTH, HEADER, VIRTIO_BLK_S_OK } from './registers.js';
import type { BlockAction, BlockRequest } from './request.js';

/** Moves bytes between chains and a store that answers at once: straight, with no copy between. */
export class Mover {
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  readonly #memory: HostMemory;
  readonly #store: BlockStore;

  constructor(memory: HostMemory, store: BlockStore) {
    this.#memory = memory;
    this.#store = store;
  }

  /** Does what the action says. @throws whatever the store throws */
  perform(chain: Chain, action: BlockAction): void {
    const store = this.#store;
    switch (action.kind) {
      case 'read':
        return this.#read(chain, action.at, action.from, action.length);
      case 'write':
        return this.#write(chain, action.at, action.from, action.length);
      case 'discard':
        return void store.discard(action.at, action.length);
      case 'zero':
        return void store.zero(action.at, action.length, action.deallocate);
      case 'flush':
        return void store.flush();
    }
  }

  #read(chain: Chain, at: number, from: number, length: number): void {
    const { flags, bytes } = this.#memory;
    const count = chain.writable.slice(from, length, this.#offsets, this.#lengths);
    if (!this.#straight(count)) {
      const buffer = new Uint8Array(length);
      void this.#store.read(at, buffer);
      chain.writable.write(from, buffer);
      return;
    }
    for (let index = 0; index < count; index++) {
      const offset = this.#offsets[index];
      const size = this.#lengths[index];
      try {
        void this.#store.read(at, bytes.subarray(offset, offset + size));
      } finally {
        // Also of a read that failed halfway: something may have been written.
        flags.noteStore(offset as Parameters<typeof flags.noteStore>[0], size);
      }
      at += size;
    }
  }

  #write(chain: Chain, at: number, from: number, length: number): void {
    const { bytes } = this.#memory;
    const count = chain.readable.slice(HEADER + from, length, this.#offsets, this.#lengths);
    if (!this.#straight(count)) {
      void this.#store.write(at, chain.readable.bytes(HEADER + from, length));
      return;
    }
    for (let index = 0; index < count; index++) {
      const offset = this.#offsets[index];
      const size = this.#lengths[index];
      void this.#store.write(at, bytes.subarray(offset, offset + size));
      at += size;
    }
  }

  /** 2.7.4.1: the driver cuts data as it likes; a store wants whole sectors. */
  #straight(count: number): boolean {
    for (let index = 0; index < count; index++) if (this.#lengths[index] % SECTOR !== 0) return false;
    return true;
  }
}

/**
 * Writes what is due at the end: the ID string, zeros where nothing was read, and the status byte, the last one.
 * How many bytes were written, all of the chain's.
 */
export function writeEnd(chain: Chain, request: BlockRequest, serial: Uint8Array): number {
  const { writable } = chain;
  const room = writable.length - 1;
  let filled = 0;
  if (request.status === VIRTIO_BLK_S_OK) {
    if (request.kind === 'read') filled = request.done;
    if (request.kind === 'id') filled = writable.write(0, serial.subarray(0, Math.min(ID_LENGTH, room)));
  }
  // 2.7.8.2: the used length counts from the first byte on, so what lies before the status is written too.
  if (filled < room) writable.fill(filled, room - filled, 0);
  writable.setU8(room, request.status);
  return room + 1;
}
