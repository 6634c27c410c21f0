import { describe, expect, it } from 'vitest';
import { readFdt } from './fdt-reader.js';
import { writeFdt } from './fdt-writer.js';
import { cells, findNode, node, strings, type DeviceTreeNode } from './node.js';
import { rngSeed } from './rng-seed.js';
import { buildVirtTree, type VirtBoardDescription } from './virt-tree.js';

const board: VirtBoardDescription = {
  harts: 2,
  memory: 128 * 1024 * 1024,
  extensions: ['zicsr', 'zifencei', 'sstc'],
  bootargs: 'console=ttyS0',
  initrd: { start: 0x8400_0000, end: 0x8410_0001 },
  rngSeed: 1,
};

/** The tree as a guest sees it: written and read back. */
const seen = (description: VirtBoardDescription = board): DeviceTreeNode =>
  readFdt(writeFdt(buildVirtTree(description))).root;

const at = (tree: DeviceTreeNode, path: string): DeviceTreeNode => {
  const found = findNode(tree, path);
  if (found === undefined) throw new Error(`no ${path}`);
  return found;
};

describe('QEMU virt compatibility', () => {
  it('each device is at the address and with the compatible of QEMU virt', () => {
    const tree = seen();
    expect(strings(tree, 'compatible')).toEqual(['riscv-virtio']);
    for (const [path, compatible, reg] of [
      ['/soc/test@100000', 'sifive,test1', [0, 0x10_0000, 0, 0x1000]],
      ['/soc/rtc@101000', 'google,goldfish-rtc', [0, 0x10_1000, 0, 0x1000]],
      ['/soc/clint@2000000', 'sifive,clint0', [0, 0x200_0000, 0, 0x1_0000]],
      ['/soc/plic@c000000', 'sifive,plic-1.0.0', [0, 0xc00_0000, 0, 0x60_0000]],
      ['/soc/serial@10000000', 'ns16550a', [0, 0x1000_0000, 0, 0x100]],
      ['/soc/pci@30000000', 'pci-host-ecam-generic', [0, 0x3000_0000, 0, 0x1000_0000]],
    ] as const) {
      expect(strings(at(tree, path), 'compatible')[0]).toBe(compatible);
      expect(cells(at(tree, path), 'reg')).toEqual(reg);
    }
    expect(cells(at(tree, '/memory@80000000'), 'reg')).toEqual([0, 0x8000_0000, 0, 0x800_0000]);
  });

  it('interrupts: UART 10, RTC 11, all at the PLIC, which leads to M and S of each hart', () => {
    const tree = seen();
    const plic = at(tree, '/soc/plic@c000000');
    const [phandle] = cells(plic, 'phandle');
    for (const [path, source] of [
      ['/soc/serial@10000000', 10],
      ['/soc/rtc@101000', 11],
    ] as const) {
      expect(cells(at(tree, path), 'interrupts')).toEqual([source]);
      expect(cells(at(tree, path), 'interrupt-parent')).toEqual([phandle]);
    }
    const intc = [0, 1].map(
      (hart) => cells(at(tree, `/cpus/cpu@${hart}/interrupt-controller`), 'phandle')[0],
    );
    const pairs = (...bits: number[]) => intc.flatMap((handle) => bits.flatMap((bit) => [handle, bit]));
    expect(cells(plic, 'interrupts-extended')).toEqual(pairs(11, 9));
    expect(cells(at(tree, '/soc/clint@2000000'), 'interrupts-extended')).toEqual(pairs(3, 7));
    expect(cells(plic, 'riscv,ndev')).toEqual([95]);
  });

  it('PCI: three windows, and INTA to INTD of devices 0 to 3 swizzled over sources 32 to 35', () => {
    const tree = seen();
    const pci = at(tree, '/soc/pci@30000000');
    expect(cells(pci, 'ranges')).toEqual([
      ...[0x100_0000, 0, 0, 0, 0x300_0000, 0, 0x1_0000],
      ...[0x200_0000, 0, 0x4000_0000, 0, 0x4000_0000, 0, 0x4000_0000],
      ...[0x300_0000, 4, 0, 4, 0, 4, 0],
    ]);
    expect(cells(pci, 'interrupt-map-mask')).toEqual([0x1800, 0, 0, 7]);
    const map = cells(pci, 'interrupt-map');
    const [phandle] = cells(at(tree, '/soc/plic@c000000'), 'phandle');
    expect(map).toHaveLength(16 * 6);
    for (let entry = 0; entry < 16; entry++) {
      const [high, , , pin, parent, source] = map.slice(entry * 6, entry * 6 + 6);
      expect(parent).toBe(phandle);
      expect(source).toBe(32 + (((high >>> 11) + pin - 1) % 4));
    }
  });

  it('poweroff and reboot are writes to the finisher', () => {
    const tree = seen();
    const [test] = cells(at(tree, '/soc/test@100000'), 'phandle');
    for (const [name, value] of [
      ['poweroff', 0x5555],
      ['reboot', 0x7777],
    ] as const) {
      expect(strings(at(tree, `/${name}`), 'compatible')).toEqual([`syscon-${name}`]);
      expect(cells(at(tree, `/${name}`), 'value')).toEqual([value]);
      expect(cells(at(tree, `/${name}`), 'regmap')).toEqual([test]);
    }
  });
});

