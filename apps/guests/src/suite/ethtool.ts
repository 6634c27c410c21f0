/** Parts of `ethtool -t`, by name: 0 is good, anything else says what went wrong. */
export function selfTestParts(text: string): Map<string, number> {
  const parts = new Map<string, number>();
  for (const [, name, code] of text.matchAll(/^(\w+)\s+test\s+\([^)]*\)\s+(-?\d+)\s*$/gm)) {
    parts.set(name.toLowerCase(), Number(code));
  }
  return parts;
}

/** Bytes of `ethtool -e … raw off`. */
export function dumpedBytes(text: string): Uint8Array {
  const rows = [...text.matchAll(/^0x[0-9a-f]+:\s+((?:[0-9a-f]{2}\s*)+)$/gim)];
  return Uint8Array.from(
    rows.flatMap(([, row]) =>
      row
        .trim()
        .split(/\s+/)
        .map((byte) => parseInt(byte, 16)),
    ),
  );
}

/** Sum of the 16-bit words, least significant byte first; 0xBABA in an EEPROM that is whole. 8254x manual, 5.6.35 */
export function wordSum(bytes: Uint8Array): number {
  const words = Array.from({ length: bytes.length / 2 }, (_, at) => bytes[2 * at] | (bytes[2 * at + 1] << 8));
  return words.reduce((sum, word) => (sum + word) & 0xffff, 0);
}

/** Counters of `ethtool -S` by name. */
export function counters(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/^\s+(\w+):\s+(\d+)\s*$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
}

/** Registers of `ethtool -d` by their short names. */
export function registers(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/^0x[0-9A-F]+:\s+(\w+)\s+\([^)]*\)\s+0x([0-9A-F]+)\s*$/gim)].map(([, name, value]) => [
      name,
      parseInt(value, 16),
    ]),
  );
}
