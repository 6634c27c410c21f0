/** A section to put into an ELF file. */
export interface SectionContent {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Index of another section, counted from 1 in the order given. */
  readonly link?: number;
}

const HEADER = 64;
const SECTION_HEADER = 64;

/** An RV64 ELF file that has sections and nothing else. */
export function elfFile(sections: readonly SectionContent[]): Uint8Array {
  const encoder = new TextEncoder();
  const names = encoder.encode(['', ...sections.map(({ name }) => name), '.shstrtab', ''].join('\0'));
  const all: readonly SectionContent[] = [...sections, { name: '.shstrtab', bytes: names }];
  const dataSize = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const table = HEADER + dataSize;
  const file = new Uint8Array(table + (all.length + 1) * SECTION_HEADER);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 1, true);
  view.setUint16(18, 243, true);
  view.setBigUint64(40, BigInt(table), true);
  view.setUint16(58, SECTION_HEADER, true);
  view.setUint16(60, all.length + 1, true);
  view.setUint16(62, all.length, true);
  let at = HEADER;
  let name = 1;
  all.forEach((section, index) => {
    const header = table + (index + 1) * SECTION_HEADER;
    file.set(section.bytes, at);
    view.setUint32(header, name, true);
    view.setUint32(header + 4, 1, true);
    view.setBigUint64(header + 24, BigInt(at), true);
    view.setBigUint64(header + 32, BigInt(section.bytes.length), true);
    view.setUint32(header + 40, section.link ?? 0, true);
    at += section.bytes.length;
    name += section.name.length + 1;
  });
  return file;
}

/** A kernel module's file with `.modinfo` lines. */
export function moduleFile(lines: readonly string[]): Uint8Array {
  return elfFile([
    { name: '.modinfo', bytes: new TextEncoder().encode(lines.map((line) => `${line}\0`).join('')) },
  ]);
}

/** A library or program that needs libraries. */
export function linkedFile(needed: readonly string[]): Uint8Array {
  const strings = new TextEncoder().encode(['', ...needed, ''].join('\0'));
  const dynamic = new DataView(new ArrayBuffer((needed.length + 1) * 16));
  let at = 1;
  needed.forEach((name, index) => {
    dynamic.setBigUint64(index * 16, 1n, true);
    dynamic.setBigUint64(index * 16 + 8, BigInt(at), true);
    at += name.length + 1;
  });
  return elfFile([
    { name: '.dynstr', bytes: strings },
    { name: '.dynamic', bytes: new Uint8Array(dynamic.buffer), link: 1 },
  ]);
}
