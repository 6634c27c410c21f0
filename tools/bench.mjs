/**
 * `npm run bench [-- NAME … OPTIONS]` measures and prints ratios against a peer of the same run; never part of the
 * tests. A result that differs from the peer's ends it with exit status 1.
 *
 *   cpu        six kernels of different nature beside QEMU, paging off and Sv39, short and in the steady state
 *   boot       Debian to /init beside QEMU; fetches it, and QEMU 11
 *   programs   sha256, gzip, awk, processes, system calls and page faults in Debian beside QEMU
 *   v86        three loops beside v86
 *   loops      the interpreter's inner loops alone
 *   memory     resident size of a process with a guest
 *   virtio     chains through split and packed rings beside a plain copy of the same bytes
 *   iommu      translations of the IOMMU beside requests without one
 *   guests     rates between two Debian guests, beside QEMU; fetches them
 *
 *   --runs N       medians of so many (3)
 *   --long N       steady state in short runs, of which each is about a second (10)
 *   --only A,B     these kernels, programs, kernels of Linux or network cards alone
 *   --seconds N    how long memory is watched (120)
 *   --clock wall|processor   what time is: the clock's (wall), or that of the processes on a processor, for busy machines
 *   --accel jit|interpreter   how vmloom runs code, where it is started as a process
 *   --html FILE    the tables as a page, with the ratios drawn
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { boot } from './bench/boot.mjs';
import { cpu } from './bench/cpu.mjs';
import { htmlReport } from './bench/drawing.mjs';
import { guests } from './bench/guests.mjs';
import { iommu } from './bench/iommu.mjs';
import { memory } from './bench/memory.mjs';
import { parseOptions, UsageError } from './bench/options.mjs';
import { VMLOOM } from './bench/processes.mjs';
import { programs } from './bench/programs.mjs';
import { v86 } from './bench/v86.mjs';
import { virtio } from './bench/virtio.mjs';

const loops = () => {
  const { status } = spawnSync(process.execPath, ['packages/riscv/bench/cpu.mjs'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the loops did not run');
};
/** Load average of a machine with nothing else to do. */
const IDLE = 0.5;
const BENCHES = { cpu, boot, programs, v86, loops, memory, guests, virtio, iommu };

/** What to know before reading any figure. */
function leadOf({ clock, accel }) {
  const [load] = loadavg();
  const busy =
    load > IDLE ? ` The machine was busy before it all began: load average ${load.toFixed(1)}.` : '';
  const time = clock === 'processor' ? 'on a processor, of all threads' : 'of the wall clock';
  return `Seconds are those ${time}.${busy}${accel === undefined ? '' : ` vmloom ran with -accel ${accel}.`}`;
}

try {
  const { names, options } = parseOptions(process.argv.slice(2), Object.keys(BENCHES));
  const lead = leadOf(options);
  console.log(lead);
  if (options.accel !== undefined) VMLOOM.push('-accel', options.accel);
  const tables = [];
  for (const name of names) {
    console.log(`\n# ${name}`);
    tables.push(...((await BENCHES[name](options)) ?? []));
    if (options.html !== undefined) writeFileSync(options.html, htmlReport(tables, lead));
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
