import { truncateSync } from 'node:fs';
import { all, andThen, SECTOR, type Done } from '../blk/block-store.js';
import type { OverlayLayer } from '../blk/overlay-store.js';
import { MAP_PAGE, MAP_PAGE_SECTORS, SectorMap } from '../blk/sector-map.js';
import { VirtioError } from '../error.js';
import { FileStore } from './file-store.js';
import { HostFile, type HostFileOptions } from './host-file.js';

const MAGIC = 'VMLOOMOV';
const VERSION = 1;
/** Bytes of the header; the bitmap follows it. */
const HEADER = 4096;
const BITMAP = HEADER;

const dataAt = (size: number): number => BITMAP + Math.ceil(size / SECTOR / MAP_PAGE_SECTORS) * MAP_PAGE;

/**
 * The layer of an overlay in a sparse file, all numbers little-endian:
 *
 * | bytes      | what                                                                                   |
 * | ---------- | -------------------------------------------------------------------------------------- |
 * | 0 to 7     | "VMLOOMOV"                                                                             |
 * | 8 to 11    | version: 1                                                                             |
 * | 12 to 15   | bytes of a sector: 512                                                                 |
 * | 16 to 23   | bytes of the disk, those of its base                                                   |
 * | 24 to 31   | where the data begins: D, a multiple of 4096                                           |
 * | 32 to 4095 | 0                                                                                      |
 * | 4096 to D  | a bit per sector, the first one bit 0 of byte 4096: set where the overlay has it       |
 * | from D on  | sector n at D + 512 n                                                                  |
 *
 * A bit reaches the file only after its data is on stable storage, so a host that fails leaves every sector that was
 * not flushed as it was, or as it was written.
 */
export class OverlayFile implements OverlayLayer {
  readonly sectors = new SectorMap();
  readonly data: FileStore;
  readonly #file: HostFile;

  private constructor(file: HostFile, size: number) {
    this.#file = file;
    this.data = new FileStore(file, { offset: dataAt(size), size });
  }

  /** Makes a layer for a disk of `size` bytes. @throws VirtioError store when the file is there already */
  static create(path: string, size: number, options: HostFileOptions = {}): OverlayFile {
    const maker = new HostFile(path, { create: true, blocking: true });
    const header = new Uint8Array(HEADER);
    const view = new DataView(header.buffer);
    header.set(new TextEncoder().encode(MAGIC));
    view.setUint32(8, VERSION, true);
    view.setUint32(12, SECTOR, true);
    view.setBigUint64(16, BigInt(size), true);
    view.setBigUint64(24, BigInt(dataAt(size)), true);
    void maker.write(0, header);
    truncateSync(path, dataAt(size) + size);
    void maker.sync();
    maker.close();
    return new OverlayFile(new HostFile(path, options), size);
  }

  /** Opens a layer for a disk of `size` bytes. @throws VirtioError store when it is none */
  static open(path: string, size: number, options: HostFileOptions = {}): OverlayFile {
    const reader = new HostFile(path, { readOnly: true, blocking: true });
    try {
      const header = new Uint8Array(HEADER);
      void reader.read(0, header);
      checkHeader(path, header, size);
      const layer = new OverlayFile(new HostFile(path, options), size);
      const page = new Uint8Array(MAP_PAGE);
      for (let at = BITMAP; at < dataAt(size); at += MAP_PAGE) {
        void reader.read(at, page);
        if (page.some((byte) => byte !== 0)) layer.sectors.setPage((at - BITMAP) / MAP_PAGE, page);
      }
      return layer;
    } finally {
      reader.close();
    }
  }

  flush(): Done {
    // Taken before the data is synchronised: bits set meanwhile are those of data that may not be.
    const pages = this.sectors.takeChanged();
    const write = (): Done =>
      all(pages.map(({ index, bytes }) => this.#file.write(BITMAP + index * MAP_PAGE, bytes)));
    const failed = (error: unknown): never => {
      this.sectors.putBack(pages.map(({ index }) => index));
      throw error;
    };
    try {
      const done = andThen(this.#file.sync(), () =>
        pages.length === 0 ? undefined : andThen(write(), () => this.#file.sync()),
      );
      return done instanceof Promise ? done.catch(failed) : done;
    } catch (error) {
      return failed(error);
    }
  }

  close(): void {
    this.data.close();
  }
}

function checkHeader(path: string, header: Uint8Array, size: number): void {
  const view = new DataView(header.buffer);
  const refuse = (why: string): never => {
    throw new VirtioError('store', `${path} ${why}`);
  };
  if (new TextDecoder().decode(header.subarray(0, 8)) !== MAGIC) refuse('is no overlay of a disk');
  if (view.getUint32(8, true) !== VERSION)
    refuse(`is an overlay of version ${view.getUint32(8, true)}, not ${VERSION}`);
  const bytes = view.getBigUint64(16, true);
  if (view.getUint32(12, true) !== SECTOR || view.getBigUint64(24, true) !== BigInt(dataAt(Number(bytes)))) {
    refuse('has a header that contradicts itself');
  }
  if (bytes !== BigInt(size)) refuse(`is an overlay of a disk of ${bytes} bytes, the base has ${size}`);
}
