import type { Built } from './build.js';
import { TopologyError } from './error.js';

export interface RunOptions {
  /** Virtual nanoseconds that it may take. 60 s unless told. */
  readonly limit?: number;
}

/**
 * Powers everything on and runs until each machine that has commands to run is off; then those that serve are powered
 * off. @throws TopologyError not-finished
 */
export async function runTopology({ world, vms }: Built, options: RunOptions = {}): Promise<void> {
  const limit = options.limit ?? 60e9;
  for (const { machine } of vms) machine.powerOn();
  const working = vms.filter(({ spec }) => spec.run !== undefined);
  const done = Promise.all(working.map(({ machine }) => machine.exited)).then(() => world.stop());
  await world.run({ until: world.clock.now + limit });
  const late = working.filter(({ machine }) => machine.state !== 'off');
  if (late.length === 0) await done;
  for (const { machine } of vms) if (machine.state !== 'off') machine.powerOff();
  if (late.length > 0) {
    const names = late.map(({ name }) => name).join(', ');
    throw new TopologyError('not-finished', `${names} did not finish in ${limit / 1e9} s of virtual time`);
  }
}
