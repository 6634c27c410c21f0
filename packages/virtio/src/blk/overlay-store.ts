import type { SnapshotValue } from '@vmloom/device';
import { all, andThen, SECTOR, type BlockStore, type Done } from './block-store.js';
import { MemoryStore } from './memory-store.js';
import { SectorMap } from './sector-map.js';

/** What was written over a base: bytes at the positions that they have on the disk, and which sectors they are. */
export interface OverlayLayer {
  readonly sectors: SectorMap;
  readonly data: BlockStore;
  /** Bytes and map are on stable storage when this has ended. */
  flush(): Done;
}

/** A layer in memory. */
export function memoryLayer(size: number): OverlayLayer {
  const sectors = new SectorMap();
  const data = new MemoryStore({ size });
  return { sectors, data, flush: () => undefined };
}

/**
 * Copy on write: reads come from the base until a sector is written, writes go to a layer, and the base is never
 * touched. The unit is the sector, so nothing has to be read before it is written.
 */
export class OverlayStore implements BlockStore {
  readonly readOnly = false;
  readonly outside: boolean;
  readonly deallocates: boolean;
  readonly save: (() => SnapshotValue) | undefined;
  readonly restore: ((value: SnapshotValue) => void) | undefined;

  constructor(
    readonly base: BlockStore,
    readonly layer: OverlayLayer = memoryLayer(base.size),
  ) {
    const { data, sectors } = layer;
    this.outside = base.outside || data.outside;
    this.deallocates = data.deallocates;
    if (data.save === undefined) return;
    this.save = () => ({ sectors: sectors.pages(), data: data.save!() });
    this.restore = (value) => {
      const saved = value as { sectors: { index: number; bytes: Uint8Array }[]; data: SnapshotValue };
      sectors.clear();
      for (const { index, bytes } of saved.sectors) sectors.setPage(index, bytes);
      data.restore!(saved.data);
    };
  }

  get size(): number {
    return this.base.size;
  }

  read(at: number, target: Uint8Array): Done {
    const { sectors, data } = this.layer;
    const parts: Done[] = [];
    for (let done = 0; done < target.length;) {
      const sector = (at + done) / SECTOR;
      const length = sectors.run(sector, (target.length - done) / SECTOR) * SECTOR;
      const piece = target.subarray(done, done + length);
      parts.push((sectors.has(sector) ? data : this.base).read(at + done, piece));
      done += length;
    }
    return all(parts);
  }

  write(at: number, source: Uint8Array): Done {
    const { sectors, data } = this.layer;
    return andThen(data.write(at, source), () => sectors.add(at / SECTOR, source.length / SECTOR));
  }

  flush(): Done {
    return this.layer.flush();
  }

  discard(at: number, length: number): Done {
    return this.zero(at, length, true);
  }

  zero(at: number, length: number, deallocate: boolean): Done {
    const { sectors, data } = this.layer;
    return andThen(data.zero(at, length, deallocate), () => sectors.add(at / SECTOR, length / SECTOR));
  }
}
