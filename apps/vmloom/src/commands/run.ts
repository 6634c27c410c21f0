import type { World } from '@vmloom/machine';
import { MonitorServer } from '../monitor/server.js';
import { parseCommandLine } from '../options/command-line.js';
import { listenForGdb } from '../run/gdb.js';
import { Session } from '../run/session.js';
import { writeStatistics } from '../run/statistics.js';
import { connectSerial, type TerminalStreams } from '../serial/terminal.js';

/** A checked machine waits for nobody: what is typed comes between two of its steps. */
const alone = ({
  clock,
}: World): { clock: World['clock']; outside: Pick<World['outside'], 'attachSource'> } => ({
  clock,
  outside: { attachSource: () => () => undefined },
});

/** `vmloom run …`: one machine in QEMU's spelling; the exit status. @throws CliError and the packages' errors */
export async function run(argv: readonly string[], streams: TerminalStreams): Promise<number> {
  const plan = parseCommandLine(argv);
  const session = await Session.create(plan);
  const { world } = session.machine;
  const cleanups: (() => void)[] = [() => session.close()];
  try {
    cleanups.push(
      connectSerial(session.console, plan.serial, session, streams, plan.cpuCheck ? alone(world) : world),
    );
    const servers = plan.monitors.map(({ path }) => new MonitorServer(path, session, () => world.clock.now));
    session.onEvent = (event) => servers.forEach((server) => server.event(event));
    for (const [index, server] of servers.entries()) {
      await server.listen();
      const detach = world.outside.attachSource();
      cleanups.push(() => {
        detach();
        server.close();
      });
      if (plan.monitors[index].wait) await server.firstPeer();
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const quit = (): void => session.quit();
      process.on(signal, quit);
      cleanups.push(() => process.off(signal, quit));
    }
    await session.begin();
    if (plan.gdb !== undefined) cleanups.push(await listenForGdb(plan.gdb, session));
    const status = await session.finished;
    if (plan.statistics !== undefined) await writeStatistics(plan.statistics, session.machine);
    return status;
  } finally {
    for (const cleanup of cleanups.reverse()) cleanup();
  }
}
