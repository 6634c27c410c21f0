import { openSbi } from '../opensbi.js';
import { nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';

const PLAN = `
show harts grep -c ^processor /proc/cpuinfo
finish poweroff -f
`;

/** OpenSBI's `fw_jump`, which nobody tells where the kernel is. */
export function jumpTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)} (fw_jump): boot`,
    set,
    run: async (context) => {
      const { shown, log } = await runPlan(context, configuration, PLAN, { firmware: openSbi('jump') });
      const { report } = context;
      report.check('OpenSBI says hello', /OpenSBI v\d/.test(log), log.slice(0, 200));
      const found = shown.get('harts')?.text;
      report.check(`all harts run (${configuration.harts})`, found === String(configuration.harts), found);
    },
  };
}
