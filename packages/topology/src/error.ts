/** What went wrong, for programs; the message says it for people. */
export type TopologyErrorCode = 'bad-topology' | 'unknown-structure' | 'not-finished';

/** The one error class of `@vmloom/topology`. */
export class TopologyError extends Error {
  constructor(
    readonly code: TopologyErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'TopologyError';
  }
}
