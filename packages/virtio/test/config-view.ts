import { registers as R } from '@vmloom/pci';

/** Words of a function's configuration space. */
export interface ConfigAccess {
  read(offset: number): Promise<number>;
  write(offset: number, value: number): Promise<void>;
}

/** What a driver and lspci learn of a function. */
export interface ConfigView {
  readonly identity: string;
  /** By number: kind, width, prefetchability and size. */
  readonly bars: Readonly<Record<number, string>>;
  /** By offset: what it is, and where its structure lies. */
  readonly capabilities: Readonly<Record<string, string>>;
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;
const TYPES = ['', 'common', 'notify', 'isr', 'device', 'pci-cfg'];

/** Reads all of it, as an operating system does when it finds the function. */
export async function viewConfig(fn: ConfigAccess): Promise<ConfigView> {
  const ids = await fn.read(R.VENDOR_ID);
  const classes = await fn.read(R.REVISION_ID);
  const subsystem = await fn.read(R.SUBSYSTEM_VENDOR_ID);
  const pin = ((await fn.read(R.INTERRUPT_LINE)) >>> 8) & 0xff;
  const identity = [ids, classes, subsystem, pin].map(hex).join(' ');
  return { identity, bars: await viewBars(fn), capabilities: await viewCapabilities(fn) };
}

async function viewBars(fn: ConfigAccess): Promise<Record<number, string>> {
  const bars: Record<number, string> = {};
  for (let index = 0; index < 6; index++) {
    const at = R.BAR0 + 4 * index;
    const before = await fn.read(at);
    await fn.write(at, 0xffff_ffff);
    const mask = await fn.read(at);
    await fn.write(at, before);
    if (mask === 0) continue;
    const io = (mask & 1) !== 0;
    const size = (~(mask & (io ? ~3 : ~15)) + 1) >>> 0;
    const wide = !io && (mask & 4) !== 0;
    bars[index] =
      `${io ? 'io' : `memory${wide ? '64' : '32'}`}${!io && (mask & 8) !== 0 ? ' prefetchable' : ''} ${hex(size)}`;
    if (wide) index++;
  }
  return bars;
}

async function viewCapabilities(fn: ConfigAccess): Promise<Record<string, string>> {
  const capabilities: Record<string, string> = {};
  let at = (await fn.read(R.CAPABILITIES_POINTER)) & 0xfc;
  for (let hops = 0; at !== 0 && hops < 48; hops++) {
    const header = await fn.read(at);
    const words = await Promise.all([4, 8, 12, 16].map((offset) => fn.read(at + offset)));
    const id = header & 0xff;
    if (id === R.CAPABILITY_MSIX) {
      capabilities[hex(at)] =
        `msix vectors ${(header >>> 16) & 0x7ff} table ${hex(words[0])} pending ${hex(words[1])}`;
    } else if (id === R.CAPABILITY_VENDOR) {
      const type = TYPES[header >>> 24] ?? 'unknown';
      const length = (header >>> 16) & 0xff;
      const where =
        type === 'pci-cfg' ? '' : ` bar ${words[0] & 0xff} ${words.slice(1, 3).map(hex).join(' ')}`;
      capabilities[hex(at)] =
        `${type} length ${length}${where}${type === 'notify' ? ` times ${words[3]}` : ''}`;
    } else capabilities[hex(at)] = `capability ${id}`;
    at = (header >>> 8) & 0xfc;
  }
  return capabilities;
}
