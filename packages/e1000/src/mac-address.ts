import { E1000Error } from './error.js';

/** Six bytes of a station address from text like `52:54:00:12:34:56`. @throws E1000Error bad-mac */
export function parseMac(text: string): Uint8Array {
  const parts = text.split(/[:-]/);
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-f]{1,2}$/i.test(part))) {
    throw new E1000Error(
      'bad-mac',
      `${text} is no Ethernet address: six bytes in hexadecimal, like 52:54:00:12:34:56`,
    );
  }
  const bytes = Uint8Array.from(parts, (part) => parseInt(part, 16));
  if ((bytes[0] & 1) !== 0) {
    throw new E1000Error('bad-mac', `${text} is a group address; a station's first byte is even`);
  }
  return bytes;
}
