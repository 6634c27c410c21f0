/** Which reset a function goes through; sticky registers survive all but `power-on` (PCIe 6.6). */
export type ResetKind =
  /** Fundamental reset: power applied, or the whole machine reset. */
  | 'power-on'
  /** Hot reset: secondary bus reset of a bridge above, or a link that went down. */
  | 'bus'
  /** Function level reset (PCIe 6.6.2). */
  | 'function'
  /** The internal reset of the way from D3hot to D0 with No_Soft_Reset clear (PCIe 5.3.1.4). */
  | 'd3hot';

/**
 * What a configuration write means beyond the stored bits. The configuration space returns effects and never
 * acts; the fabric applies them after the write.
 */
export type ConfigEffect =
  /** What the function decodes changed: a BAR moved, memory or I/O was enabled, a bridge window moved. */
  | { readonly kind: 'decode'; readonly cause: 'bar' | 'rom' | 'memory-enable' | 'io-enable' | 'window' }
  /** The function, or everything below a bridge, may or may not master the bus from now on. */
  | { readonly kind: 'bus-master' }
  /** A bridge's bus numbers changed: routing of configuration requests, requester IDs below. */
  | { readonly kind: 'bus-numbers' }
  /** The interrupt disable bit, or the enable bit of MSI or MSI-X, changed. */
  | { readonly kind: 'interrupt-mode' }
  /** Messages may have become sendable (enabled or unmasked). */
  | { readonly kind: 'messages' }
  | {
      readonly kind: 'power-state';
      readonly from: PowerState;
      readonly to: PowerState;
      readonly softReset: boolean;
    }
  | { readonly kind: 'function-reset' }
  | { readonly kind: 'secondary-reset' }
  /** A capability acts by itself once the write is over. */
  | { readonly kind: 'action'; readonly name: string; run(): void };

/** Device power states; 1 and 2 are optional and not offered. */
export type PowerState = 'D0' | 'D3hot';
