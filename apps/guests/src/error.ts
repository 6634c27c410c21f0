/** What went wrong, for programs; the message says it for people. */
export type GuestsErrorCode =
  | 'bad-archive'
  | 'bad-capture'
  | 'bad-elf'
  | 'bad-figures'
  | 'bad-option'
  | 'bad-sources'
  | 'checksum'
  | 'missing-module'
  | 'missing-package'
  | 'no-apt'
  | 'no-mirror'
  | 'tool-failed';

/** The one error class of `@vmloom/guests`. */
export class GuestsError extends Error {
  constructor(
    readonly code: GuestsErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'GuestsError';
  }
}
