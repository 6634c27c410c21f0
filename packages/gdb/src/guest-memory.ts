import { physical, type AddressSpace } from '@vmloom/memory';
import type { AccessKind, Hart, Privilege } from '@vmloom/riscv';

const PAGE = 4096n;
const KINDS: readonly AccessKind[] = ['read', 'fetch', 'write'];
const LIMIT = 1n << 53n;

/**
 * Where an address leads that a person at a debugger types: as the hart sees it now, in whatever way it may
 * access it; else as the other mode of the two that translate (user memory while the kernel runs, and the
 * reverse). Without translation an address is physical. Nothing of the guest changes.
 */
export function debugTranslate(hart: Hart, address: bigint): number | undefined {
  const at = byKind(hart, address) ?? otherMode(hart, address);
  return at !== undefined && at < LIMIT ? Number(at) : undefined;
}

function byKind(hart: Hart, address: bigint): bigint | undefined {
  for (const kind of KINDS) {
    const at = hart.translate(address, kind);
    if (at !== undefined) return at;
  }
  return undefined;
}

function otherMode(hart: Hart, address: bigint): bigint | undefined {
  const { privilege } = hart;
  if (privilege === 3) return undefined;
  hart.privilege = (1 - privilege) as Privilege;
  try {
    return byKind(hart, address);
  } finally {
    hart.privilege = privilege;
  }
}

/** A stretch of RAM or ROM: `length` bytes at a physical address, within one page. */
export interface Piece {
  readonly address: number;
  readonly length: number;
}

/**
 * The pieces that hold `length` bytes from a virtual address on; they end early where there is no RAM or ROM.
 * Devices are not memory here, for looking at their registers may change them.
 */
export function* debugPieces(
  hart: Hart,
  space: AddressSpace,
  address: bigint,
  length: number,
): Generator<Piece> {
  for (let done = 0; done < length;) {
    const at = BigInt.asUintN(64, address + BigInt(done));
    const count = Math.min(length - done, Number(PAGE - (at % PAGE)));
    const where = debugTranslate(hart, at);
    if (where === undefined || space.resolve(physical(where), count) < 0) return;
    yield { address: where, length: count };
    done += count;
  }
}

/** As many bytes as there are, `length` at most; undefined when there is none. */
export function readGuest(
  hart: Hart,
  space: AddressSpace,
  address: bigint,
  length: number,
): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  let done = 0;
  for (const piece of debugPieces(hart, space, address, length)) {
    bytes.set(space.readBytes(physical(piece.address), piece.length), done);
    done += piece.length;
  }
  return done === 0 && length > 0 ? undefined : bytes.subarray(0, done);
}

/** Writes RAM and ROM, all or nothing. */
export function writeGuest(hart: Hart, space: AddressSpace, address: bigint, bytes: Uint8Array): boolean {
  const pieces = [...debugPieces(hart, space, address, bytes.length)];
  if (pieces.reduce((sum, { length }) => sum + length, 0) < bytes.length) return false;
  let done = 0;
  for (const piece of pieces) {
    space.writeBytes(physical(piece.address), bytes.subarray(done, done + piece.length));
    done += piece.length;
  }
  return true;
}