describe('cpus and chosen', () => {
  it('RISC-V cpu binding: riscv,isa and riscv,isa-extensions say the same', () => {
    const tree = seen();
    expect(cells(at(tree, '/cpus'), 'timebase-frequency')).toEqual([10_000_000]);
    const cpu = at(tree, '/cpus/cpu@1');
    expect(strings(cpu, 'riscv,isa')).toEqual(['rv64imafdc_zicsr_zifencei_sstc']);
    expect(strings(cpu, 'riscv,isa-base')).toEqual(['rv64i']);
    expect(strings(cpu, 'riscv,isa-extensions')).toEqual([...'imafdc', 'zicsr', 'zifencei', 'sstc']);
    expect(strings(cpu, 'mmu-type')).toEqual(['riscv,sv39']);
    expect(cells(cpu, 'reg')).toEqual([1]);
    expect(findNode(tree, '/cpus/cpu@2')).toBeUndefined();
  });

  it('chosen: arguments, RAM disk, console and seed', () => {
    const chosen = at(seen(), '/chosen');
    expect(strings(chosen, 'bootargs')).toEqual(['console=ttyS0']);
    expect(cells(chosen, 'linux,initrd-start')).toEqual([0, 0x8400_0000]);
    expect(cells(chosen, 'linux,initrd-end')).toEqual([0, 0x8410_0001]);
    expect(strings(chosen, 'stdout-path')).toEqual(['/soc/serial@10000000']);
    expect(chosen.properties.get('rng-seed')).toEqual(rngSeed(1));
  });

  it('leaves out what the board does not have', () => {
    const tree = seen({ harts: 1, memory: 4096, pcie: false, virtio: false, mmuType: 'none' });
    expect(findNode(tree, '/soc/pci@30000000')).toBeUndefined();
    expect(findNode(tree, '/soc/virtio_mmio@10001000')).toBeUndefined();
    expect([...at(tree, '/chosen').properties.keys()]).toEqual(['stdout-path']);
    expect(at(tree, '/cpus/cpu@0').properties.has('mmu-type')).toBe(false);
    expect(findNode(tree, '/soc/sswi@2f00000')).toBeUndefined();
  });

  it('takes further nodes', () => {
    const tree = seen({ ...board, sswi: true, devices: [node('dma@10100000', { interrupts: 1 })] });
    expect(cells(at(tree, '/soc/dma@10100000'), 'interrupts')).toEqual([1]);
    expect(strings(at(tree, '/soc/sswi@2f00000'), 'compatible')).toEqual(['riscv,aclint-sswi']);
  });

  it('phandles are unique, hart ids are hexadecimal unit addresses', () => {
    const tree = seen({ harts: 20, memory: 4096 });
    const handles: number[] = [];
    const walk = (current: DeviceTreeNode): void => {
      if (current.properties.has('phandle')) handles.push(cells(current, 'phandle')[0]);
      current.children.forEach(walk);
    };
    walk(tree);
    expect(new Set(handles).size).toBe(handles.length);
    expect(cells(at(tree, '/cpus/cpu@13'), 'reg')).toEqual([19]);
  });

  it('refuses a board that cannot be', () => {
    for (const wrong of [
      { harts: 0 },
      { harts: 513 },
      { memory: 4097 },
      { memory: 0 },
      { bootargs: 'a\0b' },
    ]) {
      expect(() => buildVirtTree({ ...board, ...wrong })).toThrow(
        expect.objectContaining({ code: 'bad-board' }),
      );
    }
  });
});

it('the seed depends on its number only', () => {
  expect(rngSeed(1)).toEqual(rngSeed(1n));
  expect(rngSeed(1)).not.toEqual(rngSeed(2));
  expect(new Set(rngSeed(0)).size).toBeGreaterThan(16);
});
