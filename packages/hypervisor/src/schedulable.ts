/** The host hart that something runs on, as what runs sees it. */
export interface HartTime {
  /** Nanoseconds, the hart's own. Whatever runs moves it on. */
  localTime: number;
  /** What runs leaves the hart at this time, or right behind it. It may come nearer meanwhile. */
  readonly end: number;
}

/** Something that uses a host hart's time: a vCPU with its VMM thread, or a task of the host. */
export interface Schedulable {
  /** Unique on its host. */
  readonly name: string;
  /** It would use a hart, from {@link readyAt} on. */
  readonly runnable: boolean;
  /** Nanoseconds. */
  readonly readyAt: number;
  /** It gets a hart that something else had: the nanoseconds that this takes. */
  switchedIn(): number;
  /** Something else gets its hart. */
  switchedOut(): void;
  /** Uses the hart up to its end, or until there is nothing to do. */
  run(hart: HartTime): void;
  /** Inside {@link run}: the hart's end came nearer. */
  shortened(): void;
  /** Inside {@link run}: leave as soon as possible. */
  requestStop(): void;
}
