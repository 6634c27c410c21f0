// A core that does nothing but store, so that the contracts every core must keep can be tested by themselves.
import { noteAlignedStore, noteStore } from './store';

export function store32(flags: u32, offset: u32, value: u32): void {
  store<u32>(offset, value);
  noteAlignedStore(flags, offset, 4);
}

export function fill(flags: u32, offset: u32, length: u32, value: u32): void {
  memory.fill(offset, <u8>value, length);
  noteStore(flags, offset, length);
}

export function load32(offset: u32): u32 {
  return load<u32>(offset);
}
