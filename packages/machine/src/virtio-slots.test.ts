import { physical } from '@vmloom/memory';
import { MemoryStore, VirtioBlk } from '@vmloom/virtio';
import { describe, expect, it } from 'vitest';
import { VIRT } from './device-tree/index.js';
import { createMachine, type Machine } from './machine.js';

const MAGIC = 0x7472_6976;
const REGISTERS = { magic: 0, version: 4, device: 8, status: 0x70, config: 0x100 };

const disk = (sectors = 8): VirtioBlk => new VirtioBlk({ store: new MemoryStore({ size: sectors * 512 }) });
const load = (machine: Machine, slot: number, register: number): number =>
  machine.space.load(physical(VIRT.virtio.base + slot * VIRT.virtio.stride + register), 4);

describe('virtio-mmio slots of the board', () => {
  it('4.2.2.2: a slot without a device has the magic value and device ID 0', async () => {
    const machine = await createMachine({ memory: '16MiB' });
    expect(machine.virtio.count).toBe(8);
    for (let slot = 0; slot < 8; slot++) {
      expect(load(machine, slot, REGISTERS.magic)).toBe(MAGIC);
      expect(load(machine, slot, REGISTERS.version)).toBe(2);
      expect(load(machine, slot, REGISTERS.device)).toBe(0);
    }
  });

  it('a device goes into the highest free slot unless told, as on the board of QEMU', async () => {
    const machine = await createMachine({ memory: '16MiB' });
    machine.virtio.plug(disk());
    machine.virtio.plug(disk(16), { slot: 0 });
    machine.virtio.plug(disk(24));
    const ids = Array.from({ length: 8 }, (_, slot) => load(machine, slot, REGISTERS.device));
    expect(ids).toEqual([2, 0, 0, 0, 0, 0, 2, 2]);
    expect([0, 6, 7].map((slot) => load(machine, slot, REGISTERS.config))).toEqual([16, 24, 8]);
  });

  it('a slot is refused twice, and one that is not there', async () => {
    const { virtio } = await createMachine({ memory: '16MiB' });
    virtio.plug(disk(), { slot: 3 });
    expect(() => virtio.plug(disk(), { slot: 3 })).toThrow('slot 3 has a device already: virtio-blk');
    expect(() => virtio.plug(disk(), { slot: 8 })).toThrow('slots 0 to 7, not 8');
    for (let index = 0; index < 7; index++) virtio.plug(disk());
    expect(() => virtio.plug(disk())).toThrow('all 8 virtio-mmio slots are taken');
  });

  it('a snapshot holds what the driver told a device', async () => {
    const make = async (): Promise<Machine> => {
      const machine = await createMachine({ memory: '16MiB' });
      machine.virtio.plug(disk(), { slot: 0 });
      return machine;
    };
    const machine = await make();
    const status = physical(VIRT.virtio.base + REGISTERS.status);
    machine.space.store(status, 4, 3);
    const other = await make();
    other.restore(machine.save());
    expect(other.space.load(status, 4)).toBe(3);
    other.virtio.reset();
    expect(other.space.load(status, 4)).toBe(0);
  });
});
