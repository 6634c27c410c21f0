import type { Report } from './report.js';

/** What a test may use. */
export interface TestContext {
  readonly report: Report;
  /** Keeps a console log for people to read when the test fails. */
  readonly keepLog: (text: string) => void;
  /** Look at the archive's index again. */
  readonly update: boolean;
}

/** One boot, or a few, with its checks. */
export interface GuestTest {
  readonly name: string;
  /** `smoke` runs on every change; `full` when asked. */
  readonly set: 'smoke' | 'full';
  run(context: TestContext): Promise<void>;
}
