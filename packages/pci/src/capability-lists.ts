import type { Capability, ExtendedCapability } from './capability.js';
import type { ConfigSpace } from './config-space.js';
import { CONVENTIONAL_CONFIG_SIZE, EXPRESS_CONFIG_SIZE } from './config-space.js';
import { PciError } from './error.js';
import { CAPABILITIES_POINTER, STATUS, STATUS_CAPABILITIES } from './registers.js';

const FIRST = 0x40;
const FIRST_EXTENDED = 0x100;

/** The two linked lists of one function's capabilities. */
export class CapabilityLists {
  readonly #conventional: Capability[] = [];
  readonly #extended: ExtendedCapability[] = [];

  constructor(private readonly config: ConfigSpace) {}

  get all(): readonly (Capability | ExtendedCapability)[] {
    return [...this.#conventional, ...this.#extended];
  }

  /** @throws PciError bad-capability, config-full */
  add(capability: Capability | ExtendedCapability, offset?: number): void {
    if (capability.owned)
      throw new PciError('bad-capability', `the ${capability.name} capability has an owner already`);
    const extended = capability.list === 'extended';
    // 7.6.2: the list of extended capabilities always begins at 100h.
    const forced = extended && this.#extended.length === 0 ? FIRST_EXTENDED : undefined;
    const at = offset ?? forced ?? this.#findRoom(capability);
    this.#check(capability, at, forced);
    capability.offset = at;
    if (extended) this.#linkExtended(capability, at);
    else this.#link(capability, at);
    this.config.define(...capability.registers(at));
  }

  /** Reserved bytes of a capability belong to it although no register names them. */
  #isFree(offset: number, length: number): boolean {
    if (!this.config.isFree(offset, length)) return false;
    return !this.all.some((one) => one.offset < offset + length && offset < one.offset + one.size);
  }

  #link(capability: Capability, at: number): void {
    this.config.define(
      { name: `${capability.name} id`, offset: at, size: 1, value: capability.id },
      { name: `${capability.name} next`, offset: at + 1, size: 1 },
    );
    const last = this.#conventional.at(-1);
    this.config.setInitial(last === undefined ? CAPABILITIES_POINTER : last.offset + 1, 1, at);
    this.config.setInitial(STATUS, 2, this.config.read(STATUS, 2) | STATUS_CAPABILITIES);
    this.#conventional.push(capability);
  }

  #linkExtended(capability: ExtendedCapability, at: number): void {
    const value = capability.id | (capability.version << 16);
    this.config.define({ name: `${capability.name} header`, offset: at, size: 4, value });
    const last = this.#extended.at(-1);
    if (last !== undefined) {
      const header = this.config.read(last.offset, 4) & 0xf_ffff;
      this.config.setInitial(last.offset, 4, header | (at << 20));
    }
    this.#extended.push(capability);
  }

  #check(capability: Capability | ExtendedCapability, at: number, forced: number | undefined): void {
    const [first, end] = bounds(capability);
    const where = `the ${capability.name} capability at 0x${at.toString(16)}`;
    if (at % 4 !== 0 || at < first || at + capability.size > end) {
      throw new PciError('bad-capability', `${where} does not lie at a multiple of 4 in its list's space`);
    }
    if (forced !== undefined && at !== forced) {
      throw new PciError('bad-capability', `${where}: the first extended capability lies at 0x100`);
    }
    if (!this.#isFree(at, capability.size)) {
      throw new PciError('bad-capability', `${where} overlaps another one`);
    }
  }

  #findRoom(capability: Capability | ExtendedCapability): number {
    const [first, end] = bounds(capability);
    for (let at = first; at + capability.size <= end; at += 4) {
      if (this.#isFree(at, capability.size)) return at;
    }
    throw new PciError(
      'config-full',
      `no room for the ${capability.name} capability (${capability.size} bytes)`,
    );
  }
}

function bounds(capability: Capability | ExtendedCapability): readonly [number, number] {
  return capability.list === 'extended'
    ? [FIRST_EXTENDED, EXPRESS_CONFIG_SIZE]
    : [FIRST, CONVENTIONAL_CONFIG_SIZE];
}
