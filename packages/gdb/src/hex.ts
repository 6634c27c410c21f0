/** Unsigned, 1 to 16 hexadecimal digits; undefined for any other text. */
export function parseHex(text: string): bigint | undefined {
  return /^[0-9a-fA-F]{1,16}$/.test(text) ? BigInt(`0x${text}`) : undefined;
}

/** As {@link parseHex}, and at most `most`. */
export function parseCount(text: string, most: number): number | undefined {
  const value = parseHex(text);
  return value !== undefined && value <= BigInt(most) ? Number(value) : undefined;
}

/** Two digits to a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** The bytes of pairs of digits; undefined unless the text is nothing else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16),
  );
}

/** A register's value as the protocol shows it: in the target's byte order, least significant byte first. */
export function registerToHex(value: bigint, bytes: number): string {
  return toHex(
    Uint8Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(index * 8)) & 0xffn)),
  );
}

/** The inverse of {@link registerToHex}, for 1 to 8 bytes. */
export function registerFromHex(text: string): bigint | undefined {
  const bytes = fromHex(text);
  if (bytes === undefined || bytes.length === 0 || bytes.length > 8) return undefined;
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** One byte to a character. */
export const latin1 = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};

/** One character to a byte; characters above U+00FF become question marks. */
export const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    return code < 256 ? code : 0x3f;
  });
