/** What went wrong, for programs; the message says it for people. */
export type RiscvErrorCode =
  'no-such-csr' | 'read-only-csr' | 'too-many-harts' | 'bad-option' | 'bad-operand' | 'lockstep';

/** The one error class of `@vmloom/riscv`. */
export class RiscvError extends Error {
  constructor(
    readonly code: RiscvErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'RiscvError';
  }
}
