/** Properties are text, 32-bit cells, or empty; what is an object is a child node. */
interface Tree {
  readonly [name: string]: string | readonly number[] | true | Tree;
}

const PLIC = 1;
const INTC = 2;
const POINTS = 4;

/** What the guest reads of a board, with every kind of property that its reader knows. */
const VIRT: Tree = {
  '#address-cells': [2],
  '#size-cells': [2],
  compatible: 'riscv-virtio',
  chosen: { bootargs: 'ip=10.0.0.1 cmd="ping 10.0.0.2; stats"', 'stdout-path': '/soc/serial@10000000' },
  'memory@80000000': { device_type: 'memory', reg: [0, 0x8000_0000, 0, 0x800_0000] },
  cpus: {
    '#address-cells': [1],
    '#size-cells': [0],
    'timebase-frequency': [10_000_000],
    'cpu@0': {
      device_type: 'cpu',
      reg: [0],
      'riscv,isa': 'rv64imafdc_zicsr_sstc',
      'riscv,isa-extensions': 'i\0m\0a\0sstc',
      'interrupt-controller': { '#interrupt-cells': [1], 'interrupt-controller': true, phandle: [INTC] },
    },
  },
  soc: {
    '#address-cells': [2],
    '#size-cells': [2],
    'plic@c000000': {
      compatible: 'sifive,plic-1.0.0\0riscv,plic0',
      '#address-cells': [0],
      '#interrupt-cells': [1],
      'interrupts-extended': [INTC, 11, INTC, 9],
      reg: [0, 0x0c00_0000, 0, 0x60_0000],
      phandle: [PLIC],
    },
    'serial@10000000': {
      compatible: 'ns16550a',
      reg: [0, 0x1000_0000, 0, 0x100],
      interrupts: [10],
      'reg-shift': [0],
    },
    'pci@30000000': {
      compatible: 'pci-host-ecam-generic',
      '#address-cells': [3],
      '#size-cells': [2],
      '#interrupt-cells': [1],
      reg: [0, 0x3000_0000, 0, 0x1000_0000],
      'bus-range': [0, 255],
      ranges: [
        ...[0x0100_0000, 0, 0, 0, 0x0300_0000, 0, 0x1_0000],
        ...[0x0200_0000, 0, 0x4000_0000, 0, 0x4000_0000, 0, 0x4000_0000],
        ...[0x0300_0000, 4, 0, 4, 0, 4, 0],
      ],
      'interrupt-map-mask': [0x1800, 0, 0, 7],
      'interrupt-map': Array.from({ length: POINTS * POINTS }, (_, row) => {
        const [slot, pin] = [row >> 2, row & 3];
        return [slot << 11, 0, 0, pin + 1, PLIC, 32 + ((slot + pin) % POINTS)];
      }).flat(),
    },
  },
};

// Devicetree specification 5.2 and 5.4.
const MAGIC = 0xd00d_feed;
const HEADER = 40;
const RESERVATIONS = 16;
const [BEGIN, END, PROPERTY, LAST] = [1, 2, 3, 9];

/** The blob of the tree above. */
export function virtTree(): Uint8Array {
  const words: number[] = [];
  let strings = '';
  const text = (value: string): void => {
    const bytes = Buffer.from(value.padEnd((value.length + 3) & ~3, '\0'), 'latin1');
    for (let at = 0; at < bytes.length; at += 4) words.push(bytes.readUInt32BE(at));
  };
  const node = (name: string, tree: Tree): void => {
    words.push(BEGIN);
    text(`${name}\0`);
    const entries = Object.entries(tree);
    for (const [key, value] of entries) {
      if (typeof value === 'object' && !Array.isArray(value)) continue;
      const cells = value === true ? [] : value;
      const length = typeof cells === 'string' ? cells.length + 1 : (cells as readonly number[]).length * 4;
      words.push(PROPERTY, length, strings.length);
      strings += `${key}\0`;
      if (typeof cells === 'string') text(`${cells}\0`);
      else words.push(...(cells as readonly number[]));
    }
    for (const [key, value] of entries) {
      if (typeof value === 'object' && !Array.isArray(value)) node(key, value as Tree);
    }
    words.push(END);
  };
  node('', VIRT);
  words.push(LAST);
  const structure = HEADER + RESERVATIONS;
  const stringsAt = structure + words.length * 4;
  const total = stringsAt + strings.length;
  const header = [MAGIC, total, structure, stringsAt, HEADER, 17, 16, 0, strings.length, words.length * 4];
  const blob = Buffer.alloc(total);
  [...header, 0, 0, 0, 0, ...words].forEach((word, index) => blob.writeUInt32BE(word >>> 0, index * 4));
  blob.write(strings, stringsAt, 'latin1');
  return blob;
}
