import { ExtendedCapability, type CapabilityFields } from '../capability.js';
import type { ConfigRegister } from '../config-space.js';
import { EXTENDED_AER } from '../registers.js';

/** Bits of the uncorrectable error registers (PCIe 7.8.4.2). */
export const UNCORRECTABLE = {
  dataLinkProtocol: 1 << 4,
  poisonedRequest: 1 << 12,
  flowControl: 1 << 13,
  completionTimeout: 1 << 14,
  completerAbort: 1 << 15,
  unexpectedCompletion: 1 << 16,
  receiverOverflow: 1 << 17,
  malformedRequest: 1 << 18,
  unsupportedRequest: 1 << 20,
} as const;

const ALL_UNCORRECTABLE = Object.values(UNCORRECTABLE).reduce((all, bit) => all | bit, 0);
const DEFAULT_SEVERITY =
  UNCORRECTABLE.dataLinkProtocol |
  UNCORRECTABLE.flowControl |
  UNCORRECTABLE.receiverOverflow |
  UNCORRECTABLE.malformedRequest;
// Receiver error, bad TLP, bad DLLP, replay number rollover, replay timer timeout, advisory non-fatal error (7.8.4.5).
const ALL_CORRECTABLE = 0x31c1;
const ADVISORY_NON_FATAL = 1 << 13;

/** Offsets within the capability (PCIe 7.8.4). */
const AER = {
  uncorrectableStatus: 0x04,
  uncorrectableMask: 0x08,
  uncorrectableSeverity: 0x0c,
  correctableStatus: 0x10,
  correctableMask: 0x14,
  control: 0x18,
  headerLog: 0x1c,
  rootCommand: 0x2c,
  rootStatus: 0x30,
} as const;

/** Advanced error reporting (PCIe 7.8.4): status, mask and severity of errors, and the first error's header. */
export class AerCapability extends ExtendedCapability {
  readonly id = EXTENDED_AER;
  readonly version = 2;
  readonly name = 'Advanced Error Reporting';
  readonly size: number;
  readonly #root: boolean;
  readonly #virtual: boolean;

  /**
   * `root`: with the registers of a root port, which say what errors below are made of. `virtual`: of a virtual function,
   * whose masks and severities are those of its physical function (PCIe 9.4.2).
   */
  constructor(options: { readonly root?: boolean; readonly virtual?: boolean } = {}) {
    super();
    this.#virtual = options.virtual ?? false;
    this.#root = options.root ?? false;
    this.size = this.#root ? 0x38 : 0x2c;
  }

  registers(offset: number): readonly ConfigRegister[] {
    const at = (name: string, where: number, rest: Partial<ConfigRegister>): ConfigRegister => ({
      name: `aer ${name}`,
      offset: offset + where,
      size: 4,
      ...rest,
    });
    const ruling = (bits: number, value = 0): Partial<ConfigRegister> =>
      this.#virtual ? {} : { value, write: bits, sticky: bits };
    const list = [
      at('uncorrectable status', AER.uncorrectableStatus, {
        clear: ALL_UNCORRECTABLE,
        sticky: ALL_UNCORRECTABLE,
      }),
      at('uncorrectable mask', AER.uncorrectableMask, ruling(ALL_UNCORRECTABLE)),
      at('uncorrectable severity', AER.uncorrectableSeverity, ruling(ALL_UNCORRECTABLE, DEFAULT_SEVERITY)),
      at('correctable status', AER.correctableStatus, { clear: ALL_CORRECTABLE, sticky: ALL_CORRECTABLE }),
      at('correctable mask', AER.correctableMask, ruling(ALL_CORRECTABLE, ADVISORY_NON_FATAL)),
      // The first error pointer is all there is: no ECRC is generated or checked.
      at('control', AER.control, { sticky: 0x1f }),
    ];
    for (let word = 0; word < 4; word++) {
      list.push(at(`header log ${word}`, AER.headerLog + 4 * word, { sticky: 0xffff_ffff }));
    }
    if (this.#root) {
      list.push(at('root error command', AER.rootCommand, { write: 7 }));
      list.push(at('root error status', AER.rootStatus, { clear: 0x7f, sticky: 0x7f }));
      list.push(at('error source', AER.rootStatus + 4, { sticky: 0xffff_ffff }));
    }
    return list;
  }

  /**
   * Records an uncorrectable error of {@link UNCORRECTABLE}; the first one unmasked leaves its request's header (four
   * words) in the log (7.8.4.7, 7.8.4.8).
   */
  recordUncorrectable(bit: number, header: readonly [number, number, number, number] = [0, 0, 0, 0]): void {
    const { config } = this.owner;
    const status = this.read32(AER.uncorrectableStatus);
    const pointed = 1 << (this.read32(AER.control) & 0x1f);
    const holdsFirst = (status & pointed) !== 0;
    config.set(this.offset + AER.uncorrectableStatus, 4, status | bit);
    if (holdsFirst || (this.read32(AER.uncorrectableMask) & bit) !== 0) return;
    config.set(this.offset + AER.control, 4, 31 - Math.clz32(bit));
    header.forEach((word, index) => config.set(this.offset + AER.headerLog + 4 * index, 4, word));
  }

  /** Records a correctable error (a bit of 7.8.4.5). */
  recordCorrectable(bit: number): void {
    const at = this.offset + AER.correctableStatus;
    this.owner.config.set(at, 4, this.read32(AER.correctableStatus) | (bit & ALL_CORRECTABLE));
  }

  override fields(): CapabilityFields {
    return {
      uncorrectable: this.read32(AER.uncorrectableStatus),
      uncorrectableMask: this.read32(AER.uncorrectableMask),
      correctable: this.read32(AER.correctableStatus),
    };
  }
}
