import { MachineError } from './error.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** Bytes of a size such as 4096, '128MiB', '128M' or '1g'. @throws MachineError bad-option */
export function parseSize(size: number | string): number {
  if (typeof size === 'number') return size;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?\s*$/i.exec(size);
  const bytes = match === null ? NaN : Number(match[1]) * UNITS[match[2].toLowerCase()];
  if (!Number.isSafeInteger(bytes)) {
    throw new MachineError('bad-option', `"${size}" is no size; write 4096, 128MiB, 128M or 1G`);
  }
  return bytes;
}
