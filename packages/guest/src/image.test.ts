import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GUEST_IMAGES, guestImage, type GuestImage } from './image.js';

interface Manifest {
  readonly compiler: string;
  readonly linker: string;
  readonly images: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

const RAM_BASE = 0x8000_0000n;
const RAM_SIZE = 32n << 20n;
const PT_LOAD = 1;
const EM_RISCV = 243;

interface Segment {
  readonly offset: bigint;
  readonly virtual: bigint;
  readonly physical: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
  readonly flags: number;
}

function view(elf: Uint8Array): DataView {
  return new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
}

function segments(elf: Uint8Array): Segment[] {
  const data = view(elf);
  const table = Number(data.getBigUint64(32, true));
  const size = data.getUint16(54, true);
  return Array.from({ length: data.getUint16(56, true) }, (_, i) => table + i * size)
    .filter((at) => data.getUint32(at, true) === PT_LOAD)
    .map((at) => ({
      flags: data.getUint32(at + 4, true),
      offset: data.getBigUint64(at + 8, true),
      virtual: data.getBigUint64(at + 16, true),
      physical: data.getBigUint64(at + 24, true),
      fileSize: data.getBigUint64(at + 32, true),
      memorySize: data.getBigUint64(at + 40, true),
    }));
}

afterEach(() => vi.unstubAllEnvs());

describe.each(GUEST_IMAGES)('image %s', (name) => {
  it('ELF-64 gABI 4: is a little-endian RISC-V executable, entered where the firmware jumps', async () => {
    const elf = await guestImage(name);
    expect([...elf.subarray(0, 7)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    expect(view(elf).getUint16(16, true)).toBe(2);
    expect(view(elf).getUint16(18, true)).toBe(EM_RISCV);
    expect(view(elf).getBigUint64(24, true)).toBe(0x8020_0000n);
  });

  it('ELF-64 gABI 5: every segment lies in the file, in 32 MiB of RAM, and at its own address', async () => {
    const elf = await guestImage(name);
    const loaded = segments(elf);
    expect(loaded.length).toBeGreaterThanOrEqual(2);
    for (const segment of loaded) {
      expect(segment.virtual).toBe(segment.physical);
      expect(segment.physical).toBeGreaterThanOrEqual(RAM_BASE);
      expect(segment.physical + segment.memorySize).toBeLessThanOrEqual(RAM_BASE + RAM_SIZE);
      expect(segment.fileSize).toBeLessThanOrEqual(segment.memorySize);
      expect(segment.offset + segment.fileSize).toBeLessThanOrEqual(BigInt(elf.length));
    }
  });

  it('has no segment that is both writable and executable', async () => {
    const loaded = segments(await guestImage(name));
    expect(loaded.filter(({ flags }) => (flags & 3) === 3)).toEqual([]);
  });

  it('holds no path of the machine it was built on', async () => {
    const text = new TextDecoder('latin1').decode(await guestImage(name));
    expect(text.match(/(?<![\w.])\/[\w.-]+\/[\w./-]+|\b\w+\.[chS]\b/g) ?? []).toEqual([]);
    expect(text).not.toContain('.debug_');
  });

  it('is the file its manifest describes, and small', async () => {
    const folder = process.env['VMLOOM_GUEST_DIR'];
    const path = folder
      ? join(folder, 'manifest.json')
      : new URL('../prebuilt/manifest.json', import.meta.url);
    const manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest;
    const elf = await guestImage(name);
    expect(manifest.images[`${name}.elf`]).toEqual({
      bytes: elf.length,
      sha256: createHash('sha256').update(elf).digest('hex'),
    });
    expect(manifest.compiler).toMatch(/clang version \d+/);
    expect(elf.length).toBeLessThan(200 * 1024);
  });
});

describe('guestImage', () => {
  it('reads the folder named by VMLOOM_GUEST_DIR instead', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vmloom-guest-'));
    try {
      await writeFile(join(folder, 'tiny.elf'), 'another');
      vi.stubEnv('VMLOOM_GUEST_DIR', folder);
      expect(new TextDecoder().decode(await guestImage('tiny'))).toBe('another');
      await expect(guestImage('fptest')).rejects.toMatchObject({ name: 'GuestError', code: 'no-image' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses a name it does not know', async () => {
    await expect(guestImage('linux' as GuestImage)).rejects.toMatchObject({ code: 'no-image' });
    await expect(guestImage('toString' as GuestImage)).rejects.toMatchObject({ code: 'no-image' });
  });
});
