export type NetErrorCode = 'bad-option' | 'bad-address' | 'no-clock' | 'socket' | 'bad-capture';

/** The one error class of `@vmloom/net`. Frames never cause one: only options, addresses and sockets do. */
export class NetError extends Error {
  constructor(
    readonly code: NetErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'NetError';
  }
}
