import type { InterruptLine } from '@vmloom/device';

/** An interrupt input that remembers: its level, and how often it rose. */
export class FakeLine implements InterruptLine {
  level = false;
  rises = 0;

  set(level: boolean): void {
    if (level && !this.level) this.rises++;
    this.level = level;
  }
}
