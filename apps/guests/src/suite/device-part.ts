import type { LiveMachine } from '../boot/boot.js';
import type { Program } from '../userland.js';
import type { Report } from './report.js';

/** One device of a machine that has several, and what is asked of it; the plans run one after the other. */
export interface DevicePart {
  readonly modules: readonly string[];
  readonly programs?: readonly Program[];
  /** Without its end. */
  readonly plan: string;
  plug(live: LiveMachine): void;
  /** Looks at what the plan showed, by name; empty where it showed nothing. */
  judge(report: Report, text: (name: string) => string): void | Promise<void>;
  close?(): void | Promise<void>;
}
