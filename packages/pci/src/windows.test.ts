import { ACCESS_FAULT, physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { PciError } from './error.js';
import { VIRT_WINDOWS } from './root-complex.js';
import { FakeFunction, FakeHost } from './testing/index.js';

describe('windows of the root complex', () => {
  it('PCIe 7.2.2: the ECAM window takes aligned accesses of 1, 2 and 4 bytes; any other is an access fault', () => {
    const host = new FakeHost();
    expect(host.load(0x3000_0001, 2)).toBe(ACCESS_FAULT);
    expect(host.load(0x3000_0002, 4)).toBe(ACCESS_FAULT);
    expect(host.store(0x3000_0003, 0, 2)).toBe(false);
    expect(host.space.store64(physical(0x3000_0000), 0, 0)).toBe(false);
    expect(host.load(0x3000_0003, 1)).toBe(0x00);
  });

  it('the board: ECAM, I/O, MMIO below and above 4 GiB lie where QEMU has them', () => {
    const host = new FakeHost();
    const at = Object.fromEntries(
      [...host.space.regions()].map(({ name, base, size }) => [name, [base, size]]),
    );
    expect(at).toMatchObject({
      'pcie-ecam': [0x3000_0000, 0x1000_0000],
      'pcie-io': [0x0300_0000, 0x1_0000],
      'pcie-mmio': [0x4000_0000, 0x4000_0000],
      'pcie-mmio-high': [0x4_0000_0000, 0x4_0000_0000],
    });
  });

  it('a window where no BAR answers reads all ones and loses writes', () => {
    const host = new FakeHost();
    for (const { base, size } of VIRT_WINDOWS) {
      expect(host.load(base)).toBe(0xffff_ffff);
      expect(host.load(base + size - 2, 2)).toBe(0xffff);
      expect(host.store(base + size - 1, 7, 1)).toBe(true);
    }
  });

  it('place, size and first bus are parameters', () => {
    const host = new FakeHost({
      ecam: { base: 0x1_0000_0000, size: 0x20_0000 },
      firstBus: 0x40,
      windows: [
        { name: 'only', kind: 'memory', base: 0x2_0000_0000, busBase: 0x1000_0000, size: 0x100_0000 },
      ],
    });
    const fn = host.install(new FakeFunction(), { slot: 2 });
    expect(fn.address).toBe('40:02.0');
    expect(host.load(0x1_0000_0000 + (2 << 15))).toBe(0x0005_1b36);
    expect(fn.bar(0).base).toBe(0x1000_0000);
    expect(host.store(0x2_0000_0004, 0x99)).toBe(true);
    expect(fn.registers.bytes[4]).toBe(0x99);
    expect(() => new FakeHost({ ecam: { base: 0, size: 0x1000 } })).toThrow(PciError);
  });

  it('DESIGN, AddressSpace: assigned hardware is direct, its accesses are no exits', () => {
    const host = new FakeHost({ exitOwner: 'vm' });
    const assigned = new FakeFunction();
    assigned.direct = true;
    const fn = host.install(assigned);
    const before = host.ledger.total({ owner: 'vm', event: 'exit' });
    host.store(fn.bar(0).base, 1);
    expect(host.ledger.total({ owner: 'vm', event: 'exit' })).toBe(before);
    expect(host.space.describe(physical(fn.bar(0).base))?.kind).toBe('direct');
  });

  it('exits are counted by region when they have an owner', () => {
    const host = new FakeHost({ exitOwner: 'vm' });
    const fn = host.install(new FakeFunction());
    const before = host.ledger.total({ owner: 'vm', event: 'exit', reason: 'pcie-ecam' });
    host.load(0x3000_0000);
    host.read(fn, 0, 0);
    host.write(fn, 0, 4, 1);
    host.load(0x7000_0000);
    expect(host.ledger.total({ owner: 'vm', reason: 'pcie-ecam' }) - before).toBe(1);
    expect(host.ledger.total({ owner: 'vm', reason: 'fake-0/registers' })).toBe(2);
    expect(host.ledger.total({ owner: 'vm', reason: 'pcie-mmio' })).toBe(1);
  });
});
