import { hostTimer, type CpuCheck } from '@vmloom/machine';
import { LockstepError } from '@vmloom/riscv';
import { CliError } from '../error.js';
import type { RunPlan } from '../options/plan.js';
import type { SerialConsole } from '../serial/terminal.js';

/** What a run under `-cpu-check` cannot have: both machines must see the same, and what is outside answers once. */
export function refuseWithCheck(plan: RunPlan): void {
  const outside = plan.netdevs.find(({ type }) => type !== 'hubport');
  const refused: readonly (readonly [boolean, string])[] = [
    [outside !== undefined, `-netdev ${outside?.type}`],
    [plan.drives.some(({ readOnly, temporary }) => !readOnly && !temporary), '-drive without snapshot=on'],
    [plan.drives.some(({ threads }) => threads), '-drive aio=threads'],
    [plan.folders.length > 0, '-fsdev'],
    [plan.devices.some(({ driver }) => driver.startsWith('vhost-vsock')), '-device vhost-vsock'],
    [plan.dumps.length > 0, '-object filter-dump'],
    [plan.monitors.length > 0, '-qmp'],
    [plan.gdb !== undefined, '-gdb'],
    [plan.paused, '-S'],
    [plan.loadSnapshot !== undefined, '-loadvm'],
    [plan.time === 'realtime', '-time realtime'],
    [plan.jit === false, '-accel interpreter'],
  ];
  const found = refused.find(([given]) => given);
  if (found !== undefined) throw new CliError(`-cpu-check runs two closed machines: not with ${found[1]}`);
}

/** Both machines of a {@link CpuCheck} from power-on to their end; people see the one that compiles. */
export class CheckedRun {
  /** Typing reaches both machines. */
  readonly console: SerialConsole;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(readonly check: CpuCheck) {
    const { console } = check.machine;
    const wake = (): void => this.#wake?.();
    this.console = {
      set onOutput(listener: ((bytes: Uint8Array) => void) | undefined) {
        console.onOutput = listener;
      },
      send: (bytes) => {
        check.type(bytes);
        wake();
      },
      sendBreak: () => {
        check.sendBreak();
        wake();
      },
    };
  }

  /** Resolves when the machines end or {@link close} is called. @throws CliError at the first difference */
  async run(): Promise<void> {
    try {
      while (!this.#closed && (await this.check.run()) === 'idle') await this.#input();
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      throw new CliError(`compiled code and the interpreter do not do the same\n${error.message}`);
    }
  }

  close(): void {
    this.#closed = true;
    this.check.stop();
    this.#wake?.();
  }

  async #input(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = hostTimer(Infinity, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
