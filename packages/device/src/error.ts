export type DeviceErrorCode =
  'duplicate-owner' | 'unknown-owner' | 'bad-time' | 'bad-snapshot' | 'replay-mismatch' | 'bad-property';

/** The one error class of `@vmloom/device`. */
export class DeviceError extends Error {
  constructor(
    readonly code: DeviceErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'DeviceError';
  }
}
