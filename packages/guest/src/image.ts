import { GuestError } from './error.js';

/** The prebuilt images: the operating system, the floating-point checker, the benchmarks. */
export const GUEST_IMAGES = ['tiny', 'fptest', 'intloop', 'bench'] as const;

export type GuestImage = (typeof GUEST_IMAGES)[number];

/** Written out so that bundlers find the files. */
const PREBUILT: Readonly<Record<GuestImage, URL>> = {
  tiny: new URL('../prebuilt/tiny.elf', import.meta.url),
  fptest: new URL('../prebuilt/fptest.elf', import.meta.url),
  intloop: new URL('../prebuilt/intloop.elf', import.meta.url),
  bench: new URL('../prebuilt/bench.elf', import.meta.url),
};

interface NodeLike {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

/** The folder of images built by another compiler, `$VMLOOM_GUEST_DIR`; there is none in a browser. */
function rebuiltFolder(): string | undefined {
  return (globalThis as NodeLike).process?.env?.['VMLOOM_GUEST_DIR'] || undefined;
}

/** Not a literal in the import, so that no bundler looks for it. */
const FILE_SYSTEM: string = 'node:fs/promises';

async function readLocal(path: URL | string): Promise<Uint8Array> {
  const { readFile } = (await import(/* @vite-ignore */ FILE_SYSTEM)) as {
    readFile(this: void, path: URL | string): Promise<Uint8Array>;
  };
  return new Uint8Array(await readFile(path));
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * The ELF file of a guest image, entered in S-mode at its entry address with the hart id in a0 and the
 * device tree in a1. In Node the environment variable `VMLOOM_GUEST_DIR` names a folder to read instead of
 * the prebuilt images.
 *
 * @throws GuestError `no-image` if the file cannot be read.
 */
export async function guestImage(name: GuestImage): Promise<Uint8Array> {
  const url = PREBUILT[name];
  if (!(url instanceof URL)) {
    throw new GuestError('no-image', `there is no guest image "${name}": ${GUEST_IMAGES.join(', ')}`);
  }
  const folder = rebuiltFolder();
  try {
    if (folder !== undefined) return await readLocal(`${folder}/${name}.elf`);
    return await (url.protocol === 'file:' ? readLocal(url) : fetchBytes(url));
  } catch (cause) {
    const from = folder === undefined ? 'its package' : 'VMLOOM_GUEST_DIR';
    throw new GuestError('no-image', `the guest image "${name}" cannot be read from ${from}`, { cause });
  }
}
