import type { RequesterId } from './interrupts.js';

// Address Translation Services (PCIe 10): what a function with a translation cache of its own says to the IOMMU, and what
// the IOMMU says to it. Addresses are two 32-bit halves.

export const ATS_SUCCESS = 0;
/** Unsupported request: translation is off for the function, or will not come back. */
export const ATS_UNSUPPORTED = 1;
/** Completer abort: the request could not be served. */
export const ATS_ABORT = 2;
export type AtsStatus = 0 | 1 | 2;

/** A translation request (PCIe 10.2.2). */
export interface AtsTranslationRequest {
  readonly requester: RequesterId;
  /** -1: none. */
  readonly pasid: number;
  readonly privileged: boolean;
  /** Execute permission is asked for; needs a PASID. */
  readonly execute: boolean;
  /** Write permission is not asked for. */
  readonly noWrite: boolean;
  readonly low: number;
  readonly high: number;
}

/** A translation completion (PCIe 10.2.3). Nothing but the status means anything unless that is ATS_SUCCESS. */
export interface AtsTranslation {
  readonly status: AtsStatus;
  /** The translated address, aligned to the range. */
  readonly low: number;
  readonly high: number;
  /** Log2 of the range in bytes, 12 or more. */
  readonly shift: number;
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
  readonly privileged: boolean;
  readonly global: boolean;
  /** U: the range is reached by untranslated requests alone. */
  readonly untranslatedOnly: boolean;
}

/** A page request message, or a stop marker: a PASID, `last`, neither read nor write (PCIe 10.4.1). */
export interface AtsPageRequest {
  readonly requester: RequesterId;
  /** -1: none. */
  readonly pasid: number;
  readonly privileged: boolean;
  readonly execute: boolean;
  readonly read: boolean;
  readonly write: boolean;
  readonly last: boolean;
  /** Page request group index, 0 to 511. */
  readonly group: number;
  /** Address of the page; bits 11:0 do not count. */
  readonly low: number;
  readonly high: number;
}

/** How a page request group ended (PCIe 10.4.2.1). */
export const PAGE_SUCCESS = 0;
export const PAGE_INVALID_REQUEST = 1;
export const PAGE_FAILURE = 15;

/** A page request group response. */
export interface AtsPageResponse {
  readonly requester: RequesterId;
  /** -1: none. */
  readonly pasid: number;
  readonly group: number;
  readonly code: number;
}

/** An invalidation request (PCIe 10.3.1): the function forgets a range, then completes `tag`. */
export interface AtsInvalidation {
  readonly requester: RequesterId;
  /** -1: none. */
  readonly pasid: number;
  /** 0 to 31. */
  readonly tag: number;
  /** All PASIDs. */
  readonly global: boolean;
  /** The start of the range. */
  readonly low: number;
  readonly high: number;
  /** Log2 of the range in bytes, 12 to 64. */
  readonly shift: number;
}

/** What a function says to the IOMMU. */
export interface AtsService {
  requestTranslation(request: AtsTranslationRequest): AtsTranslation;
  requestPage(request: AtsPageRequest): void;
  /** Invalidation completion message: bit n of `tags` completes tag n. */
  completeInvalidation(requester: RequesterId, tags: number): void;
}

/** What the IOMMU says to functions. Called from events, never within a register write. */
export interface AtsFunctions {
  /** False: no function of that requester ID has a translation cache. */
  invalidate(invalidation: AtsInvalidation): boolean;
  /** False: nobody took it. */
  respond(response: AtsPageResponse): boolean;
}
