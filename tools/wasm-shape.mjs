/**
 * Reads the sections of a WebAssembly binary that decide whether a core can live in somebody else's
 * memory, and names every reason why it cannot.
 *
 * Several instances of one core share one memory, and a core is instantiated again after a snapshot
 * is restored. Whatever instantiation writes (data segments, a start function) would overwrite live
 * state, and whatever an instance keeps to itself (mutable globals, a memory of its own) is state that
 * no snapshot sees.
 */

const IMPORT = 2;
const MEMORY = 5;
const GLOBAL = 6;
const START = 8;
const DATA = 11;

const KIND_MEMORY = 2;
const KIND_GLOBAL = 3;

/** Largest number of 64 KiB pages of a 32-bit memory. */
export const MAX_PAGES = 65536;

/** A cursor over a wasm binary; reads past the end throw. */
class Cursor {
  constructor(bytes, offset = 0, end = bytes.length) {
    Object.assign(this, { bytes, offset, end });
  }

  byte() {
    if (this.offset >= this.end) throw new Error('the wasm binary is truncated');
    return this.bytes[this.offset++];
  }

  /** Unsigned LEB128 of up to 35 bits. */
  uint() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (scale > 2 ** 35) throw new Error('the wasm binary holds an overlong integer');
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  skip(count) {
    if (this.offset + count > this.end) throw new Error('the wasm binary is truncated');
    this.offset += count;
  }

  name() {
    const length = this.uint();
    const start = this.offset;
    this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(start, this.offset));
  }

  limits() {
    const flags = this.byte();
    const min = this.uint();
    return { shared: (flags & 2) !== 0, min, max: flags & 1 ? this.uint() : undefined };
  }
}

function readImports(cursor, shape) {
  for (let left = cursor.uint(); left > 0; left--) {
    const from = `${cursor.name()}.${cursor.name()}`;
    const kind = cursor.byte();
    if (kind === KIND_MEMORY) shape.importedMemories.push({ from, ...cursor.limits() });
    else if (kind === KIND_GLOBAL) {
      cursor.byte();
      if (cursor.byte() === 1) shape.mutableGlobals++;
    } else if (kind === 1) {
      cursor.byte();
      cursor.limits();
    } else cursor.uint();
  }
}

/** Skips a constant expression of a global: every operator that AssemblyScript emits there. */
function skipConstant(cursor) {
  for (;;) {
    const opcode = cursor.byte();
    if (opcode === 0x0b) return;
    if (opcode === 0x41 || opcode === 0x42 || opcode === 0x23 || opcode === 0xd2) {
      while (cursor.byte() >= 0x80);
    } else if (opcode === 0x43) cursor.skip(4);
    else if (opcode === 0x44) cursor.skip(8);
    else if (opcode === 0xd0) cursor.byte();
    else if (opcode === 0xfd) {
      cursor.uint();
      cursor.skip(16);
    } else if (opcode < 0x6a || opcode > 0x7e) throw new Error(`unknown constant operator ${opcode}`);
  }
}

function readGlobals(cursor, shape) {
  for (let left = cursor.uint(); left > 0; left--) {
    cursor.byte();
    if (cursor.byte() === 1) shape.mutableGlobals++;
    skipConstant(cursor);
  }
}

/**
 * @param {Uint8Array} bytes a WebAssembly binary
 * @returns what the binary imports, owns and writes on instantiation
 * @throws Error when the bytes are not a well-formed wasm binary
 */
export function readShape(bytes) {
  const shape = { importedMemories: [], ownMemories: 0, mutableGlobals: 0, start: false, dataSegments: 0 };
  if (bytes.length < 8 || bytes[0] !== 0 || bytes[1] !== 0x61 || bytes[2] !== 0x73 || bytes[3] !== 0x6d) {
    throw new Error('this is no wasm binary');
  }
  const file = new Cursor(bytes, 8);
  while (file.offset < file.end) {
    const id = file.byte();
    const size = file.uint();
    const start = file.offset;
    file.skip(size);
    const section = new Cursor(bytes, start, file.offset);
    if (id === IMPORT) readImports(section, shape);
    else if (id === MEMORY) shape.ownMemories = section.uint();
    else if (id === GLOBAL) readGlobals(section, shape);
    else if (id === START) shape.start = true;
    else if (id === DATA) shape.dataSegments = section.uint();
  }
  return shape;
}

/**
 * @param {Uint8Array} bytes a WebAssembly binary
 * @returns {string[]} one sentence for each reason why it cannot be a core; empty when it can
 */
export function findFaults(bytes) {
  const shape = readShape(bytes);
  const faults = [];
  if (shape.dataSegments > 0) {
    faults.push(
      `it has ${shape.dataSegments} data segment(s): strings, static arrays and memory.data() are not allowed`,
    );
  }
  if (shape.mutableGlobals > 0) {
    faults.push(
      `it has ${shape.mutableGlobals} mutable global(s): keep state behind a base address, ` +
        'and write top-level values as const',
    );
  }
  if (shape.start) faults.push('it has a start function: top-level code must be constant expressions');
  if (shape.ownMemories > 0) faults.push('it has a memory of its own');
  const [memory, ...others] = shape.importedMemories;
  if (memory?.from !== 'env.memory' || others.length > 0) {
    faults.push('it must import exactly one memory, env.memory');
  } else if (memory.shared || memory.min > 1 || memory.max !== MAX_PAGES) {
    faults.push(`its memory import must be unshared with limits 0..${MAX_PAGES} or 1..${MAX_PAGES}`);
  }
  return faults;
}
