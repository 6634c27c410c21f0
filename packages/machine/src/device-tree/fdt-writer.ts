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
  FDT_LAST_COMPATIBLE_VERSION,
  FDT_MAGIC,
  FDT_PROP,
  FDT_RESERVATION_SIZE,
  FDT_VERSION,
} from './fdt-format.js';
import type { DeviceTreeNode } from './node.js';

/** Memory that the guest must leave alone (Devicetree specification 5.3). */
export interface MemoryReservation {
  readonly address: bigint;
  readonly size: bigint;
}

export interface FdtOptions {
  /** The unit address of the CPU that boots; 0 unless told. */
  readonly bootCpu?: number;
  readonly reservations?: readonly MemoryReservation[];
}

/** Bytes that grow. */
class ByteSink {
  #bytes = new Uint8Array(4096);
  length = 0;

  cell(value: number): void {
    this.#room(4);
    new DataView(this.#bytes.buffer).setUint32(this.length, value);
    this.length += 4;
  }

  /** Appends, then pads with zeros to a multiple of 4. */
  padded(bytes: Uint8Array): void {
    const size = Math.ceil(bytes.length / 4) * 4;
    this.#room(size);
    this.#bytes.set(bytes, this.length);
    this.length += size;
  }

  take(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  #room(size: number): void {
    if (this.length + size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + size));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** The flattened form of a tree, version 17 (Devicetree specification 0.4, chapter 5). */
export function writeFdt(root: DeviceTreeNode, options: FdtOptions = {}): Uint8Array {
  const reservations = options.reservations ?? [];
  const structure = new ByteSink();
  const names = new Map<string, number>();
  const strings: number[] = [];
  const encoder = new TextEncoder();

  const nameOffset = (name: string): number => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const offset = strings.length;
    names.set(name, offset);
    for (const byte of encoder.encode(name)) strings.push(byte);
    strings.push(0);
    return offset;
  };
  const writeNode = (current: DeviceTreeNode): void => {
    structure.cell(FDT_BEGIN_NODE);
    structure.padded(encoder.encode(`${current.name}\0`));
    for (const [name, value] of current.properties) {
      structure.cell(FDT_PROP);
      structure.cell(value.length);
      structure.cell(nameOffset(name));
      structure.padded(value);
    }
    for (const child of current.children) writeNode(child);
    structure.cell(FDT_END_NODE);
  };
  writeNode(root);
  structure.cell(FDT_END);

  const structureAt = FDT_HEADER_SIZE + (reservations.length + 1) * FDT_RESERVATION_SIZE;
  const stringsAt = structureAt + structure.length;
  const total = Math.ceil((stringsAt + strings.length) / 8) * 8;
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(FDT_HEADER_MAGIC, FDT_MAGIC);
  view.setUint32(FDT_HEADER_TOTAL_SIZE, total);
  view.setUint32(FDT_HEADER_OFFSET_STRUCTURE, structureAt);
  view.setUint32(FDT_HEADER_OFFSET_STRINGS, stringsAt);
  view.setUint32(FDT_HEADER_OFFSET_RESERVATIONS, FDT_HEADER_SIZE);
  view.setUint32(FDT_HEADER_VERSION, FDT_VERSION);
  view.setUint32(FDT_HEADER_LAST_COMPATIBLE, FDT_LAST_COMPATIBLE_VERSION);
  view.setUint32(FDT_HEADER_BOOT_CPU, options.bootCpu ?? 0);
  view.setUint32(FDT_HEADER_SIZE_STRINGS, strings.length);
  view.setUint32(FDT_HEADER_SIZE_STRUCTURE, structure.length);
  for (const [index, { address, size }] of reservations.entries()) {
    view.setBigUint64(FDT_HEADER_SIZE + index * FDT_RESERVATION_SIZE, address);
    view.setBigUint64(FDT_HEADER_SIZE + index * FDT_RESERVATION_SIZE + 8, size);
  }
  bytes.set(structure.take(), structureAt);
  bytes.set(strings, stringsAt);
  return bytes;
}
