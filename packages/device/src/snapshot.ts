import { DeviceError } from './error.js';

/** Plain data: what structured clone, JSON (with {@link encodeSnapshot}) and a reader can take. */
export type SnapshotValue =
  | null
  | boolean
  | number
  | string
  | bigint
  | Uint8Array
  | readonly SnapshotValue[]
  | { readonly [name: string]: SnapshotValue };

/** The saved state of one part: named fields under a type and a version, never positional. */
export interface Snapshot {
  readonly type: string;
  readonly version: number;
  readonly [name: string]: SnapshotValue;
}

export interface Snapshotable {
  save(): Snapshot;
  /** @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void;
}

/** Refuses a snapshot of another type or version. @throws DeviceError bad-snapshot */
export function expectSnapshot(snapshot: Snapshot, type: string, version: number): void {
  if (snapshot.type !== type || snapshot.version !== version) {
    throw new DeviceError(
      'bad-snapshot',
      `expected ${type} version ${version}, got ${String(snapshot.type)} version ${String(snapshot.version)}`,
    );
  }
}

const BYTES = '$bytes';
const BIGINT = '$bigint';

/** A snapshot as JSON text. Byte arrays become base64, bigints decimal text. */
export function encodeSnapshot(snapshot: SnapshotValue): string {
  return JSON.stringify(snapshot, (_name, value: unknown) => {
    if (value instanceof Uint8Array) return { [BYTES]: toBase64(value) };
    return typeof value === 'bigint' ? { [BIGINT]: value.toString() } : value;
  });
}

/** The inverse of {@link encodeSnapshot}. @throws DeviceError bad-snapshot */
export function decodeSnapshot(text: string): Snapshot {
  let data: unknown;
  try {
    data = JSON.parse(text, (_name, value: unknown) => {
      if (typeof value !== 'object' || value === null) return value;
      const tagged = value as { [BYTES]?: unknown; [BIGINT]?: unknown };
      if (typeof tagged[BYTES] === 'string') return fromBase64(tagged[BYTES]);
      return typeof tagged[BIGINT] === 'string' ? BigInt(tagged[BIGINT]) : value;
    });
  } catch (cause) {
    throw new DeviceError('bad-snapshot', `the snapshot is not readable: ${(cause as Error).message}`);
  }
  const snapshot = data as Partial<Snapshot> | null;
  if (typeof snapshot !== 'object' || snapshot === null || typeof snapshot.type !== 'string') {
    throw new DeviceError('bad-snapshot', 'the text is no snapshot: it names no type');
  }
  return snapshot as Snapshot;
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
