export type VirtioErrorCode = 'bad-option' | 'bad-snapshot' | 'not-attached' | 'store';

/** The one error class of `@vmloom/virtio`: a mistake of the program that uses it, never of a guest. */
export class VirtioError extends Error {
  constructor(
    readonly code: VirtioErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'VirtioError';
  }
}
