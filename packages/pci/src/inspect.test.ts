import { describe, expect, it } from 'vitest';
import { ExpressCapability } from './capabilities/express.js';
import { MsixCapability } from './capabilities/msix.js';
import { describeFabric, dumpConfiguration, inspectFabric, inspectFunction } from './inspect.js';
import { RootPort } from './port.js';
import { FakeFunction, FakeHost } from './testing/index.js';

function build(): { host: FakeHost; fn: FakeFunction } {
  const host = new FakeHost();
  const fn = new FakeFunction({ vendor: 0x8086, device: 0x10c9, classCode: 0x02_00_00 });
  fn.addBar(3, { kind: 'memory', size: 0x4000 });
  fn.addCapability(new MsixCapability({ vectors: 10, bar: 3, pendingOffset: 0x2000 }));
  fn.addCapability(new ExpressCapability({ type: 'endpoint', functionReset: true }));
  host.root.plug(new RootPort()).plug(fn);
  host.enumerate();
  host.enable(fn);
  return { host, fn };
}

describe('inspectors', () => {
  it('a function: identity, place, BARs with regions, capabilities with fields, interrupt routing', () => {
    const { host, fn } = build();
    expect(inspectFunction(host.root, fn)).toMatchObject({
      address: '01:00.0',
      vendor: 0x8086,
      device: 0x10c9,
      command: 7,
      pin: 1,
      line: 1,
      interruptMode: 'intx',
      bars: [
        { index: 0, kind: 'memory', base: 0x4000_0000, size: 0x1000, regions: [{ name: 'registers' }] },
        {
          index: 3,
          size: 0x4000,
          regions: [
            { name: 'msix-table', size: 160 },
            { name: 'msix-pending', offset: 0x2000 },
          ],
        },
      ],
      capabilities: [
        { name: 'MSI-X', fields: { vectors: 10, enabled: false } },
        { name: 'Express', fields: { type: 'endpoint', functionReset: true } },
      ],
      bridge: undefined,
    });
    expect(inspectFabric(host.root)[1].bridge).toMatchObject({
      secondary: 1,
      memory: { first: 0x4000_0000, last: 0x400f_ffff },
      prefetchable: undefined,
    });
  });

  it('`info pci`: a paragraph per function', () => {
    const { host } = build();
    expect(describeFabric(host.root)).toBe(`\
00:00.0 host-bridge-0: class 0600, 1b36:0008
00:01.0 root-port-0: class 0604, 1b36:000c
  INTA to line 1, intx in use
  buses: primary 0, secondary 1, subordinate 1
  memory window: 0x40000000 to 0x400fffff
01:00.0 fake-0: class 0200, 8086:10c9
  INTA to line 1, intx in use
  BAR 0: 32-bit memory, 0x40000000 to 0x40000fff
  BAR 3: 32-bit memory, 0x40004000 to 0x40007fff`);
  });

  it('a dump has the rows of `lspci -xxx`: 256 bytes, 4096 for PCI Express', () => {
    const { host, fn } = build();
    const rows = dumpConfiguration([fn]).split('\n');
    expect(rows[0]).toBe('01:00.0 0200: 8086:10c9');
    expect(rows[1]).toBe('00: 86 80 c9 10 07 00 10 00 00 00 00 02 00 00 00 00');
    expect(rows.slice(1, -2)).toHaveLength(256);
    expect(rows[256].startsWith('ff0: ')).toBe(true);
    expect(dumpConfiguration(host.root.functions()).split('\n\n')).toHaveLength(4);
  });
});
