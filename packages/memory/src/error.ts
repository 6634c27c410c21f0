/** What went wrong, for programs; the message says it for people. */
export type MemoryErrorCode =
  'bad-size' | 'reserve-exhausted' | 'out-of-range' | 'overlap' | 'bad-region' | 'shared-unavailable';

/** The one error class of `@vmloom/memory`. */
export class MemoryError extends Error {
  constructor(
    readonly code: MemoryErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'MemoryError';
  }
}
