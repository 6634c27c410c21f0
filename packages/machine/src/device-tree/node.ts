import { MachineError } from '../error.js';

/** A node of a device tree: properties as bytes, children by name. */
export interface DeviceTreeNode {
  /** With its unit address; empty for the root. */
  readonly name: string;
  readonly properties: ReadonlyMap<string, Uint8Array>;
  readonly children: readonly DeviceTreeNode[];
}

/** What a property can be made of: see {@link propertyBytes}. */
export type PropertyValue =
  true | string | number | bigint | readonly (number | string | bigint)[] | Uint8Array;

/**
 * The bytes of a property (Devicetree specification 0.4, 2.2.4): `true` is empty; a number one 32-bit cell, a
 * bigint two; a string ends with NUL; a list is its items, one after another; bytes stay as they are.
 * @throws MachineError bad-device-tree for a number that is no cell
 */
export function propertyBytes(value: PropertyValue): Uint8Array {
  if (value === true) return new Uint8Array(0);
  if (value instanceof Uint8Array) return value.slice();
  const items: readonly (number | string | bigint)[] = Array.isArray(value) ? value : [value as number];
  return join(items.map(itemBytes));
}

function itemBytes(item: number | string | bigint): Uint8Array {
  if (typeof item === 'number' && (!Number.isInteger(item) || item < 0 || item > 0xffff_ffff)) {
    throw new MachineError('bad-device-tree', `${item} does not fit in a 32-bit cell`);
  }
  if (typeof item === 'string') return new TextEncoder().encode(`${item}\0`);
  const bytes = new Uint8Array(typeof item === 'bigint' ? 8 : 4);
  const view = new DataView(bytes.buffer);
  if (typeof item === 'bigint') view.setBigUint64(0, item);
  else view.setUint32(0, item);
  return bytes;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A node from plain values; `undefined` properties are left out. */
export function node(
  name: string,
  properties: { readonly [name: string]: PropertyValue | undefined },
  children: readonly DeviceTreeNode[] = [],
): DeviceTreeNode {
  const entries = Object.entries(properties).filter(
    (entry): entry is [string, PropertyValue] => entry[1] !== undefined,
  );
  return {
    name,
    properties: new Map(entries.map(([key, value]) => [key, propertyBytes(value)])),
    children,
  };
}

/** The node at a path such as `/soc/serial@10000000`; undefined where there is none. */
export function findNode(root: DeviceTreeNode, path: string): DeviceTreeNode | undefined {
  let found: DeviceTreeNode | undefined = root;
  for (const name of path.split('/').filter((part) => part !== '')) {
    found = found?.children.find((child) => child.name === name);
  }
  return found;
}

/** A property's 32-bit cells. @throws MachineError bad-device-tree when it is absent or no list of cells */
export function cells(from: DeviceTreeNode, property: string): number[] {
  const bytes = required(from, property);
  if (bytes.length % 4 !== 0) {
    throw new MachineError('bad-device-tree', `${property} of ${from.name} is no list of 32-bit cells`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(index * 4));
}

/** A property's strings. @throws MachineError bad-device-tree when it is absent or does not end with NUL */
export function strings(from: DeviceTreeNode, property: string): string[] {
  const bytes = required(from, property);
  if (bytes.length === 0 || bytes[bytes.length - 1] !== 0) {
    throw new MachineError('bad-device-tree', `${property} of ${from.name} is no string`);
  }
  return new TextDecoder().decode(bytes.subarray(0, -1)).split('\0');
}

function required(from: DeviceTreeNode, property: string): Uint8Array {
  const bytes = from.properties.get(property);
  if (bytes === undefined) {
    throw new MachineError('bad-device-tree', `node ${from.name || '/'} has no property ${property}`);
  }
  return bytes;
}
