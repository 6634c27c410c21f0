import { parseSize } from '@vmloom/machine';
import { CliError } from '../error.js';
import { didYouMean } from '../suggest.js';

/**
 * QEMU's comma-separated properties: `e1000,netdev=n0,mac=52:54:00:12:34:56`. A doubled comma is a comma;
 * a word without `=` is `word=on`, except the first, which may go by the name in `implied`. Every property
 * must be taken by somebody: {@link done} refuses what nobody knew.
 */
export class Properties {
  readonly #values = new Map<string, string[]>();
  readonly #known = new Set<string>();

  constructor(
    readonly text: string,
    /** What the properties belong to, for messages: `-netdev user`. */
    public where: string,
    implied?: string,
  ) {
    split(text).forEach((part, index) => {
      const at = part.indexOf('=');
      let name = at < 0 ? part : part.slice(0, at);
      let value = at < 0 ? 'on' : part.slice(at + 1);
      if (at < 0 && index === 0 && implied !== undefined) [name, value] = [implied, part];
      if (name === '') throw new CliError(`${where}: "${text}" has a property without a name`);
      const values = this.#values.get(name);
      if (values === undefined) this.#values.set(name, [value]);
      else values.push(value);
    });
  }

  /** Every value of a property that may be given more than once. */
  all(name: string): readonly string[] {
    this.#known.add(name);
    return this.#values.get(name) ?? [];
  }

  /** The last value given. */
  optional(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  required(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw new CliError(`${this.where} needs ${name}=`);
    return value;
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.optional(name);
    if (value === undefined) return otherwise;
    if (['on', 'yes', 'true', 'y'].includes(value)) return true;
    if (['off', 'no', 'false', 'n'].includes(value)) return false;
    throw new CliError(`${this.where}: ${name} is on or off, not "${value}"`);
  }

  number(name: string, otherwise: number, range: { least?: number; most?: number } = {}): number {
    const value = this.optional(name);
    return value === undefined ? otherwise : parseCount(value, `${this.where}: ${name}`, range);
  }

  size(name: string): number | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    return parseBytes(value, `${this.where}: ${name}`);
  }

  /** One of some words. */
  choice<Word extends string>(name: string, words: readonly Word[], otherwise: Word): Word {
    const value = this.optional(name);
    if (value === undefined) return otherwise;
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    throw new CliError(
      `${this.where}: ${name} is ${words.join(' or ')}, not "${value}"${didYouMean(value, words)}`,
    );
  }

  /** Refuses properties that nobody asked for. */
  done(): void {
    for (const name of this.#values.keys()) {
      if (this.#known.has(name)) continue;
      throw new CliError(`${this.where} has no property ${name}${didYouMean(name, this.#known)}`);
    }
  }
}

/** Whole, decimal or 0x. */
export function parseCount(
  text: string,
  where: string,
  range: { least?: number; most?: number } = {},
): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
  const { least = 0, most = Number.MAX_SAFE_INTEGER } = range;
  if (!(value >= least && value <= most)) {
    const upper = most === Number.MAX_SAFE_INTEGER ? 'up' : `to ${most}`;
    throw new CliError(`${where} is a number from ${least} ${upper}, not "${text}"`);
  }
  return value;
}

/** A size with a unit; without one the number counts `unit` bytes. */
export function parseBytes(text: string, where: string, unit = 1): number {
  try {
    return /^\d+$/.test(text) ? parseCount(text, where) * unit : parseSize(text);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError(`${where} is a size such as 128M or 1G, not "${text}"`);
  }
}

function split(text: string): string[] {
  const parts = [''];
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== ',') parts[parts.length - 1] += text[at];
    else if (text[at + 1] === ',') {
      parts[parts.length - 1] += ',';
      at++;
    } else parts.push('');
  }
  return parts;
}
