/** When a device looks at a queue whose driver has rung. Times are virtual nanoseconds. */
export type DoorbellPolicy =
  /** With the next event. */
  | { readonly kind: 'immediate' }
  /** `delay` after the first doorbell; doorbells meanwhile share the look. */
  | { readonly kind: 'batched'; readonly delay: number }
  /** Every `interval`; the driver is told to spare its doorbells. */
  | { readonly kind: 'polled'; readonly interval: number }
  /** By doorbells while they are rare, by polling while chains are many. */
  | ({ readonly kind: 'adaptive' } & AdaptiveOptions);

export interface AdaptiveOptions {
  /** Nanoseconds over which rates are measured. 1 ms unless told. */
  readonly window?: number;
  /** So many doorbells within a window begin polling. 32 unless told. */
  readonly enter?: number;
  /** Fewer chains than so many within a window of polling end it; below `enter`, or it would flutter. 8 unless told. */
  readonly leave?: number;
  /** Nanoseconds between two polls. 20 us unless told. */
  readonly interval?: number;
}

/** How long used buffers may wait for an interrupt, so that one serves several. */
export interface Moderation {
  /** The interrupt comes with so many used chains; 0: number does not matter. */
  readonly chains: number;
  /** The interrupt comes so many nanoseconds after the first used chain at the latest; 0: at once. */
  readonly delay: number;
}

export interface NotificationOptions {
  /** Immediate unless told. */
  readonly doorbells?: DoorbellPolicy;
  /** None unless told. */
  readonly interrupts?: Moderation;
}

export const IMMEDIATE: DoorbellPolicy = { kind: 'immediate' };
export const UNMODERATED: Moderation = { chains: 0, delay: 0 };
