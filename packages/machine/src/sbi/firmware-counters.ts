// Firmware events, SBI 2.0 table 38 (event type 15), as far as this SBI sees them happen.
export const FIRMWARE_SET_TIMER = 5;
export const FIRMWARE_IPI_SENT = 6;
export const FIRMWARE_IPI_RECEIVED = 7;
export const FIRMWARE_FENCE_I_SENT = 8;
export const FIRMWARE_FENCE_I_RECEIVED = 9;
export const FIRMWARE_SFENCE_VMA_SENT = 10;
export const FIRMWARE_SFENCE_VMA_RECEIVED = 11;
export const FIRMWARE_SFENCE_VMA_ASID_SENT = 12;
export const FIRMWARE_SFENCE_VMA_ASID_RECEIVED = 13;

/** The firmware events that can be counted. */
export const isFirmwareEvent = (code: number): boolean =>
  code >= FIRMWARE_SET_TIMER && code <= FIRMWARE_SFENCE_VMA_ASID_RECEIVED;

/** Told of every firmware event, by hart. */
export type CountFirmwareEvent = (hart: number, event: number) => void;
