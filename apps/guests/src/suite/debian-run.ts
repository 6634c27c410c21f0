import type { Aia, Firmware } from '@vmloom/machine';
import { boot, type BootOptions, type BootResult } from '../boot/boot.js';
import { debian, withPlan, type DebianOptions } from '../boot/initramfs.js';
import { kernelComplaints } from '../boot/transcript.js';
import type { KernelSeries } from '../kernel.js';
import { openSbi } from '../opensbi.js';
import type { TestContext } from './guest-test.js';
import type { Report } from './report.js';

/** A machine to boot Debian on. */
export interface Configuration {
  readonly series: KernelSeries;
  readonly harts: number;
  readonly firmware: 'sbi' | 'opensbi';
  /** The PLIC unless told. */
  readonly aia?: Aia;
}

/** What a run boots with beside its plan. */
export interface RunOptions extends Partial<BootOptions> {
  /** What is packed beside what all have. */
  readonly pack?: Omit<DebianOptions, 'update'>;
}

/** The host, as the network address translator shows it. */
export const GATEWAY = '10.0.2.2';
/** Kernel command line. */
export const APPEND = 'earlycon=sbi console=ttyS0';

/** As tests are called. */
export function nameOf({ series, harts, firmware, aia }: Configuration): string {
  const names = { sbi: 'built-in SBI', opensbi: 'OpenSBI' };
  return `Debian ${series}, ${harts} ${harts === 1 ? 'hart' : 'harts'}, ${names[firmware]}${aia === undefined ? '' : `, ${aia}`}`;
}

/** Boots with a plan that ends in power-off; the checks that every boot makes. */
export async function runPlan(
  context: TestContext,
  configuration: Configuration,
  plan: string,
  options: RunOptions,
): Promise<BootResult> {
  const { report } = context;
  const result = await bootDebian(context, configuration, plan, options);
  checkEnd(report, result);
  return result;
}

/** The checks of every boot with a plan that ends in power-off; `who` tells several machines apart. */
export function checkEnd(report: Report, result: BootResult, who = ''): void {
  const { exit, checks, shown } = result;
  const log = shown.get('kernel-log');
  report.check(`${who}reaches the end of its plan`, log !== undefined, lastWords(result));
  for (const { name, ok, detail } of checks) report.check(`${who}${name}`, ok, detail);
  const complaints = kernelComplaints(result.log);
  report.check(`${who}the kernel complains about nothing`, complaints.length === 0, complaints.join(' | '));
  const ended = exit === undefined ? 'it did not end in time' : `${exit.reason}, status ${exit.code}`;
  report.check(
    `${who}poweroff ends it with status 0`,
    exit?.reason === 'power-off' && exit.code === 0,
    ended,
  );
  const { seconds, instructions } = result;
  report.note(`${who}${(instructions / 1e6).toFixed(0)} million instructions in ${seconds.toFixed(1)} s`);
}

/** Boots with a plan, whatever its end. */
export async function bootDebian(
  context: TestContext,
  configuration: Configuration,
  plan: string,
  options: RunOptions,
): Promise<BootResult> {
  const { pack, ...booted } = options;
  const { kernel, root } = debian(configuration.series, { ...pack, update: context.update });
  const firmware: Firmware = configuration.firmware === 'sbi' ? 'sbi' : openSbi('dynamic');
  const result = await boot({
    kernel,
    initrd: withPlan(root, plan),
    append: APPEND,
    harts: configuration.harts,
    firmware,
    aia: configuration.aia ?? 'none',
    ...booted,
  });
  context.keepLog(result.log);
  return result;
}

/** The end of the console log, for failures. */
export function lastWords({ log }: BootResult): string {
  return `its last words: ${log.slice(-200)}`;
}
