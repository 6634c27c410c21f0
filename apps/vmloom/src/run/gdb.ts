import { MachineTarget } from '@vmloom/gdb';
import { GdbServer } from '@vmloom/gdb/node';
import { CliError } from '../error.js';
import { runLine } from '../monitor/commands.js';
import type { GdbPlan } from '../options/plan.js';
import type { Session } from './session.js';

/** Lets GDB attach to a session's machine; the answer ends that. @throws CliError when the port cannot be had */
export async function listenForGdb(plan: GdbPlan, session: Session): Promise<() => void> {
  const target = new MachineTarget(session.machine, {
    pause: () => session.stop(),
    resume: () => session.cont(),
    kill: () => session.quit(),
  });
  session.held = () => target.stopped !== undefined;
  const server = new GdbServer({ ...plan, target, monitor: (line) => runLine(session, line) });
  try {
    await server.listen();
  } catch (cause) {
    throw new CliError(`GDB cannot be awaited at ${plan.host}:${plan.port}: ${(cause as Error).message}`);
  }
  return () => server.close();
}
