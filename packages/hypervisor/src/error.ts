/** What went wrong, for programs; the message says it for people. */
export type HypervisorErrorCode =
  'bad-option' | 'bad-preset' | 'bad-snapshot' | 'duplicate-name' | 'out-of-memory' | 'no-hart';

/** The one error class of `@vmloom/hypervisor`. */
export class HypervisorError extends Error {
  constructor(
    readonly code: HypervisorErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'HypervisorError';
  }
}
