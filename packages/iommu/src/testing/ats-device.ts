import {
  AT_TRANSLATED,
  ATS_SUCCESS,
  DMA_FAULT,
  type AtsFunctions,
  type AtsInvalidation,
  type AtsPageRequest,
  type AtsPageResponse,
  type AtsService,
  type AtsTranslation,
  type AtsTranslationRequest,
  type DmaPort,
  type DmaStatus,
} from '@vmloom/device';

/** A function with a translation cache of its own, a "device TLB": what it was told it uses until it is invalidated. */
export class AtsDevice implements AtsFunctions {
  readonly responses: AtsPageResponse[] = [];
  readonly invalidations: AtsInvalidation[] = [];
  /** Completes invalidations at once. False: {@link AtsDevice.complete} does. */
  prompt = true;
  readonly #cache: (AtsTranslation & { readonly iova: bigint; readonly pasid: number })[] = [];

  constructor(
    readonly requester: number,
    readonly service: AtsService,
    readonly port: DmaPort,
  ) {}

  /** Asks for a translation, and keeps it when there is one. */
  ask(iova: bigint, options: Partial<AtsTranslationRequest> = {}): AtsTranslation {
    const request = {
      requester: this.requester,
      pasid: -1,
      privileged: false,
      execute: false,
      noWrite: false,
      low: Number(iova & 0xffff_ffffn),
      high: Number(iova >> 32n),
      ...options,
    };
    const answer = this.service.requestTranslation(request);
    if (answer.status === ATS_SUCCESS && answer.read) {
      const shift = BigInt(answer.shift);
      this.#cache.push({ ...answer, iova: (iova >> shift) << shift, pasid: request.pasid });
    }
    return answer;
  }

  /** Writes by a translated request; DMA_FAULT when the cache has nothing for it. */
  write(iova: bigint, bytes: Uint8Array, pasid = -1): DmaStatus {
    const found = this.#cache.find(
      (entry) =>
        entry.pasid === pasid &&
        entry.write &&
        iova >> BigInt(entry.shift) === entry.iova >> BigInt(entry.shift),
    );
    if (found === undefined) return DMA_FAULT;
    const at = ((BigInt(found.high) << 32n) | BigInt(found.low)) + (iova - found.iova);
    this.port.addressType = AT_TRANSLATED;
    return this.port.write(Number(at & 0xffff_ffffn), Number(at >> 32n), bytes);
  }

  requestPage(request: Partial<AtsPageRequest>): void {
    this.service.requestPage({
      requester: this.requester,
      pasid: -1,
      privileged: false,
      execute: false,
      read: true,
      write: false,
      last: true,
      group: 0,
      low: 0,
      high: 0,
      ...request,
    });
  }

  invalidate(invalidation: AtsInvalidation): boolean {
    if (invalidation.requester !== this.requester) return false;
    this.invalidations.push(invalidation);
    if (this.prompt) this.complete(invalidation.tag);
    return true;
  }

  /** Forgets what an invalidation names, and says so. */
  complete(tag: number): void {
    const { low, high, shift, pasid, global } = this.invalidations.find((each) => each.tag === tag)!;
    const start = (BigInt(high) << 32n) | BigInt(low);
    for (let index = this.#cache.length - 1; index >= 0; index--) {
      const entry = this.#cache[index];
      const wide = BigInt(Math.max(shift, entry.shift));
      if ((entry.iova ^ start) >> wide === 0n && (global || entry.pasid === pasid))
        this.#cache.splice(index, 1);
    }
    this.service.completeInvalidation(this.requester, (1 << tag) >>> 0);
  }

  respond(response: AtsPageResponse): boolean {
    if (response.requester !== this.requester) return false;
    this.responses.push(response);
    return true;
  }
}
