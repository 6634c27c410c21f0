import type { AtsFunctions, Clock, InterruptLine, Ledger } from '@vmloom/device';
import type { AddressSpace } from '@vmloom/memory';
import * as C from './codes.js';
import { IommuError } from './error.js';
import type { CacheSizes } from './core.js';
import { IGS_BOTH, IGS_MSI, IGS_WSI } from './registers.js';

/** What the IOMMU can do. All of it unless told, but for the extensions that came after 1.0. */
export interface Features {
  /** First-stage page tables: the widest; narrower ones come with it. */
  readonly firstStage?: 'none' | 'sv39' | 'sv48' | 'sv57';
  /** Second-stage page tables. */
  readonly secondStage?: 'none' | 'sv39x4' | 'sv48x4' | 'sv57x4';
  /** Process directories: the widest; narrower ones come with it. */
  readonly processes?: 'none' | 'pd8' | 'pd17' | 'pd20';
  /** MSI page tables; device contexts have the extended format with them. */
  readonly messages?: 'none' | 'flat' | 'mrif';
  readonly ats?: boolean;
  /** ATS answers guest-physical addresses on demand. */
  readonly guestAts?: boolean;
  /** Accessed and dirty bits are updated. */
  readonly dirty?: boolean;
  readonly memoryTypes?: boolean;
  /** Both byte orders of structures in memory. */
  readonly bothEndians?: boolean;
  readonly monitor?: boolean;
  readonly debug?: boolean;
  /** Extensions NL, S and Svrsw60t59b. False unless told. */
  readonly rangeInvalidation?: boolean;
  readonly softwareBits?: boolean;
}

export interface IommuOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly ledger?: Ledger;
  /** Where tables, queues and translated requests lie. */
  readonly space: AddressSpace;
  readonly features?: Features;
  /** Entries of the caches, each a power of two; 256 translations, 64 devices and 64 processes unless told. */
  readonly caches?: Partial<CacheSizes>;
  /** Wires by vector, 0 to 3. Without them interrupts are messages alone. */
  readonly lines?: readonly InterruptLine[];
  /** False: interrupts are wired alone. True unless told. */
  readonly messageInterrupts?: boolean;
  /** A capability of the function the IOMMU is in sends messages; msi_cfg_tbl is its table then. */
  readonly signal?: (vector: number) => void;
  /** Functions with translation caches of their own. */
  readonly functions?: AtsFunctions;
  /** Mode after reset: all DMA refused (unless told), or passed through. */
  readonly resetMode?: 'off' | 'bare';
  /** Nanoseconds that a function may take to complete an invalidation; 90 s unless told (PCIe 10.3.1). */
  readonly invalidationTimeout?: number;
  /**
   * Ports ask for each access instead of keeping answers, so that hits and misses in the ledger are those of the
   * modelled IOTLB. False unless told: faster.
   */
  readonly exactCounts?: boolean;
}

const LEVELS = { none: 0, sv39: 1, sv48: 3, sv57: 7 } as const;
const GUEST_LEVELS = { none: 0, sv39x4: 1, sv48x4: 3, sv57x4: 7 } as const;
const PROCESS_LEVELS = { none: 0, pd8: 1, pd17: 3, pd20: 7 } as const;
/** Bits of a physical address: what a PTE can hold. */
const PHYSICAL_BITS = 56;

/** The capabilities register (6.3), and what of it the options say. */
export function capabilitiesOf(options: IommuOptions): [low: number, high: number] {
  const features = options.features ?? {};
  const { messages = 'mrif' } = features;
  const wired = options.lines !== undefined && options.lines.length > 0;
  const igs = options.messageInterrupts === false ? IGS_WSI : wired ? IGS_BOTH : IGS_MSI;
  if (igs === IGS_WSI && !wired) {
    throw new IommuError('bad-option', 'an IOMMU needs wires or messages to interrupt with');
  }
  const has = (value: boolean | undefined, bit: number): number => (value === false ? 0 : bit);
  const ats = features.ats !== false;
  const low =
    0x10 |
    (LEVELS[features.firstStage ?? 'sv57'] * C.CAP_SV39) |
    (features.softwareBits === true ? C.CAP_SVRSW60T59B : 0) |
    has(features.memoryTypes, C.CAP_SVPBMT) |
    (GUEST_LEVELS[features.secondStage ?? 'sv57x4'] * C.CAP_SV39X4) |
    (messages === 'none' ? 0 : C.CAP_MSI_FLAT) |
    (messages === 'mrif' ? C.CAP_MSI_MRIF | C.CAP_AMO_MRIF : 0) |
    has(features.dirty, C.CAP_AMO_HWAD) |
    has(ats, C.CAP_ATS) |
    has(ats && features.guestAts !== false, C.CAP_T2GPA) |
    has(features.bothEndians, C.CAP_END) |
    (igs << C.CAP_IGS_SHIFT) |
    has(features.monitor, C.CAP_HPM) |
    has(features.debug, C.CAP_DBG);
  const high =
    PHYSICAL_BITS |
    (PROCESS_LEVELS[features.processes ?? 'pd20'] * C.CAP_HIGH_PD8) |
    (features.rangeInvalidation === true ? C.CAP_HIGH_NL | C.CAP_HIGH_S : 0);
  return [low >>> 0, high >>> 0];
}

/** @throws IommuError bad-option */
export function cacheSizesOf(options: IommuOptions): CacheSizes {
  const sizes = { iotlb: 256, devices: 64, processes: 64, ...options.caches };
  for (const [name, size] of Object.entries(sizes)) {
    const least = name === 'iotlb' ? C.IOTLB_WAYS : 1;
    if (Number.isInteger(Math.log2(size)) && size >= least && size <= 65_536) continue;
    throw new IommuError(
      'bad-option',
      `the ${name} cache has a power of two of entries, ${least} to 65536, not ${size}`,
    );
  }
  return sizes;
}
