import { bootArgs, guestImage } from '@vmloom/guest';
import { CpuCheck, createMachine } from '@vmloom/machine';
import { Lockstep } from '@vmloom/riscv';
import { RandomSide } from '@vmloom/riscv/testing';

/** What a worker tells of its work. */
export interface JitReport {
  readonly regions: number;
  readonly error: string;
  readonly text: string;
}

const COMPILER = { threshold: 2, batch: 2 };

/** A random program, compiled and interpreted. */
async function random(seed: number): Promise<JitReport> {
  const side = (name: string, jit: typeof COMPILER | false) =>
    RandomSide.create({ name, seed, machine: { jit } });
  const lockstep = await Lockstep.create({
    make: async () => ({
      reference: await side('interpreter', false),
      subject: await side('compiler', COMPILER),
    }),
  });
  const error = await goOn(lockstep).catch((thrown: Error) => thrown.message);
  return { regions: lockstep.pair.subject.harts[0].core.jit?.statistics.regions ?? 0, error, text: '' };
}

async function goOn(lockstep: Lockstep): Promise<string> {
  for (let step = 0; step < 50; step++) await lockstep.step(3000);
  await lockstep.verify();
  return '';
}

/** The small guest to its prompt, compiled and interpreted. */
async function guest(): Promise<JitReport> {
  const kernel = await guestImage('tiny');
  const check = await CpuCheck.create({
    make: (jit) =>
      createMachine({ memory: '32MiB', kernel, bootArguments: bootArgs({ cmd: ['poweroff'] }), jit }),
    jit: COMPILER,
  });
  const error = await check.run().then(
    () => '',
    (thrown: Error) => thrown.message,
  );
  const { machine } = check;
  return {
    regions: machine.harts[0].core.jit?.statistics.regions ?? 0,
    error,
    text: machine.console.text,
  };
}

// The order is the worker's name.
const { what, seed } = JSON.parse(self.name) as { readonly what: 'random' | 'guest'; readonly seed: number };
(what === 'random' ? random(seed) : guest()).then(
  (report) => self.postMessage(report),
  (error: Error) => self.postMessage({ regions: 0, error: error.stack ?? error.message, text: '' }),
);
