import { Lockstep, type Hart, type LockstepSide } from '@vmloom/riscv';
import type { HostMemory } from '@vmloom/memory';
import type { Console } from './console.js';
import { MachineError } from './error.js';
import { hostTimer } from './host-time.js';
import type { Machine, MachineOptions } from './machine.js';

export interface CpuCheckOptions {
  /**
   * Makes the machine, off, in a virtual-time world of its own that nothing outside can reach; alike in every
   * call but for the option of {@link MachineOptions.jit} that it is given.
   */
  readonly make: (jit: MachineOptions['jit']) => Promise<Machine>;
  /** How the machine under test compiles; as machines do unless told. */
  readonly jit?: MachineOptions['jit'];
  /** Virtual nanoseconds between two comparisons; 200,000 unless told. */
  readonly step?: number;
}

/** Why {@link CpuCheck.run} came back; `idle`: only somebody who types can make anything happen. */
export type CpuCheckEnd = 'ended' | 'until' | 'stopped' | 'idle';

const STEP = 200_000;
/** Steps after which the host's event loop has its turn. */
const BREATH = 8;

/** A machine in lockstep: its world runs so many nanoseconds at a time. */
class MachineSide implements LockstepSide {
  readonly harts: readonly Hart[];
  readonly memory: HostMemory;
  /** Nothing is left to happen. */
  idle = false;
  #time = 0;

  constructor(
    readonly name: string,
    readonly machine: Machine,
  ) {
    this.harts = machine.harts;
    this.memory = machine.memory;
  }

  async advance(nanoseconds: number): Promise<void> {
    this.#time += nanoseconds;
    const { world, retired } = this.machine;
    await world.run({ until: this.#time });
    this.idle = this.machine.retired === retired && world.clock.nextEvent === Infinity;
  }
}

/**
 * Checks compiled code against the interpreter, on a whole machine: the same machine runs a second time,
 * interpreted, and every few hundred thousand instructions all harts and all written memory are compared.
 * What is typed reaches both at the same virtual time.
 */
export class CpuCheck {
  readonly #lockstep: Lockstep;
  readonly #step: number;
  readonly #typed: ((console: Console) => void)[] = [];
  #stopping = false;

  private constructor(lockstep: Lockstep, step: number) {
    this.#lockstep = lockstep;
    this.#step = step;
  }

  /** Makes and powers on both machines. @throws MachineError bad-option */
  static async create(options: CpuCheckOptions): Promise<CpuCheck> {
    const side = async (name: string, jit: MachineOptions['jit']): Promise<MachineSide> => {
      const machine = await options.make(jit);
      if (machine.world.time !== 'virtual') {
        throw new MachineError('bad-option', 'a check of the CPU takes virtual time');
      }
      machine.powerOn();
      return new MachineSide(name, machine);
    };
    const lockstep = await Lockstep.create({
      make: async () => ({
        reference: await side('interpreter', false),
        subject: await side('compiler', options.jit),
      }),
    });
    return new CpuCheck(lockstep, options.step ?? STEP);
  }

  /** The machine under test. */
  get machine(): Machine {
    return (this.#lockstep.pair.subject as MachineSide).machine;
  }

  /** Virtual nanoseconds that both machines have gone. */
  get time(): number {
    return this.#lockstep.position;
  }

  /** Bytes for both consoles, at the end of the present step. */
  type(bytes: Uint8Array): void {
    const kept = bytes.slice();
    this.#typed.push((console) => console.send(kept));
  }

  /** The break condition, as {@link type} does it. */
  sendBreak(): void {
    this.#typed.push((console) => console.sendBreak());
  }

  /** {@link run} comes back after the present step. */
  stop(): void {
    this.#stopping = true;
  }

  /**
   * Runs both machines until they end, or for so many instructions of all harts together.
   * @throws LockstepError at the first difference, with both states and the instructions before it
   */
  async run(options: { instructions?: number } = {}): Promise<CpuCheckEnd> {
    const limit = options.instructions ?? Infinity;
    this.#stopping = false;
    for (let steps = 1; ; steps++) {
      const end = this.#end(limit);
      if (end !== undefined) {
        await this.#lockstep.verify();
        return end;
      }
      for (const act of this.#typed.splice(0)) {
        this.#lockstep.apply((side) => act((side as MachineSide).machine.console));
      }
      await this.#lockstep.step(this.#step);
      if (steps % BREATH === 0) await new Promise<void>((resolve) => void hostTimer(0, resolve));
    }
  }

  #end(limit: number): CpuCheckEnd | undefined {
    if (this.#stopping) return 'stopped';
    if (this.machine.exit !== undefined) return 'ended';
    if (this.machine.retired >= limit) return 'until';
    const { idle } = this.#lockstep.pair.subject as MachineSide;
    return idle && this.#typed.length === 0 ? 'idle' : undefined;
  }
}
