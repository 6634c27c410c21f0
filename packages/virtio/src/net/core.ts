import { fetchCore, instantiateCore, type HostMemory } from '@vmloom/memory';

const wasm = await fetchCore(new URL('../../wasm/net.wasm', import.meta.url));

/** Functions of assembly/net.core.ts. */
export interface NetCore {
  /** Bytes copied. */
  scatter(
    pageFlags: number,
    ranges: number,
    count: number,
    skip: number,
    offsets: number,
    lengths: number,
    first: number,
    end: number,
  ): number;
  /** 0 or 1. */
  sound(frame: number, length: number): number;
}

export const createNetCore = (memory: HostMemory): NetCore => instantiateCore<NetCore>(wasm, memory);
