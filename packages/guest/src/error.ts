/** What went wrong, for programs; the message says it for people. */
export type GuestErrorCode = 'no-image' | 'bad-argument';

/** The one error class of `@vmloom/guest`. */
export class GuestError extends Error {
  constructor(
    readonly code: GuestErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'GuestError';
  }
}
