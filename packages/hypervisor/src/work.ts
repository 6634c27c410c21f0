import type { EventArguments } from '@vmloom/device';

/** One thing that a back end has to do. Data, so that a host can be saved in the middle of its work. */
export interface Work {
  /** Nanoseconds: not before. */
  readonly when: number;
  readonly to: Worker;
  /** `event`: the device's event of this kind is due. `frame`: the next frame that waits for the device. */
  readonly kind: 'event' | 'frame';
  readonly event: string;
  readonly args: EventArguments;
}

/** What performs work: a back end of a device. */
export interface Worker {
  readonly name: string;
  /** Does it now; the nanoseconds that it takes of the hart. */
  perform(work: Work): number;
}

/** Where a back end's work is done: in the VMM's thread of a vCPU, by a task of the host, on a side core. */
export interface Executor {
  /** It looks at its work without being woken. */
  readonly polls?: boolean;
  submit(work: Work): void;
}

/** Work in its order. */
export class WorkQueue {
  #items: Work[] = [];

  get empty(): boolean {
    return this.#items.length === 0;
  }

  get first(): Work | undefined {
    return this.#items[0];
  }

  push(work: Work): void {
    this.#items.push(work);
  }

  take(): Work | undefined {
    return this.#items.shift();
  }

  /** Drops what is for one worker. */
  drop(worker: Worker): void {
    this.#items = this.#items.filter(({ to }) => to !== worker);
  }

  save() {
    return this.#items.map(({ to, ...rest }) => ({ ...rest, to: to.name }));
  }

  restore(saved: ReturnType<WorkQueue['save']>, workerOf: (name: string) => Worker): void {
    this.#items = saved.map(({ to, ...rest }) => ({ ...rest, to: workerOf(to) }));
  }
}
