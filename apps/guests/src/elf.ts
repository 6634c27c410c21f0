import { GuestsError } from './error.js';

const MAGIC = 0x464c_457f;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const MACHINE_RISCV = 243;
const SECTION_HEADER = 64;
const DYNAMIC_ENTRY = 16;
const DT_NEEDED = 1n;
const PT_INTERP = 3;
const PROGRAM_HEADER = 56;

interface Section {
  readonly name: string;
  readonly link: number;
  readonly bytes: Uint8Array;
}

/** What a program or library asks of the dynamic linker. */
export interface ElfNeeds {
  /** Libraries by their sonames (DT_NEEDED). */
  readonly libraries: readonly string[];
  /** Path of the dynamic linker (PT_INTERP), when it is a program that is linked dynamically. */
  readonly interpreter: string | undefined;
}

/** True when the bytes begin as an ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && view(bytes).getUint32(0, true) === MAGIC;
}

/** The libraries and the linker that an RV64 ELF file needs. @throws GuestsError bad-elf */
export function elfNeeds(bytes: Uint8Array): ElfNeeds {
  return guarded(() => {
    const all = sections(bytes);
    const dynamic = all.find(({ name }) => name === '.dynamic');
    const libraries: string[] = [];
    if (dynamic !== undefined) {
      const strings = all[dynamic.link]?.bytes ?? new Uint8Array(0);
      const table = view(dynamic.bytes);
      for (let at = 0; at + DYNAMIC_ENTRY <= dynamic.bytes.length; at += DYNAMIC_ENTRY) {
        if (table.getBigInt64(at, true) !== DT_NEEDED) continue;
        libraries.push(stringAt(strings, Number(table.getBigUint64(at + 8, true))));
      }
    }
    return { libraries, interpreter: interpreter(bytes) };
  });
}

/** Bytes of a section; undefined when the file has none of that name. @throws GuestsError bad-elf */
export function elfSection(bytes: Uint8Array, name: string): Uint8Array | undefined {
  return guarded(() => sections(bytes).find((section) => section.name === name)?.bytes);
}

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof GuestsError) throw cause;
    throw new GuestsError('bad-elf', 'the ELF file points outside itself', { cause });
  }
}

function sections(bytes: Uint8Array): Section[] {
  const data = checked(bytes);
  const table = Number(data.getBigUint64(40, true));
  const count = data.getUint16(60, true);
  const names = data.getUint16(62, true);
  const raw = Array.from({ length: count }, (_, index) => {
    const at = table + index * SECTION_HEADER;
    const start = Number(data.getBigUint64(at + 24, true));
    const size = Number(data.getBigUint64(at + 32, true));
    const NOBITS = 8;
    const held = data.getUint32(at + 4, true) === NOBITS ? 0 : size;
    if (start + held > bytes.length) throw new GuestsError('bad-elf', 'a section lies outside its ELF file');
    return {
      nameAt: data.getUint32(at, true),
      link: data.getUint32(at + 40, true),
      bytes: bytes.subarray(start, start + held),
    };
  });
  const strings = raw[names]?.bytes ?? new Uint8Array(0);
  return raw.map(({ nameAt, link, bytes: held }) => ({ name: stringAt(strings, nameAt), link, bytes: held }));
}

function interpreter(bytes: Uint8Array): string | undefined {
  const data = checked(bytes);
  const table = Number(data.getBigUint64(32, true));
  for (let index = 0; index < data.getUint16(56, true); index++) {
    const at = table + index * PROGRAM_HEADER;
    if (data.getUint32(at, true) === PT_INTERP)
      return stringAt(bytes, Number(data.getBigUint64(at + 8, true)));
  }
  return undefined;
}

function checked(bytes: Uint8Array): DataView {
  const data = view(bytes);
  const good =
    bytes.length >= SECTION_HEADER &&
    isElf(bytes) &&
    data.getUint8(4) === CLASS_64 &&
    data.getUint8(5) === LITTLE_ENDIAN &&
    data.getUint16(18, true) === MACHINE_RISCV;
  if (!good) throw new GuestsError('bad-elf', 'that is no ELF file for RV64');
  return data;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function stringAt(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  return new TextDecoder('latin1').decode(bytes.subarray(at, end < 0 ? bytes.length : end));
}
