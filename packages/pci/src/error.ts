/** What went wrong, for programs; the message says it for people. */
export type PciErrorCode =
  | 'already-plugged'
  | 'not-plugged'
  | 'bad-slot'
  | 'slot-occupied'
  | 'slot-empty'
  | 'bus-full'
  | 'duplicate-name'
  | 'bad-option'
  | 'bad-bar'
  | 'bad-capability'
  | 'config-full'
  | 'bad-snapshot';

/** The one error class of `@vmloom/pci`: wrong use by the host's programmer, never the act of a guest. */
export class PciError extends Error {
  constructor(
    readonly code: PciErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'PciError';
  }
}
