/** What went wrong, for programs; the message says it for people. */
export type MachineErrorCode =
  | 'bad-board'
  | 'bad-device-tree'
  | 'bad-elf'
  | 'bad-image'
  | 'bad-gzip'
  | 'does-not-fit'
  | 'unsupported-image'
  | 'bad-option'
  | 'bad-snapshot'
  | 'already-running'
  | 'duplicate-name'
  | 'not-running'
  | 'off'
  | 'timeout'
  | 'ended';

/** The one error class of `@vmloom/machine`. */
export class MachineError extends Error {
  constructor(
    readonly code: MachineErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'MachineError';
  }
}
