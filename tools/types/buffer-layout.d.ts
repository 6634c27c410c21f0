/**
 * Declarations for buffer-layout 1.2.2, which ships none. They are private to this workspace: a package
 * that exports a structure gives it a type of its own, so that nothing of this file reaches a published
 * declaration.
 */

export class Layout<T> {
  /** Bytes; negative when the size varies. */
  readonly span: number;
  readonly property: string | undefined;
  /** @throws RangeError when `b` is too short at `offset` */
  decode(b: Uint8Array, offset?: number): T;
  /** @returns the number of bytes written */
  encode(src: T, b: Uint8Array, offset?: number): number;
  getSpan(b?: Uint8Array, offset?: number): number;
}

export class Structure<T = Record<string, unknown>> extends Layout<T> {
  readonly fields: readonly Layout<unknown>[];
  layoutFor(property: string): Layout<unknown>;
  /** Byte offset of a field; undefined when there is no such field. */
  offsetOf(property: string): number | undefined;
}

export class Sequence<T> extends Layout<T[]> {
  readonly elementLayout: Layout<T>;
  readonly count: number | Layout<number>;
}

export class BitField<T = number> {
  readonly bits: number;
  readonly start: number;
  readonly property: string;
}

export class BitStructure<T = Record<string, number>> extends Layout<T> {
  readonly msb: boolean;
  readonly fields: readonly BitField<unknown>[];
  /** `width` bits, starting after the field added last. */
  addField(width: number, property: string): BitField;
  addBoolean(property: string): BitField<boolean>;
  fieldFor(property: string): BitField<unknown> | undefined;
}

export class Blob extends Layout<Uint8Array> {}

type Integer = Layout<number>;

export function u8(property?: string): Integer;
export function u16(property?: string): Integer;
export function u24(property?: string): Integer;
export function u32(property?: string): Integer;
export function u40(property?: string): Integer;
export function u48(property?: string): Integer;
export function u16be(property?: string): Integer;
export function u24be(property?: string): Integer;
export function u32be(property?: string): Integer;
export function u40be(property?: string): Integer;
export function u48be(property?: string): Integer;
export function s8(property?: string): Integer;
export function s16(property?: string): Integer;
export function s32(property?: string): Integer;
export function s16be(property?: string): Integer;
export function s32be(property?: string): Integer;
/** Exact up to 53 bits only. */
export function nu64(property?: string): Integer;
/** Exact up to 53 bits only. */
export function nu64be(property?: string): Integer;
/** Exact up to 53 bits only. */
export function ns64(property?: string): Integer;
export function f32(property?: string): Layout<number>;
export function f64(property?: string): Layout<number>;

export function struct<T = Record<string, unknown>>(
  fields: readonly Layout<unknown>[],
  property?: string,
  decodePrefixes?: boolean,
): Structure<T>;
export function bits<T = Record<string, number>>(
  word: Integer,
  msb?: boolean,
  property?: string,
): BitStructure<T>;
export function seq<T>(element: Layout<T>, count: number | Layout<number>, property?: string): Sequence<T>;
export function blob(length: number | Layout<number>, property?: string): Blob;
export function cstr(property?: string): Layout<string>;
export function utf8(maxSpan?: number, property?: string): Layout<string>;
