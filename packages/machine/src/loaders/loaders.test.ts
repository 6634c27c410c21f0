import { gzipSync } from 'node:zlib';
import { AddressSpace, HostMemory, physical } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import { buildVirtTree } from '../device-tree/virt-tree.js';
import { writeFdt } from '../device-tree/fdt-writer.js';
import { MachineError, type MachineErrorCode } from '../error.js';
import { isZboot, unpackImage } from './compressed.js';
import { loadElf, readElf } from './elf.js';
import { loadImage } from './image.js';
import { loadLinuxImage, readImageHeader } from './linux-image.js';
import { loadDtb, loadInitrd, placeDtb, placeInitrd } from './placement.js';
import { makeElf, makeLinuxImage, makeZboot } from './testing/images.js';

const MIB = 1024 * 1024;
const BASE = 0x8000_0000;

function make(size = 8 * MIB) {
  const memory = new HostMemory({ ram: size, reserve: 4096 });
  const space = new AddressSpace(memory);
  space.mapRam({ name: 'ram', base: BASE, size, offset: memory.ramOffset });
  const ram = { base: BASE, size };
  return {
    memory,
    space,
    ram,
    read: (at: number, length: number) => [...space.readBytes(physical(at), length)],
  };
}

/** The code of the MachineError that `action` ends in; its sentence must say something. */
function refusal(action: () => unknown): MachineErrorCode | 'accepted' {
  try {
    action();
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    expect(error.message.length).toBeGreaterThan(30);
    return error.code;
  }
  return 'accepted';
}

