import { EINVAL, EPROTO, P9Error } from './errno.js';
import { HEADER } from './registers.js';

/**
 * Reads a message. Strings are bytes that mean whatever the client's file system means by them: each becomes the
 * character of its number, so that nothing is lost. @throws P9Error EPROTO where the message is too short
 */
export class MessageReader {
  readonly #view: DataView;
  #at = HEADER;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  u8(): number {
    return this.bytes[this.#skip(1)];
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#skip(8), true);
  }

  /** A position or a size. @throws P9Error EINVAL from 2^53 on */
  size(): number {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new P9Error(EINVAL);
    return Number(value);
  }

  string(): string {
    const length = this.u16();
    const start = this.#skip(length);
    let text = '';
    for (let index = start; index < start + length; index++) text += String.fromCharCode(this.bytes[index]);
    return text;
  }

  data(length: number): Uint8Array {
    const start = this.#skip(length);
    return this.bytes.subarray(start, start + length);
  }

  #skip(length: number): number {
    const at = this.#at;
    if (at + length > this.bytes.length) throw new P9Error(EPROTO);
    this.#at += length;
    return at;
  }
}

/** Writes a message from behind its header on; grows as it is written. */
export class MessageWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = HEADER;

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint | number): this {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
    return this;
  }

  string(text: string): this {
    this.u16(text.length);
    const at = this.#room(text.length);
    for (let index = 0; index < text.length; index++) this.#bytes[at + index] = text.charCodeAt(index);
    return this;
  }

  qid({ type, version, path }: Qid): this {
    return this.u8(type).u32(version).u64(path);
  }

  /** Room for `length` bytes that the caller fills; {@link cut} takes back what it does not. */
  data(length: number): Uint8Array {
    const at = this.#room(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Takes everything behind `length` back. */
  cut(length: number): void {
    this.#length = length;
  }

  /** Writes a number over what stands at `at`. */
  patch(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** The message. */
  finish(type: number, tag: number): Uint8Array {
    this.#view.setUint32(0, this.#length, true);
    this.#bytes[4] = type;
    this.#view.setUint16(5, tag, true);
    return this.#bytes.subarray(0, this.#length);
  }

  /** Where so many bytes have room. Bytes and view may be new ones afterwards. */
  #room(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** What a server calls an object by: the same object, the same qid. */
export interface Qid {
  /** QT_*; 0 a plain file. */
  readonly type: number;
  /** Changes when the object does. */
  readonly version: number;
  readonly path: bigint;
}
