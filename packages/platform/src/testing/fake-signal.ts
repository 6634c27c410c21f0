import type { ExternalSignal } from '../external-signal.js';

/** An external interrupt of a hart that remembers: its level and priority, and how often it rose. */
export class FakeSignal implements ExternalSignal {
  level = false;
  priority = 0;
  rises = 0;

  set(level: boolean, priority: number): void {
    if (level && !this.level) this.rises++;
    this.level = level;
    this.priority = priority;
  }
}