/** Quick for megabytes. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function patch(bytes: Uint8Array, edit: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  edit(new DataView(copy.buffer));
  return copy;
}

describe('ELF', () => {
  const code = Uint8Array.of(1, 2, 3, 4);

  it('gABI ch. 5: segments go to their physical addresses, what the file lacks is zero', () => {
    const { space, ram, memory, read } = make();
    memory.fill(memory.ramOffset, ram.size, 0xee);
    const elf = makeElf(
      [
        { physical: BASE + 0x1000, bytes: code, memorySize: 100_000 },
        { physical: BASE + 0x10_0000, bytes: Uint8Array.of(9) },
      ],
      BASE + 0x1000,
    );
    expect(loadElf(space, elf, ram)).toEqual({
      kind: 'elf',
      entry: BASE + 0x1000,
      start: BASE + 0x1000,
      end: BASE + 0x10_0001,
    });
    expect(read(BASE + 0x1000, 6)).toEqual([1, 2, 3, 4, 0, 0]);
    expect(read(BASE + 0x1000 + 99_999, 2)).toEqual([0, 0xee]);
    expect(read(BASE + 0x10_0000, 2)).toEqual([9, 0xee]);
  });

  it('an entry told as a virtual address is translated', () => {
    const { space, ram } = make();
    const virtual = 0xffff_ffff_8000_0000n;
    const elf = makeElf([{ physical: BASE + 0x20_0000, virtual, bytes: code }], virtual + 2n);
    expect(loadElf(space, elf, ram).entry).toBe(BASE + 0x20_0002);
  });

  it('segments that are not loadable, or empty, are passed over', () => {
    const elf = makeElf(
      [
        { physical: 0, bytes: code, type: 0x7000_0003 },
        { physical: 5, bytes: new Uint8Array(0) },
        { physical: BASE, bytes: code },
      ],
      BASE,
    );
    expect(readElf(elf).segments).toHaveLength(1);
  });

  it('refuses what is no RV64 executable', () => {
    const good = makeElf([{ physical: BASE, bytes: code }], BASE);
    const { space, ram } = make();
    const load = (edit: (view: DataView) => void) => refusal(() => loadElf(space, patch(good, edit), ram));
    expect(load(() => undefined)).toBe('accepted');
    expect(load((view) => view.setUint8(4, 1))).toBe('bad-elf');
    expect(load((view) => view.setUint8(5, 2))).toBe('bad-elf');
    expect(load((view) => view.setUint16(16, 1, true))).toBe('bad-elf');
    expect(load((view) => view.setUint16(18, 62, true))).toBe('bad-elf');
    expect(load((view) => view.setUint16(54, 32, true))).toBe('bad-elf');
    expect(load((view) => view.setUint16(56, 0, true))).toBe('bad-elf');
    expect(load((view) => view.setUint16(56, 0xffff, true))).toBe('bad-elf');
    expect(load((view) => view.setUint16(56, 3, true))).toBe('bad-elf');
    expect(load((view) => view.setBigUint64(32, 1n << 63n, true))).toBe('bad-elf');
    expect(load((view) => view.setUint32(64, 2, true))).toBe('bad-elf');
    for (const length of [0, 3, 20, 63, 100]) {
      expect(refusal(() => readElf(good.subarray(0, length)))).toBe('bad-elf');
    }
  });

  it('refuses segments that lie about the file, memory or each other', () => {
    const { space, ram, memory } = make();
    const before = memory.bytes.slice();
    const load = (...specs: Parameters<typeof makeElf>[0][number][]) =>
      refusal(() => loadElf(space, makeElf(specs, specs[0].physical), ram));
    const far = (1n << 64n) - 4n;
    expect(load({ physical: BASE, bytes: code, memorySize: 3 })).toBe('bad-elf');
    expect(load({ physical: far, bytes: code })).toBe('bad-elf');
    expect(load({ physical: BASE, bytes: code, memorySize: far })).toBe('bad-elf');
    expect(load({ physical: BASE, bytes: code }, { physical: BASE + 3, bytes: code })).toBe('bad-elf');
    expect(load({ physical: BASE, bytes: code, memorySize: 9 * MIB })).toBe('does-not-fit');
    expect(load({ physical: BASE - 2, bytes: code })).toBe('does-not-fit');
    expect(load({ physical: BASE, bytes: code }, { physical: 0x1000, bytes: code })).toBe('does-not-fit');
    const outside = patch(makeElf([{ physical: BASE, bytes: code }], BASE), (view) =>
      view.setBigUint64(72, 1n << 62n, true),
    );
    expect(refusal(() => loadElf(space, outside, ram))).toBe('bad-elf');
    expect(same(memory.bytes, before)).toBe(true);
  });

  it('refuses an entry outside its segments, or odd', () => {
    const { space, ram } = make();
    for (const entry of [0, BASE + 4, BASE + 1, 1n << 63n]) {
      expect(refusal(() => loadElf(space, makeElf([{ physical: BASE, bytes: code }], entry), ram))).toBe(
        'bad-elf',
      );
    }
  });
});

describe('Linux Image', () => {
  it('boot-image-header: loaded at RAM plus text_offset, image_size is taken', () => {
    const { space, ram, read } = make();
    const image = makeLinuxImage(1000, { imageSize: 5 * MIB });
    expect(loadImage(space, image, ram)).toEqual({
      kind: 'image',
      entry: BASE + 2 * MIB,
      start: BASE + 2 * MIB,
      end: BASE + 7 * MIB,
    });
    expect(read(BASE + 2 * MIB, 2)).toEqual([0x4d, 0x5a]);
    expect(readImageHeader(image)).toEqual({ textOffset: 2 * MIB, imageSize: 5 * MIB, version: 2 });
  });

  it('an image longer than its image_size, and one without it, take their bytes', () => {
    const { space, ram } = make();
    expect(loadLinuxImage(space, makeLinuxImage(5000, { imageSize: 100 }), ram).end).toBe(
      BASE + 2 * MIB + 5000,
    );
    expect(loadLinuxImage(space, makeLinuxImage(5000, { imageSize: 0 }), ram).end).toBe(
      BASE + 2 * MIB + 5000,
    );
  });

  it('refuses a header that lies', () => {
    const { space, ram } = make();
    const load = (fields: Parameters<typeof makeLinuxImage>[1]) =>
      refusal(() => loadLinuxImage(space, makeLinuxImage(1000, fields), ram));
    expect(load({ flags: 1n })).toBe('bad-image');
    expect(load({ textOffset: 0x1000 })).toBe('bad-image');
    expect(load({ textOffset: 1n << 63n })).toBe('bad-image');
    expect(load({ imageSize: (1n << 64n) - 1n })).toBe('bad-image');
    expect(load({ imageSize: 7 * MIB })).toBe('does-not-fit');
    expect(load({ textOffset: 8 * MIB })).toBe('does-not-fit');
    expect(refusal(() => readImageHeader(new Uint8Array(64)))).toBe('bad-image');
  });
});

describe('raw and compressed', () => {
  it('anything else is raw, at the start of RAM or where told', () => {
    const { space, ram, read } = make();
    expect(loadImage(space, Uint8Array.of(5, 6), ram)).toEqual({
      kind: 'raw',
      entry: BASE,
      start: BASE,
      end: BASE + 2,
    });
    expect(loadImage(space, Uint8Array.of(7), ram, BASE + MIB).entry).toBe(BASE + MIB);
    expect(read(BASE, 2)).toEqual([5, 6]);
    expect(refusal(() => loadImage(space, new Uint8Array(0), ram))).toBe('bad-image');
    expect(refusal(() => loadImage(space, new Uint8Array(9 * MIB), ram))).toBe('does-not-fit');
  });

  it('a gzip file and an EFI zboot image give the image inside, other files themselves', async () => {
    const image = makeLinuxImage(100_000);
    const packed = new Uint8Array(gzipSync(image));
    expect(await unpackImage(packed, 8 * MIB)).toEqual(image);
    expect(isZboot(makeZboot(packed))).toBe(true);
    expect(await unpackImage(makeZboot(packed), 8 * MIB)).toEqual(image);
    expect(await unpackImage(image, 8 * MIB)).toBe(image);
  });

  it('the inflater can be given; what it throws or overdoes is a MachineError', async () => {
    const packed = new Uint8Array(gzipSync(Uint8Array.of(1)));
    expect(await unpackImage(packed, 10, () => Uint8Array.of(2))).toEqual(Uint8Array.of(2));
    const failing = (): never => {
      throw new TypeError('no');
    };
    await expect(unpackImage(packed, 10, failing)).rejects.toMatchObject({ code: 'bad-gzip' });
    await expect(unpackImage(packed, 10, () => new Uint8Array(11))).rejects.toMatchObject({
      code: 'does-not-fit',
    });
  });

  it('a bomb, damage, an unknown compression and a lying zboot header end in a MachineError', async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(50 * MIB)));
    await expect(unpackImage(bomb, MIB)).rejects.toMatchObject({ code: 'does-not-fit' });
    const packed = new Uint8Array(gzipSync(makeLinuxImage(5000)));
    await expect(unpackImage(packed.subarray(0, 30), MIB)).rejects.toMatchObject({ code: 'bad-gzip' });
    await expect(
      unpackImage(
        patch(packed, (view) => view.setUint8(3, 0xff)),
        MIB,
      ),
    ).rejects.toMatchObject({
      code: 'bad-gzip',
    });
    await expect(unpackImage(new Uint8Array(gzipSync(packed)), MIB)).rejects.toMatchObject({
      code: 'bad-gzip',
    });
    await expect(unpackImage(makeZboot(packed, 'zstd22'), MIB)).rejects.toMatchObject({
      code: 'unsupported-image',
    });
    await expect(unpackImage(makeZboot(Uint8Array.of(1, 2)), MIB)).rejects.toMatchObject({
      code: 'bad-image',
    });
    const lying = patch(makeZboot(packed), (view) => view.setUint32(12, 0xffff_ffff, true));
    await expect(unpackImage(lying, MIB)).rejects.toMatchObject({ code: 'bad-image' });
  });

  it('a compressed image that was not unpacked is refused with advice', () => {
    const { space, ram } = make();
    const packed = new Uint8Array(gzipSync(makeLinuxImage(5000)));
    expect(refusal(() => loadImage(space, packed, ram))).toBe('unsupported-image');
    expect(refusal(() => loadImage(space, makeZboot(packed), ram))).toBe('unsupported-image');
  });
});

describe('placement', () => {
  const ram = (size: number) => ({ base: BASE, size });
  const kernel = { start: BASE + 2 * MIB, end: BASE + 30 * MIB };

  it('QEMU: the device tree at a multiple of 2 MiB, as high as it can be, below 3 GiB', () => {
    expect(placeDtb(5000, ram(128 * MIB)).start).toBe(BASE + 126 * MIB);
    expect(placeDtb(5000, ram(2048 * MIB)).start).toBe(0xc000_0000 - 2 * MIB);
    expect(placeDtb(3 * MIB, ram(128 * MIB)).start).toBe(BASE + 124 * MIB);
  });

  it('a small RAM has the device tree at a multiple of 4 KiB, behind what is there', () => {
    const small = [{ what: 'the program', start: BASE, end: BASE + 100 }];
    expect(placeDtb(5000, ram(MIB), small).start).toBe(BASE + MIB - 8192);
    const occupied = [{ what: 'the kernel', start: BASE, end: BASE + 3 * MIB }];
    expect(placeDtb(5000, ram(4 * MIB), occupied).start).toBe(BASE + 4 * MIB - 8192);
    const full = [{ what: 'the kernel', start: BASE, end: BASE + 4 * MIB }];
    expect(refusal(() => placeDtb(5000, ram(4 * MIB), full))).toBe('does-not-fit');
    expect(refusal(() => placeDtb(5000, ram(4096)))).toBe('does-not-fit');
  });

  it('QEMU: the RAM disk half the RAM behind the kernel, at most 512 MiB', () => {
    expect(placeInitrd(MIB, kernel, ram(128 * MIB)).start).toBe(kernel.start + 64 * MIB);
    expect(placeInitrd(MIB, kernel, ram(3072 * MIB)).start).toBe(kernel.start + 512 * MIB);
    expect(placeInitrd(1, { start: BASE + 1, end: BASE + 2 }, ram(128 * MIB)).start % 4096).toBe(0);
  });

  it('where that is too little room it is as high as it can be, never in the kernel or the device tree', () => {
    const below = BASE + 94 * MIB;
    expect(placeInitrd(50 * MIB, kernel, ram(96 * MIB), below)).toEqual({
      start: BASE + 44 * MIB,
      end: below,
    });
    expect(placeInitrd(64 * MIB, kernel, ram(96 * MIB), below).start).toBe(kernel.end);
    expect(refusal(() => placeInitrd(64 * MIB + 1, kernel, ram(96 * MIB), below))).toBe('does-not-fit');
    expect(placeInitrd(MIB, { start: BASE, end: BASE + 80 * MIB }, ram(96 * MIB)).start).toBe(
      BASE + 80 * MIB,
    );
  });

  it('both are written where they were placed; a device tree that lies is refused', () => {
    const { space, ram: window, read } = make();
    const tree = writeFdt(buildVirtTree({ harts: 1, memory: 8 * MIB }));
    const dtb = loadDtb(space, tree, window);
    expect(read(dtb.start, tree.length)).toEqual([...tree]);
    const initrd = loadInitrd(
      space,
      Uint8Array.of(7, 8, 9),
      { start: BASE, end: BASE + MIB },
      window,
      dtb.start,
    );
    expect(read(initrd.start, 3)).toEqual([7, 8, 9]);
    expect(refusal(() => loadDtb(space, tree.subarray(0, 100), window))).toBe('bad-device-tree');
  });
});

describe('fuzz', () => {
  const generator = (seed: number) => {
    let state = seed;
    return (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  };

  /** Damages header fields and bytes of a good image, and cuts it. */
  function damage(good: Uint8Array, random: (below: number) => number): Uint8Array {
    const bytes = good.slice(0, random(8) === 0 ? random(good.length) : good.length);
    const view = new DataView(bytes.buffer);
    for (let count = 1 + random(4); count > 0 && bytes.length >= 8; count--) {
      const at = random(Math.min(bytes.length - 7, 240));
      const kind = random(4);
      if (kind === 0) view.setUint8(at, random(256));
      else if (kind === 1) view.setUint16(at, [0, 1, 0xff, 0x7fff, 0xffff][random(5)], true);
      else if (kind === 2) view.setUint32(at, [0, 1, BASE, 0x7fff_ffff, 0xffff_ffff][random(5)], true);
      else {
        const extremes = [0n, 1n, BigInt(BASE), (1n << 53n) - 1n, 1n << 63n, (1n << 64n) - 1n];
        view.setBigUint64(at, extremes[random(6)], true);
      }
    }
    return bytes;
  }

  it('10,000 lying ELF files and 10,000 lying Images are loaded into RAM or refused with a MachineError', () => {
    const { space, ram, memory } = make(4 * MIB);
    const outside = memory.bytes.slice(0, memory.ramOffset);
    const random = generator(7);
    const elf = makeElf(
      [
        { physical: BASE, bytes: new Uint8Array(256).fill(3), memorySize: 4096 },
        { physical: BASE + 8192, virtual: 0xffff_ffff_8000_0000n, bytes: new Uint8Array(64).fill(4) },
      ],
      BASE,
    );
    const image = makeLinuxImage(300, { imageSize: 5000 });
    const outcomes = new Set<string>();
    for (let round = 0; round < 20_000; round++) {
      const bytes = damage(round % 2 === 0 ? elf : image, random);
      outcomes.add(
        refusal(() => {
          const { entry, start, end } = loadImage(space, bytes, ram);
          expect(start >= BASE && end <= BASE + ram.size && entry >= start && entry < end).toBe(true);
        }),
      );
    }
    expect([...outcomes].sort()).toEqual(['accepted', 'bad-elf', 'bad-image', 'does-not-fit']);
    expect(same(memory.bytes.subarray(0, memory.ramOffset), outside)).toBe(true);
  });

  it('1,000 damaged gzip and zboot files unpack or are refused with a MachineError', async () => {
    const random = generator(11);
    const packed = new Uint8Array(gzipSync(makeLinuxImage(3000)));
    for (let round = 0; round < 1000; round++) {
      const bytes = damage(round % 2 === 0 ? packed : makeZboot(packed), random);
      await unpackImage(bytes, MIB).catch((error: unknown) => expect(error).toBeInstanceOf(MachineError));
    }
  });
});
