export type E1000ErrorCode = 'group-address';

/** The one error class of `@vmloom/e1000`. */
export class E1000Error extends Error {
  constructor(
    readonly code: E1000ErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'E1000Error';
  }
}
