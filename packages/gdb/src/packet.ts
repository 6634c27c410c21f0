import { bytesOf } from './hex.js';

/** What comes from the other side: a packet's data with its escapes undone, or a character between packets. */
export type Received =
  | { readonly kind: 'packet'; readonly data: Uint8Array }
  /** A packet whose checksum is wrong, or that is longer than the reader takes. */
  | { readonly kind: 'bad' }
  | { readonly kind: 'ack' }
  | { readonly kind: 'nack' }
  /** Ctrl-C. */
  | { readonly kind: 'interrupt' };

const [DOLLAR, HASH, ESCAPE, STAR, PLUS, MINUS, CTRL_C] = [0x24, 0x23, 0x7d, 0x2a, 0x2b, 0x2d, 0x03];
const ESCAPED: readonly number[] = [DOLLAR, HASH, ESCAPE, STAR];
const ESCAPE_BIT = 0x20;

/** `$data#checksum`, with `$`, `#`, `}` and `*` escaped (GDB manual, E.1 Overview). */
export function framed(data: string | Uint8Array): Uint8Array {
  const plain = typeof data === 'string' ? bytesOf(data) : data;
  const out = [DOLLAR];
  let sum = 0;
  const put = (byte: number): void => {
    out.push(byte);
    sum = (sum + byte) & 0xff;
  };
  for (const byte of plain) {
    if (ESCAPED.includes(byte)) {
      put(ESCAPE);
      put(byte ^ ESCAPE_BIT);
    } else put(byte);
  }
  out.push(HASH, ...bytesOf(sum.toString(16).padStart(2, '0')));
  return Uint8Array.from(out);
}

/** Takes a stream of bytes apart, however it is cut. Never throws. */
export class PacketReader {
  readonly #data: number[] = [];
  #state: 'between' | 'data' | 'checksum' = 'between';
  #digits = '';
  #sum = 0;
  #length = 0;

  /** A packet of more than `most` bytes, escapes included, is read to its end and is bad. */
  constructor(readonly most: number) {}

  *feed(bytes: Uint8Array): Generator<Received> {
    for (const byte of bytes) {
      const received = this.#byte(byte);
      if (received !== undefined) yield received;
    }
  }

  #byte(byte: number): Received | undefined {
    switch (this.#state) {
      case 'between':
        return this.#between(byte);
      case 'data':
        if (byte === HASH) {
          this.#state = 'checksum';
          this.#digits = '';
        } else if (byte === DOLLAR) this.#begin();
        else {
          this.#sum = (this.#sum + byte) & 0xff;
          if (++this.#length <= this.most) this.#data.push(byte);
        }
        return undefined;
      case 'checksum':
        this.#digits += String.fromCharCode(byte);
        if (this.#digits.length < 2) return undefined;
        this.#state = 'between';
        return this.#end();
    }
  }

  #between(byte: number): Received | undefined {
    if (byte === DOLLAR) this.#begin();
    else if (byte === PLUS) return { kind: 'ack' };
    else if (byte === MINUS) return { kind: 'nack' };
    else if (byte === CTRL_C) return { kind: 'interrupt' };
    return undefined;
  }

  #begin(): void {
    this.#state = 'data';
    this.#data.length = 0;
    this.#sum = 0;
    this.#length = 0;
  }

  #end(): Received {
    const right = /^[0-9a-fA-F]{2}$/.test(this.#digits) && Number.parseInt(this.#digits, 16) === this.#sum;
    if (!right || this.#length > this.most) return { kind: 'bad' };
    const data: number[] = [];
    for (let at = 0; at < this.#data.length; at++) {
      const byte = this.#data[at];
      if (byte !== ESCAPE) data.push(byte);
      else if (++at < this.#data.length) data.push(this.#data[at] ^ ESCAPE_BIT);
    }
    return { kind: 'packet', data: Uint8Array.from(data) };
  }
}
