import { consolePart } from './console-part.js';
import { nameOf, runPlan, type Configuration } from './debian-run.js';
import { folderPart } from './folder-part.js';
import type { GuestTest } from './guest-test.js';
import { rngPart } from './rng-part.js';
import { socketPart } from './socket-part.js';

/** Entropy, consoles, a shared folder and sockets of one machine, by the stock drivers, in one boot. */
export function virtioDevicesTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: virtio-rng, -console, -9p and vsock`,
    set,
    run: async (context) => {
      const parts = [rngPart(), consolePart(), folderPart(), socketPart()];
      try {
        const plan = `${parts.map((part) => part.plan).join('')}\nfinish poweroff -f\n`;
        const { shown } = await runPlan(context, configuration, plan, {
          hostTime: true,
          // socat brings large libraries, and the initial RAM disk may take half of the memory.
          memory: '256MiB',
          patience: 600,
          pack: {
            modules: parts.flatMap(({ modules }) => modules),
            programs: parts.flatMap(({ programs }) => programs ?? []),
          },
          onMachine: (live) => {
            for (const part of parts) part.plug(live);
          },
        });
        for (const part of parts) await part.judge(context.report, (name) => shown.get(name)?.text ?? '');
      } finally {
        for (const part of parts) await part.close?.();
      }
    },
  };
}
