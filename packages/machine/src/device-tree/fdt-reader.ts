import { MachineError } from '../error.js';
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_HEADER_BOOT_CPU,
  FDT_HEADER_LAST_COMPATIBLE,
  FDT_HEADER_MAGIC,
  FDT_HEADER_OFFSET_RESERVATIONS,
  FDT_HEADER_OFFSET_STRINGS,
  FDT_HEADER_OFFSET_STRUCTURE,
  FDT_HEADER_SIZE,
  FDT_HEADER_SIZE_STRINGS,
  FDT_HEADER_SIZE_STRUCTURE,
  FDT_HEADER_TOTAL_SIZE,
  FDT_HEADER_VERSION,
  FDT_MAGIC,
  FDT_NOP,
  FDT_PROP,
  FDT_RESERVATION_SIZE,
  FDT_VERSION,
} from './fdt-format.js';
import type { MemoryReservation } from './fdt-writer.js';
import type { DeviceTreeNode } from './node.js';

/** Deeper trees are refused: no board has them, and recursion must end. */
const MAX_DEPTH = 64;
const NODE_NAME = /^[A-Za-z0-9,._+-]+(@[A-Za-z0-9,._+-]+)?$/;
const PROPERTY_NAME = /^[A-Za-z0-9,._+?#-]+$/;

export interface FlattenedTree {
  readonly root: DeviceTreeNode;
  readonly reservations: readonly MemoryReservation[];
  readonly bootCpu: number;
  /** Bytes, as the header says; the file may be longer. */
  readonly size: number;
}

/**
 * Reads a flattened tree and believes nothing of it: every offset, length, name and token is checked.
 * @throws MachineError bad-device-tree
 */
export function readFdt(bytes: Uint8Array): FlattenedTree {
  return new FdtReader(bytes).read();
}

function refuse(sentence: string): never {
  throw new MachineError('bad-device-tree', `the device tree is not valid: ${sentence}`);
}

class FdtReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #stringsAt = 0;
  #stringsEnd = 0;
  #at = 0;
  #end = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  read(): FlattenedTree {
    if (this.#bytes.length < FDT_HEADER_SIZE) refuse('it is shorter than its header');
    const field = (at: number): number => this.#view.getUint32(at);
    if (field(FDT_HEADER_MAGIC) !== FDT_MAGIC) refuse('it does not begin with 0xd00dfeed');
    const size = field(FDT_HEADER_TOTAL_SIZE);
    if (size < FDT_HEADER_SIZE || size > this.#bytes.length) {
      refuse(`it claims ${size} bytes and has ${this.#bytes.length}`);
    }
    if (field(FDT_HEADER_VERSION) < FDT_VERSION || field(FDT_HEADER_LAST_COMPATIBLE) > FDT_VERSION) {
      refuse(`version ${field(FDT_HEADER_VERSION)} cannot be read as version ${FDT_VERSION}`);
    }
    const block = (name: string, at: number, length: number, align: number): void => {
      if (at % align !== 0) refuse(`the ${name} begins at ${at}, not at a multiple of ${align}`);
      if (at < FDT_HEADER_SIZE || at + length > size) refuse(`the ${name} does not lie inside it`);
    };
    const structureAt = field(FDT_HEADER_OFFSET_STRUCTURE);
    const structureSize = field(FDT_HEADER_SIZE_STRUCTURE);
    block('structure block', structureAt, structureSize, 4);
    this.#stringsAt = field(FDT_HEADER_OFFSET_STRINGS);
    block('strings block', this.#stringsAt, field(FDT_HEADER_SIZE_STRINGS), 1);
    this.#stringsEnd = this.#stringsAt + field(FDT_HEADER_SIZE_STRINGS);
    const reservations = this.#reservations(field(FDT_HEADER_OFFSET_RESERVATIONS), size);
    this.#at = structureAt;
    this.#end = structureAt + structureSize;

    if (this.#token() !== FDT_BEGIN_NODE) refuse('the structure block does not begin with a node');
    const root = this.#node(0);
    if (this.#token() !== FDT_END) refuse('something follows the root node');
    if (this.#at !== this.#end) refuse('the structure block goes on after its end token');
    return { root, reservations, bootCpu: field(FDT_HEADER_BOOT_CPU), size };
  }

  #reservations(start: number, size: number): MemoryReservation[] {
    if (start % 8 !== 0 || start < FDT_HEADER_SIZE) refuse('the memory reservations are misplaced');
    const reservations: MemoryReservation[] = [];
    for (let at = start; ; at += FDT_RESERVATION_SIZE) {
      if (at + FDT_RESERVATION_SIZE > size) refuse('the memory reservations do not end');
      const address = this.#view.getBigUint64(at);
      const length = this.#view.getBigUint64(at + 8);
      if (address === 0n && length === 0n) return reservations;
      reservations.push({ address, size: length });
    }
  }

  /** The next token that is no NOP. */
  #token(): number {
    for (;;) {
      const token = this.#cell();
      if (token !== FDT_NOP) return token;
    }
  }

  #cell(): number {
    if (this.#at + 4 > this.#end) refuse('the structure block ends too early');
    const value = this.#view.getUint32(this.#at);
    this.#at += 4;
    return value;
  }

  /** The rest of a node whose begin token was read. */
  #node(depth: number): DeviceTreeNode {
    if (depth > MAX_DEPTH) refuse(`nodes are nested more than ${MAX_DEPTH} deep`);
    const name = this.#text(this.#at, this.#end);
    this.#skip(name.length + 1);
    if (depth === 0 ? name !== '' : !NODE_NAME.test(name)) refuse(`${JSON.stringify(name)} is no node name`);
    const properties = new Map<string, Uint8Array>();
    const children: DeviceTreeNode[] = [];
    const names = new Set<string>();
    for (;;) {
      const token = this.#token();
      if (token === FDT_END_NODE) return { name, properties, children };
      if (token === FDT_BEGIN_NODE) {
        const child = this.#node(depth + 1);
        if (names.has(child.name)) refuse(`${name || '/'} has two nodes called ${child.name}`);
        names.add(child.name);
        children.push(child);
      } else if (token === FDT_PROP) {
        if (children.length > 0) refuse(`${name || '/'} has a property behind a node`);
        this.#property(properties);
      } else refuse(`0x${token.toString(16)} is no token`);
    }
  }

  #property(properties: Map<string, Uint8Array>): void {
    const length = this.#cell();
    const nameAt = this.#stringsAt + this.#cell();
    if (nameAt >= this.#stringsEnd) refuse('a property name lies outside the strings block');
    const name = this.#text(nameAt, this.#stringsEnd);
    if (!PROPERTY_NAME.test(name)) refuse(`${JSON.stringify(name)} is no property name`);
    if (properties.has(name)) refuse(`the property ${name} is there twice`);
    const start = this.#at;
    this.#skip(length);
    properties.set(name, this.#bytes.slice(start, start + length));
  }

  /** Moves on by `length` bytes and to the next multiple of 4. */
  #skip(length: number): void {
    const next = this.#at + Math.ceil(length / 4) * 4;
    if (next > this.#end) refuse('the structure block ends too early');
    this.#at = next;
  }

  /** The NUL-ended text at `at`: ASCII, so that its length is its bytes. */
  #text(at: number, end: number): string {
    const length = this.#bytes.subarray(at, end).indexOf(0);
    if (length < 0) refuse('a name does not end');
    const name = this.#bytes.subarray(at, at + length);
    if (name.some((byte) => byte < 0x20 || byte > 0x7e)) refuse('a name has bytes that are no ASCII letters');
    return this.#decoder.decode(name);
  }
}
