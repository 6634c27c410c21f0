import { CpuCheck, createMachine, World, type MachineOptions } from '@vmloom/machine';
import { debian, withPlan } from '../boot/initramfs.js';
import { SHELL_PLAN } from '../boot/init-script.js';
import { openSbi } from '../opensbi.js';
import { APPEND, nameOf, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';

/** Virtual nanoseconds between two looks. */
const STEP = 100_000;

/** Every page becomes code early: more regions, more of them overwritten. */
const EAGER: MachineOptions['jit'] = { threshold: 4 };

/** A boot on two machines, compiled and interpreted, that must be the same for so many instructions. */
export function cpuCheckTest(
  configuration: Configuration,
  set: GuestTest['set'],
  instructions: number,
  eager = false,
): GuestTest {
  const millions = `${instructions / 1e6} million instructions`;
  return {
    name: `${nameOf(configuration)}: ${millions}, ${eager ? 'eagerly compiled' : 'compiled'} and interpreted`,
    set,
    run: async ({ report, update, keepLog }) => {
      const { kernel, root } = debian(configuration.series, { update });
      const initrd = withPlan(root, SHELL_PLAN);
      const check = await CpuCheck.create({
        make: (jit) =>
          createMachine({
            world: new World(),
            kernel,
            initrd,
            bootArguments: APPEND,
            harts: configuration.harts,
            aia: configuration.aia ?? 'none',
            firmware: configuration.firmware === 'sbi' ? 'sbi' : openSbi('dynamic'),
            jit,
          }),
        jit: eager ? EAGER : {},
        step: STEP,
      });
      const difference = await check.run({ instructions }).then(
        () => '',
        (error: Error) => error.message,
      );
      keepLog(`${check.machine.console.text}\n${difference}`);
      report.check('harts and memory are the same all the way', difference === '', difference);
      const regions = check.machine.harts[0].core.jit?.statistics.regions ?? 0;
      report.check('hot code is compiled', regions > 100, `${regions} regions`);
      report.note(`${regions} regions, ${(check.machine.retired / 1e6).toFixed(0)} million instructions`);
    },
  };
}
