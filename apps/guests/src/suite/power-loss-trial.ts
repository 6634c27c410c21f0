import { PowerLossStore, type MemoryStore } from '@vmloom/virtio';
import type { RecordingStore } from '@vmloom/virtio/testing';

/** A file that was synchronized. */
interface SyncedFile {
  readonly name: string;
  readonly digest: string;
  /** Changes of the disk when `fsync` had returned. */
  readonly at: number;
}

/** What one loss of power left. */
export interface Verdict {
  /** The change before which the power failed. */
  readonly cutAt: number;
  /** e2fsck repaired by itself whatever there was (0 or 1), and found nothing the second time. */
  readonly clean: boolean;
  /** Files that were synchronized before. */
  readonly files: number;
  /** Those of them that are not there, or differ. */
  readonly lost: readonly string[];
  /** e2fsck's exit codes and last words. */
  readonly detail: string;
}

export interface TrialOptions {
  /** Losses of power, spread evenly over the load. */
  readonly cuts: number;
  /** Losses in the load's last third of a disk that ignores flushes; behind the others. */
  readonly controls: number;
}

/** A disk that says that it has flushed, and has not, from the change of number `since` on. */
class ForgetfulStore extends PowerLossStore {
  constructor(
    medium: MemoryStore,
    seed: number,
    private readonly since: number,
  ) {
    super(medium, { seed });
  }

  override flush(): void {
    if (this.operations < this.since) super.flush();
  }
}

/**
 * The host's side of a load on a disk that loses power at many points: hears from the guest which files it has
 * synchronized, makes the medium what each loss leaves, and judges what the guest finds there.
 */
export class PowerLossTrial {
  readonly synced: SyncedFile[] = [];
  readonly verdicts: Verdict[] = [];
  readonly controls: Verdict[] = [];
  #formatted = 0;
  #cutAt: number | undefined;
  #codes: string[] = [];
  readonly #found = new Map<string, string>();

  constructor(
    /** The disk of the load. */
    private readonly recording: RecordingStore,
    /** The disk that is judged. */
    private readonly medium: MemoryStore,
    private readonly options: TrialOptions,
  ) {}

  /** A line of the guest; the answer that it waits for, if it does. */
  hear(line: string): 'more' | 'end' | undefined {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === 'formatted') this.#formatted = this.recording.changes.length;
    else if (word === 'synced') {
      this.synced.push({ name: rest[1], digest: rest[0], at: this.recording.changes.length });
    } else if (word === 'e2fsck') this.#codes = rest;
    else if (word === 'found') this.#found.set(rest[1], rest[0]);
    else if (word === 'judged') return this.#next();
    return undefined;
  }

  #next(): 'more' | 'end' {
    if (this.#cutAt !== undefined) this.#judge(this.#cutAt);
    this.#codes = [];
    this.#found.clear();
    const { cuts, controls } = this.options;
    const seed = this.verdicts.length + this.controls.length;
    if (seed === cuts + controls) return 'end';
    const span = this.recording.changes.length - this.#formatted;
    const control = seed - cuts;
    const share = control < 0 ? (seed + 0.5) / cuts : 1 - (control + 0.5) / controls / 3;
    this.#cutAt = this.#formatted + Math.floor(share * span);
    this.medium.zero(0, this.medium.size);
    const disk =
      control < 0
        ? new PowerLossStore(this.medium, { seed })
        : new ForgetfulStore(this.medium, seed, this.#formatted);
    this.recording.replay(disk, this.#cutAt);
    disk.cut();
    return 'more';
  }

  #judge(cutAt: number): void {
    const [repair, again] = this.#codes;
    const before = this.synced.filter(({ at }) => at <= cutAt);
    const lost = before.filter(({ name, digest }) => this.#found.get(name) !== digest);
    const list = this.verdicts.length < this.options.cuts ? this.verdicts : this.controls;
    list.push({
      cutAt,
      clean: (repair === '0' || repair === '1') && again === '0',
      files: before.length,
      lost: lost.map(({ name }) => name),
      detail: this.#codes.join(' '),
    });
  }
}
