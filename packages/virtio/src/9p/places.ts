import { ENAMETOOLONG, P9Error } from './errno.js';

/** Directories below each other that a client can walk down. */
export const MAX_DEPTH = 1024;

/**
 * Where an object is: a name in a directory that is a place itself. When a directory is renamed, all below move with
 * it. A place without a name left is detached: its object lives on as long as somebody uses it.
 */
export class Place {
  readonly children = new Map<string, Place>();
  /** Uses: fids and places below. */
  uses = 0;
  detached = false;
  /** The object that was found here; undefined: none was looked for. */
  id: bigint | undefined;
  /** For the file system. */
  handle: unknown;

  constructor(
    public parent: Place | undefined,
    public name: string,
  ) {}

  get isRoot(): boolean {
    return this.parent === undefined;
  }
}

function depthOf(place: Place): number {
  let depth = 0;
  for (let at = place; at.parent !== undefined; at = at.parent) depth++;
  return depth;
}

/** Names from the root on; undefined when the place, or one above, is detached. */
export function pathOf(place: Place): string[] | undefined {
  const names: string[] = [];
  for (let at = place; at.parent !== undefined; at = at.parent) {
    if (at.detached) return undefined;
    names.push(at.name);
  }
  return names.reverse();
}

/** The places in use. There is one for each name, so all fids of a file agree about where it is. */
export class PlaceTree {
  readonly root = new Place(undefined, '');

  /** `forget` is told of each place that nobody uses any more. */
  constructor(private readonly forget: (place: Place) => void) {
    this.root.uses = 1;
  }

  retain(place: Place): Place {
    place.uses++;
    return place;
  }

  /** The place of a name where the object `id` is, retained. @throws P9Error ENAMETOOLONG */
  child(directory: Place, name: string, id?: bigint): Place {
    let place = directory.children.get(name);
    if (place !== undefined && place.id !== id && id !== undefined) {
      // Somebody else put another object there; who uses the old one keeps it.
      if (place.id !== undefined) this.detach(place);
      else place.id = id;
      place = directory.children.get(name);
    }
    if (place === undefined) {
      if (depthOf(directory) >= MAX_DEPTH) throw new P9Error(ENAMETOOLONG);
      place = new Place(directory, name);
      place.id = id;
      directory.children.set(name, place);
      this.retain(directory);
    }
    return this.retain(place);
  }

  release(place: Place): void {
    for (let current: Place | undefined = place; current !== undefined;) {
      if (--current.uses > 0) return;
      this.forget(current);
      const { parent, name }: Place = current;
      if (parent?.children.get(name) === current) parent.children.delete(name);
      current = parent;
    }
  }

  /** The name is gone. */
  detach(place: Place): void {
    place.detached = true;
    if (place.parent?.children.get(place.name) === place) place.parent.children.delete(place.name);
  }

  /** The object has another name, where nothing is in use any more. */
  move(place: Place, directory: Place, name: string): void {
    const before = place.parent!;
    before.children.delete(place.name);
    this.retain(directory);
    place.parent = directory;
    place.name = name;
    directory.children.set(name, place);
    this.release(before);
  }

  /** True when `place` is `above`, or below it. */
  isWithin(place: Place, above: Place): boolean {
    for (let current: Place | undefined = place; current !== undefined; current = current.parent) {
      if (current === above) return true;
    }
    return false;
  }
}
