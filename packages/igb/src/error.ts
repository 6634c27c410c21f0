export type IgbErrorCode = 'group-address';

/** The one error class of `@vmloom/igb`. */
export class IgbError extends Error {
  constructor(
    readonly code: IgbErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'IgbError';
  }
}
